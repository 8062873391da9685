import type {
  Answer,
  DataMessage,
  EntryVersion,
  Generation,
  NodeId,
  Operation,
  ShardConfig,
  ShardEpoch,
  ShardId,
  ShardPosition,
  ShardReport,
  Timestamp,
} from '@memgrid/protocol';
import type { EntryTable, StoredEntry } from '../entries/entry-table.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { OrphanReply, OrphanRequest } from './orphans-io.ts';

/** Names one operation handed in; its answer carries it back. Counted by whoever hands in. */
export type OperationToken = number;

export interface LocalOperation {
  readonly token: OperationToken;
  readonly operation: Operation;
  /** This node has decoded and encoded the entry itself: nobody has to look again whether it is one. */
  readonly admitted?: boolean;
}

/** Messages between the replicas of a shard. Operations and answers go through the gateway. */
export type ShardMessage = Exclude<
  DataMessage,
  { readonly type: 'operations' | 'answers' | 'shardReports' }
>;

/** What happened to a value that was asked from disk. */
export type LoadResult =
  | { readonly kind: 'loaded'; readonly entry: StoredEntry }
  | { readonly kind: 'absent' }
  /** Its checksum does not match: it is quarantined and fetched from a replica. */
  | { readonly kind: 'damaged'; readonly problem: string };

/** All shards that one node holds, as one machine. */
export type ShardsInput =
  /** Configurations that were committed: all at first, then those that changed. */
  | { readonly kind: 'configs'; readonly configs: readonly ShardConfig[] }
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: ShardMessage }
  /** For this node as primary or as replica; everything else is refused with a hint. */
  | { readonly kind: 'operations'; readonly operations: readonly LocalOperation[] }
  | { readonly kind: 'stored'; readonly ticket: Ticket }
  | { readonly kind: 'loaded'; readonly ticket: Ticket; readonly result: LoadResult }
  /** The background scrub found a stored entry that fails its checksum. */
  | {
      readonly kind: 'damaged';
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
      readonly problem: string;
    }
  /** An operator asks about writes that no log has; answered with an `orphans` of the same token. */
  | { readonly kind: 'orphans'; readonly token: OperationToken; readonly ask: OrphanRequest }
  /** Gossip's verdict: routing only. Itself included. */
  | { readonly kind: 'alive'; readonly nodes: ReadonlySet<NodeId> }
  | { readonly kind: 'peerReset'; readonly peer: NodeId };

/** One committed change at this replica, for watches and near caches. In order of index. */
export interface AppliedChange {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly index: number;
  /** `storedKey`; '' for what names no entry. */
  readonly key: string;
  /** `unknown`: whatever changed since the last one told here, up to this index, was not seen. */
  readonly kind: 'put' | 'update' | 'delete' | 'none' | 'unknown';
  readonly version: EntryVersion | undefined;
  /** Bytes of `entryBodyField` of the winner; empty for a delete. */
  readonly entry: Uint8Array;
}

export type ShardsEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ShardMessage }
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      /** False: told when the operating system has it. */
      readonly durable: boolean;
    }
  /** Reads one stored entry back: answered with `loaded`. */
  | {
      readonly kind: 'load';
      readonly ticket: Ticket;
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
    }
  | { readonly kind: 'answer'; readonly token: OperationToken; readonly answer: Answer }
  | { readonly kind: 'orphans'; readonly token: OperationToken; readonly reply: OrphanReply }
  | { readonly kind: 'applied'; readonly changes: readonly AppliedChange[] }
  /** Changed reports of shards whose primary this node is. */
  | { readonly kind: 'report'; readonly reports: readonly ShardReport[] }
  | { readonly kind: 'event'; readonly event: ShardEvent };

export type ShardEvent =
  | { readonly name: 'shard.activated'; readonly shard: ShardId; readonly epoch: ShardEpoch }
  | { readonly name: 'shard.fenced'; readonly shard: ShardId; readonly epoch: ShardEpoch }
  | {
      readonly name: 'shard.truncated';
      readonly shard: ShardId;
      readonly from: number;
      readonly records: number;
    }
  | {
      readonly name: 'shard.streamed';
      readonly shard: ShardId;
      readonly from: NodeId;
      readonly entries: number;
    }
  | { readonly name: 'shard.dropped'; readonly shard: ShardId; readonly entries: number }
  | {
      readonly name: 'entry.quarantined';
      readonly shard: ShardId;
      readonly key: string;
      readonly problem: string;
    }
  | { readonly name: 'entry.refetched'; readonly shard: ShardId; readonly key: string }
  | { readonly name: 'orphan.merged'; readonly shard: ShardId }
  | { readonly name: 'orphan.parked'; readonly shard: ShardId; readonly detail: string }
  | { readonly name: 'orphan.dropped'; readonly shard: ShardId; readonly detail: string }
  | {
      readonly name: 'shard.collected';
      readonly shard: ShardId;
      readonly tombstones: number;
    };

/** What a patch or a new entry must satisfy beyond the limits: see `schemas`. */
export interface EntryRules {
  /**
   * The entry that `patch` makes of `entry`, valid by its schema.
   *
   * @param schemaVersion the version that the patch speaks of; the committed one unless told.
   * @returns bytes of `entryBodyField`, or what is wrong, with paths.
   */
  patched(
    entry: Uint8Array,
    patch: Uint8Array,
    nowMs: number,
    schemaVersion?: number,
  ):
    | { readonly kind: 'entry'; readonly entry: Uint8Array; readonly expiresAt: number }
    | { readonly kind: 'problems'; readonly problems: readonly string[] };
}

/** What was read back from disk at start: meta, logs, operations, orphans, by key. */
export interface ShardsOptions {
  readonly self: NodeId;
  readonly generation: Generation;
  readonly config: ShardsConfig;
  /** Records under `shard/` (without entries) and `data/`, by key. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Already filled with the entries that were on disk. */
  readonly entries: EntryTable;
  readonly rules: EntryRules;
  /** The node's hybrid clock: each call is later than the one before. */
  readonly tick: () => Timestamp;
  /**
   * Milliseconds since 1970, by which clients make operation ids: it may go back. Without it the
   * hybrid clock counts, which stays ahead for as long as the system's clock once was.
   */
  readonly wallMs?: () => number;
  readonly random: Random;
  readonly now: Instant;
}

/** Every number of the replication, with its default and reason in `shards-config.ts`. */
export interface ShardsConfig {
  /** A Replicate without an answer is sent again after this. */
  readonly retryMs: number;
  /** How soon an idle shard tells its replicas the commit. */
  readonly commitDelayMs: number;
  /** Records of one shard in one message to a replica. */
  readonly messageRecordsMax: number;
  /** Records kept for replicas that lag, a shard; and bytes, a node. */
  readonly logRecordsMax: number;
  readonly logBytesMax: number;
  /** How long outcomes are remembered, a shard; and how many bytes of them, a node. */
  readonly operationWindowMs: number;
  readonly operationBytesMax: number;
  readonly collectAfterMs: number;
  readonly reportMs: number;
  readonly streamChunkEntries: number;
  readonly streamChunkBytes: number;
  readonly streamCredit: number;
  readonly streamBytesPerSecond: number;
  readonly streamsMax: number;
  readonly dotLease: number;
  /** Operations that wait in one shard, and their bytes; more are refused as OVERLOADED. */
  readonly waitingOperationsMax: number;
  readonly waitingBytesMax: number;
}

/** A shard as a status page or a checker may look at it. */
export interface ShardStatus {
  readonly shard: ShardId;
  readonly config: ShardConfig | undefined;
  readonly promised: ShardEpoch;
  readonly role: 'primary' | 'replica' | 'none';
  readonly active: boolean;
  readonly complete: boolean;
  /** Where its entries are: of the two slots of a shard the one that a stream does not fill. */
  readonly slot: number;
  readonly last: ShardPosition;
  readonly commit: number;
  readonly applied: number;
  readonly entries: number;
}

/** The copies of a node, counted. */
export interface ShardTotals {
  /** Shards that this node serves as their primary, and those that it is still to serve. */
  readonly active: number;
  readonly inactive: number;
  readonly replicas: number;
  /** Copies that are not whole yet. */
  readonly incomplete: number;
  readonly entries: number;
}

/** What an installation or a test changes of the defaults. */
export type ShardsOptionsOverride = Partial<ShardsConfig>;
