import type { EntryVersion, ShardId } from '@memgrid/protocol';

/** A write that a node keeps because no log has it, as an operator may look at it. */
export interface OrphanStatus {
  readonly shard: ShardId;
  /** Names it on its node. */
  readonly orphan: number;
  /**
   * `waiting`: it is offered to the primary, and needs nobody. `parked`: it came after deletes of
   * its time were forgotten, so only somebody who looks at it can tell whether it still counts.
   */
  readonly state: 'waiting' | 'parked';
  readonly namespace: string;
  /** The entry's id. */
  readonly key: string;
  readonly kind: 'put' | 'update' | 'delete';
  /** As its caller was told: several nodes may keep the same write. */
  readonly version: EntryVersion;
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAt: number;
  /** Bytes of `entryBodyField`; empty for a delete. */
  readonly entry: Uint8Array;
  /** What it takes on disk. */
  readonly bytes: number;
}

/** What an operator asks about the orphans of one node. */
export type OrphanRequest =
  /** Up to `limit` of them, those that are parked first, by shard. */
  | { readonly kind: 'listOrphans'; readonly limit: number }
  /** Writes a parked one again, as a new write of now beside whatever its key holds. */
  | { readonly kind: 'mergeOrphan'; readonly orphan: number }
  /** Forgets a parked one: nobody will ever read it. */
  | { readonly kind: 'dropOrphan'; readonly orphan: number };

export type OrphanReply =
  | {
      readonly kind: 'orphans';
      readonly orphans: readonly OrphanStatus[];
      /** Of all, also of those beyond the limit. */
      readonly parked: number;
      readonly waiting: number;
    }
  /** Durable. It is offered to the primary under another number, until that has merged it. */
  | { readonly kind: 'orphanMerging'; readonly orphan: number; readonly version: EntryVersion }
  /** Durable. */
  | { readonly kind: 'orphanDropped'; readonly orphan: number }
  | { readonly kind: 'orphanRefused'; readonly reason: OrphanRefusal };

export type OrphanRefusal =
  /** No orphan of this node has the number: it was merged or dropped before, or never was. */
  | 'absent'
  /** It is offered to the primary, which will take it. */
  | 'waiting'
  /** Its time is over: nobody could read it. */
  | 'expired';
