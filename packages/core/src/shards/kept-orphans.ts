import type { Orphan } from './shard-records.ts';

/**
 * The orphans of one shard, found by number, by key and by turn: there may be thousands, and every
 * step and every read at `one` asks.
 */
export class KeptOrphans {
  readonly #all = new Map<number, Orphan>();
  /** Not parked; in the order in which they are offered next. */
  readonly #open = new Map<number, Orphan>();
  /** Of the open ones. */
  readonly #byKey = new Map<string, Map<number, Orphan>>();

  get count(): number {
    return this.#all.size;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get(number: number): Orphan | undefined {
    return this.#all.get(number);
  }

  /** The open ones of a key, oldest first. */
  openOf(key: string): Iterable<Orphan> {
    return this.#byKey.get(key)?.values() ?? [];
  }

  /** Adds one, or puts it in the place of the one of its number. */
  set(orphan: Orphan): void {
    const { number, key, parked } = orphan;
    this.delete(number);
    this.#all.set(number, orphan);
    if (parked) return;
    this.#open.set(number, orphan);
    const ofKey = this.#byKey.get(key) ?? new Map<number, Orphan>();
    this.#byKey.set(key, ofKey.set(number, orphan));
  }

  delete(number: number): void {
    const orphan = this.#all.get(number);
    if (orphan === undefined) return;
    this.#all.delete(number);
    this.#open.delete(number);
    const ofKey = this.#byKey.get(orphan.key);
    ofKey?.delete(number);
    if (ofKey?.size === 0) this.#byKey.delete(orphan.key);
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
