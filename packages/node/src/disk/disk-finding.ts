import type { ShardId } from '@memgrid/protocol';

/** What was wrong with the directory at start and has been dealt with. */
export type DiskFinding =
  /** One entry can not be believed; everything else of its shard can. It is still in place. */
  | {
      readonly kind: 'damagedEntry';
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
      readonly problem: string;
    }
  /** All records of the shard were removed but its orphans; `lostShardKey` says so for good. */
  | {
      readonly kind: 'lostShard';
      readonly shard: ShardId;
      readonly problem: string;
      readonly recordCount: number;
    }
  /** A write that only this node had, and has no more. */
  | { readonly kind: 'lostOrphan'; readonly shard: ShardId; readonly problem: string };
