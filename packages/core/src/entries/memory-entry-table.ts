import type { ShardId, ShardPosition } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { EntryTable, Lookup, StoredEntry } from './entry-table.ts';

export interface MemoryEntryTableOptions {
  /** Above it values that are on disk are dropped. Without limit when absent. */
  readonly bytesMax?: number;
}

/** Before every record of a log. */
const UNKNOWN: ShardPosition = { epoch: 0, index: 0 };

/** The byte that MessagePack never uses. */
const SPOILT = 0xc1;

interface Held {
  readonly key: string;
  at: ShardPosition;
  /** Undefined while it is only on disk. */
  state: Uint8Array | undefined;
  stateBytes: number;
  onDisk: boolean;
}

interface Slot {
  readonly entries: Map<string, Held>;
  bytes: number;
  /** Made when somebody lists, forgotten when a key comes or goes. */
  sorted: readonly string[] | undefined;
}

/**
 * The entry table in its plainest form: objects in maps, exact least-recently-used order.
 *
 * For simulations and tests, and the oracle of `SlabEntryTable`, which a node uses: a million
 * entries as objects make the garbage collector pause for too long.
 */
export class MemoryEntryTable implements EntryTable {
  readonly #bytesMax: number;
  readonly #slots = new Map<string, Slot>();
  /** What could be dropped, least recently used first. */
  readonly #droppable = new Set<Held>();
  /** Handed out for a short look. */
  readonly #looks: Uint8Array[] = [];
  #memoryBytes = 0;
  #pagedCount = 0;

  constructor(options: MemoryEntryTableOptions = {}) {
    this.#bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get pagedCount(): number {
    return this.#pagedCount;
  }

  get(shard: ShardId, slot: number, key: string): Lookup {
    const held = this.#held(shard, slot, key);
    if (held === undefined) return 'absent';
    if (held.state === undefined) return 'paged';
    this.#touch(held);
    return { at: held.at, state: held.state };
  }

  /** A copy that is spoilt at the next change, so that whoever keeps it is found out. */
  look(shard: ShardId, slot: number, key: string): Lookup {
    const found = this.get(shard, slot, key);
    if (found === 'absent' || found === 'paged') return found;
    const state = found.state.slice();
    this.#looks.push(state);
    return { at: found.at, state };
  }

  put(shard: ShardId, slot: number, key: string, entry: StoredEntry, onDisk: boolean): void {
    this.#spoilLooks();
    invariant(key.length <= 0xffff, `A key has ${key.length} code units; at most 65535 fit.`);
    const into = this.#slotOf(shard, slot);
    const held = into.entries.get(key) ?? this.#addPaged(into, key);
    into.bytes += entry.state.byteLength - held.stateBytes;
    this.#setState(held, entry, onDisk);
    this.#shrink();
  }

  putUnread(shard: ShardId, slot: number, key: string): void {
    this.#spoilLooks();
    const into = this.#slotOf(shard, slot);
    if (!into.entries.has(key)) this.#addPaged(into, key);
  }

  flushed(shard: ShardId, slot: number, key: string, at: ShardPosition): void {
    this.#spoilLooks();
    const held = this.#held(shard, slot, key);
    if (held?.state === undefined) return;
    if (held.at.epoch !== at.epoch || held.at.index !== at.index) return;
    held.onDisk = true;
    this.#touch(held);
    this.#shrink();
  }

  restore(shard: ShardId, slot: number, key: string, entry: StoredEntry): boolean {
    this.#spoilLooks();
    const held = this.#held(shard, slot, key);
    if (held === undefined) return true;
    if (isBefore(entry.at, held.at)) return false;
    if (held.state !== undefined) return true;
    this.#slotOf(shard, slot).bytes += entry.state.byteLength - held.stateBytes;
    this.#setState(held, entry, true);
    this.#shrink();
    return true;
  }

  delete(shard: ShardId, slot: number, key: string): void {
    this.#spoilLooks();
    const from = this.#slots.get(nameOf(shard, slot));
    const held = from?.entries.get(key);
    if (from === undefined || held === undefined) return;
    from.entries.delete(key);
    from.bytes -= key.length + held.stateBytes;
    from.sorted = undefined;
    this.#forget(held);
  }

  keys(shard: ShardId, slot: number, after: string, limit: number): readonly string[] {
    const from = this.#slots.get(nameOf(shard, slot));
    if (from === undefined) return [];
    // The default order is that of UTF-16 code units.
    const sorted = (from.sorted ??= [...from.entries.keys()].sort());
    const begin = firstAfter(sorted, after);
    return sorted.slice(begin, begin + limit);
  }

  count(shard: ShardId, slot: number): number {
    return this.#slots.get(nameOf(shard, slot))?.entries.size ?? 0;
  }

  bytes(shard: ShardId, slot: number): number {
    return this.#slots.get(nameOf(shard, slot))?.bytes ?? 0;
  }

  clear(shard: ShardId, slot: number): void {
    this.#spoilLooks();
    const name = nameOf(shard, slot);
    for (const held of this.#slots.get(name)?.entries.values() ?? []) this.#forget(held);
    this.#slots.delete(name);
  }

  #spoilLooks(): void {
    for (const state of this.#looks) state.fill(SPOILT);
    this.#looks.length = 0;
  }

  #held(shard: ShardId, slot: number, key: string): Held | undefined {
    return this.#slots.get(nameOf(shard, slot))?.entries.get(key);
  }

  #slotOf(shard: ShardId, slot: number): Slot {
    const name = nameOf(shard, slot);
    let found = this.#slots.get(name);
    if (found === undefined) {
      found = { entries: new Map(), bytes: 0, sorted: undefined };
      this.#slots.set(name, found);
    }
    return found;
  }

  #addPaged(into: Slot, key: string): Held {
    const held: Held = { key, at: UNKNOWN, state: undefined, stateBytes: 0, onDisk: true };
    into.entries.set(key, held);
    into.bytes += key.length;
    into.sorted = undefined;
    this.#memoryBytes += key.length;
    this.#pagedCount += 1;
    return held;
  }

  #setState(held: Held, entry: StoredEntry, onDisk: boolean): void {
    if (held.state === undefined) this.#pagedCount -= 1;
    else this.#memoryBytes -= held.stateBytes;
    this.#droppable.delete(held);
    held.at = entry.at;
    held.state = entry.state;
    held.stateBytes = entry.state.byteLength;
    held.onDisk = onDisk;
    this.#memoryBytes += held.stateBytes;
    this.#touch(held);
  }

  #touch(held: Held): void {
    if (!held.onDisk) return;
    // A set keeps the order of insertion: its last is the most recently used.
    this.#droppable.delete(held);
    this.#droppable.add(held);
  }

  #forget(held: Held): void {
    this.#droppable.delete(held);
    this.#memoryBytes -= held.key.length;
    if (held.state === undefined) this.#pagedCount -= 1;
    else this.#memoryBytes -= held.stateBytes;
  }

  #shrink(): void {
    for (const held of this.#droppable) {
      if (this.#memoryBytes <= this.#bytesMax) return;
      this.#droppable.delete(held);
      this.#memoryBytes -= held.stateBytes;
      this.#pagedCount += 1;
      held.state = undefined;
    }
  }
}

function nameOf(shard: ShardId, slot: number): string {
  return `${shard}/${slot}`;
}

function isBefore(a: ShardPosition, b: ShardPosition): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.index < b.index);
}

/** The index of the first key that is greater than `after`. */
function firstAfter(sorted: readonly string[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
