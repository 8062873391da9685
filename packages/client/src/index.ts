export { connect } from './connect.ts';
export { ClusterError, isClusterError, LIMITS } from '@memgrid/protocol';
export type {
  Applied,
  ClusterId,
  Durability,
  ErrorCode,
  ErrorDetails,
  JsonObject,
  JsonValue,
  NodeId,
  ReadLevel,
  Retry,
  SyncClass,
} from '@memgrid/protocol';
export type { BatchItem, BatchResult } from './batch.ts';
export type {
  CallOptions,
  ChangeOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  ReadOptions,
  WatchOptions,
  WriteOptions,
} from './call-options.ts';
export type {
  ConnectOptions,
  HedgeOptions,
  Logger,
  NearCacheOptions,
  QueueOptions,
  RetryOptions,
  TlsOptions,
} from './connect-options.ts';
export type {
  Count,
  Entry,
  EntryPatch,
  EntryRef,
  EntryShape,
  Found,
  FoundSource,
  History,
  HistoryItem,
  Listed,
  MetadataPatch,
  NewEntry,
  Owner,
  Page,
  Saved,
  SchemaRef,
  SupersededContent,
  Upstream,
  WatchItem,
} from './entry.ts';
export type { Grid, Namespace, Watch, WatchFilter } from './grid.ts';
export type { ConnectedNode, GridStatus } from './grid-status.ts';
