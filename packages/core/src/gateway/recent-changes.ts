import {
  decodeValue,
  entryBodyField,
  parseStoredKey,
  WireError,
  type EntryBody,
  type ShardId,
  type StoredKeyParts,
} from '@memgrid/protocol';
import type { AppliedChange } from '../shards/shards-io.ts';

/** What a change costs beside its key and its entry. */
const CHANGE_BYTES = 128;

type ScopeParts = Pick<EntryBody, 'userId' | 'agentId' | 'appId' | 'runId'>;

/** One change, and what of it is worked out only for those who ask. */
export class RecentChange {
  readonly change: AppliedChange;
  readonly bytes: number;
  #parts: StoredKeyParts | undefined;
  #scope: ScopeParts | 'unknown' | undefined;

  constructor(change: AppliedChange) {
    this.change = change;
    this.bytes = CHANGE_BYTES + 2 * change.key.length + change.entry.length;
  }

  get namespace(): string {
    return this.#keyParts.namespace;
  }

  /** The entry's id; '' for a record that changes no entry. */
  get id(): string {
    return this.#keyParts.id;
  }

  get #keyParts(): StoredKeyParts {
    this.#parts ??= this.change.key === '' ? NOWHERE : parseStoredKey(this.change.key);
    return this.#parts;
  }

  /** Unknown for deletes: what was deleted is not in the log any more. */
  scope(): ScopeParts | 'unknown' {
    this.#scope ??= scopeOf(this.change.entry);
    return this.#scope;
  }
}

interface Ring {
  readonly shard: ShardId;
  /** Everything after this index is in `changes`, without a hole. */
  base: number;
  readonly changes: RecentChange[];
  /** The first of `changes` that is still kept. */
  head: number;
}

/**
 * The latest changes of each shard of this node, in order of index, for feeds that were away for a
 * moment. Bounded by bytes in all and by changes a shard; the oldest go first, whichever shard's.
 */
export class RecentChanges {
  readonly #bytesMax: number;
  readonly #changesMax: number;
  readonly #rings = new Map<ShardId, Ring>();
  /** The shards of all kept changes, oldest first. Holds names of changes that went already. */
  #order: ShardId[] = [];
  #orderHead = 0;
  #bytes = 0;

  constructor({ bytesMax, changesMax }: { bytesMax: number; changesMax: number }) {
    this.#bytesMax = bytesMax;
    this.#changesMax = changesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What comes after this index is known; undefined while nothing is. */
  base(shard: ShardId): number | undefined {
    return this.#rings.get(shard)?.base;
  }

  /** The latest index. */
  last(shard: ShardId): number | undefined {
    const ring = this.#rings.get(shard);
    return ring === undefined ? undefined : ring.base + ring.changes.length - ring.head;
  }

  /** A hole before it makes a shard begin anew. What is known already is not taken again. */
  append(change: AppliedChange): void {
    const last = this.last(change.shard);
    if (last !== undefined && change.index <= last) return;
    if (change.kind === 'unknown') {
      this.drop(change.shard);
      this.#begin(change.shard, change.index);
      return;
    }
    if (last !== undefined && change.index !== last + 1) this.drop(change.shard);
    const ring = this.#ringOf(change);
    const recent = new RecentChange(change);
    ring.changes.push(recent);
    this.#order.push(change.shard);
    this.#bytes += recent.bytes;
    if (ring.changes.length - ring.head > this.#changesMax) this.#trim(ring);
    this.#shrink();
  }

  /** The change with this index; undefined when it is not kept. */
  at(shard: ShardId, index: number): RecentChange | undefined {
    const ring = this.#rings.get(shard);
    if (ring === undefined || index <= ring.base) return undefined;
    return ring.changes[ring.head + index - ring.base - 1];
  }

  drop(shard: ShardId): void {
    const ring = this.#rings.get(shard);
    if (ring === undefined) return;
    while (ring.head < ring.changes.length) this.#trim(ring);
    this.#rings.delete(shard);
  }

  #ringOf({ shard, index }: AppliedChange): Ring {
    const present = this.#rings.get(shard);
    return present ?? this.#begin(shard, index - 1);
  }

  #begin(shard: ShardId, base: number): Ring {
    const ring: Ring = { shard, base, changes: [], head: 0 };
    this.#rings.set(shard, ring);
    return ring;
  }

  #shrink(): void {
    while (this.#bytes > this.#bytesMax && this.#orderHead < this.#order.length) {
      const shard = this.#order[this.#orderHead];
      this.#orderHead += 1;
      const ring = shard === undefined ? undefined : this.#rings.get(shard);
      if (ring !== undefined && ring.head < ring.changes.length) this.#trim(ring);
    }
    if (this.#orderHead > 1_024 && this.#orderHead > this.#order.length / 2) {
      this.#order = this.#order.slice(this.#orderHead);
      this.#orderHead = 0;
    }
  }

  /** Gives up the oldest change of a shard. */
  #trim(ring: Ring): void {
    this.#bytes -= ring.changes[ring.head]?.bytes ?? 0;
    ring.head += 1;
    ring.base += 1;
    if (ring.head > 64 && ring.head > ring.changes.length / 2) {
      ring.changes.splice(0, ring.head);
      ring.head = 0;
    }
  }
}

const NOWHERE: StoredKeyParts = { namespace: '', id: '' };

function scopeOf(entry: Uint8Array): ScopeParts | 'unknown' {
  if (entry.length === 0) return 'unknown';
  try {
    return decodeValue(entryBodyField, entry, 'entry');
  } catch (error) {
    if (error instanceof WireError) return 'unknown';
    throw error;
  }
}
