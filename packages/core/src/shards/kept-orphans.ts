import type { Orphan } from './shard-records.ts';

/**
 * The orphans of one shard, found by number, by key, by operation and by turn: there may be
 * thousands, and every step and every read at `one` asks.
 */
export class KeptOrphans {
  readonly #all = new Map<number, Orphan>();
  /** Not parked; in the order in which they are offered next. */
  readonly #open = new Map<number, Orphan>();
  /** Open ones that the log does not have, as far as this node knows. */
  readonly #byKey = new Map<string, Map<number, Orphan>>();
  /** Those whose callers named an operation: two may have the same one. */
  readonly #byOperation = new Map<string, Map<number, Orphan>>();
  /** By number: where the log has the operation of an orphan. */
  readonly #carriedOut = new Map<number, number>();
  #bytes = 0;

  get count(): number {
    return this.#all.size;
  }

  /** Of all states. */
  get bytes(): number {
    return this.#bytes;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Numbers of those that the log has, and where. */
  get carriedOut(): ReadonlyMap<number, number> {
    return this.#carriedOut;
  }

  get(number: number): Orphan | undefined {
    return this.#all.get(number);
  }

  /** In order of number. */
  all(): readonly Orphan[] {
    return [...this.#all.values()].sort((a, b) => a.number - b.number);
  }

  /** What the log does not have of a key, oldest first. */
  openOf(key: string): Iterable<Orphan> {
    return this.#byKey.get(key)?.values() ?? [];
  }

  ofOperation(operationId: string): Iterable<Orphan> {
    return this.#byOperation.get(operationId)?.values() ?? [];
  }

  /** Adds one, or puts it in the place of the one of its number. */
  set(orphan: Orphan): void {
    const { number, key, operationId, parked, state } = orphan;
    this.delete(number);
    this.#all.set(number, orphan);
    this.#bytes += state.byteLength;
    if (operationId !== '') enter(this.#byOperation, operationId, orphan);
    if (parked) return;
    this.#open.set(number, orphan);
    enter(this.#byKey, key, orphan);
  }

  delete(number: number): void {
    const orphan = this.#all.get(number);
    if (orphan === undefined) return;
    this.#all.delete(number);
    this.#bytes -= orphan.state.byteLength;
    this.#open.delete(number);
    this.#carriedOut.delete(number);
    leave(this.#byKey, orphan.key, number);
    leave(this.#byOperation, orphan.operationId, number);
  }

  /** The log has this one at `index`: reads find it there. */
  noteCarriedOut(orphan: Orphan, index: number): void {
    this.#carriedOut.set(orphan.number, index);
    leave(this.#byKey, orphan.key, orphan.number);
  }

  /** The log is another one: nothing is known of it. */
  forgetCarriedOut(): void {
    for (const number of this.#carriedOut.keys()) {
      const orphan = this.#open.get(number);
      if (orphan !== undefined) enter(this.#byKey, orphan.key, orphan);
    }
    this.#carriedOut.clear();
  }

  /** The next open ones, which then have their turn after all others: none starves the rest. */
  takeTurns(limit: number): readonly Orphan[] {
    const taken: Orphan[] = [];
    for (const orphan of this.#open.values()) {
      if (taken.length >= limit) break;
      taken.push(orphan);
    }
    for (const orphan of taken) {
      this.#open.delete(orphan.number);
      this.#open.set(orphan.number, orphan);
    }
    return taken;
  }
}

function enter(index: Map<string, Map<number, Orphan>>, name: string, orphan: Orphan): void {
  const found = index.get(name) ?? new Map<number, Orphan>();
  index.set(name, found.set(orphan.number, orphan));
}

function leave(index: Map<string, Map<number, Orphan>>, name: string, number: number): void {
  const found = index.get(name);
  found?.delete(number);
  if (found?.size === 0) index.delete(name);
}
