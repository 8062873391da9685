export { after, earliest } from './machine.ts';
export type { Instant, Machine } from './machine.ts';
export { InvariantError, invariant, unreachable } from './assert.ts';
export type { Clock } from './clock.ts';
export { Driver } from './driver.ts';
export type { DriverOptions, Scheduler } from './driver.ts';
export { Random } from './random.ts';
export type * from './node-io.ts';
export type * from './gateway/gateway-io.ts';
export { GATEWAY_LIMITS } from './gateway/gateway-limits.ts';
export type * from './shards/orphans-io.ts';
export type * from './shards/shards-io.ts';
export { Shards } from './shards/shards.ts';
export { SHARDS_DEFAULTS, shardsConfig } from './shards/shards-config.ts';
export type * from './entries/entry-table.ts';
export { MemoryEntryTable } from './entries/memory-entry-table.ts';
export type { MemoryEntryTableOptions } from './entries/memory-entry-table.ts';
export { SlabEntryTable } from './entries/slab-entry-table.ts';
export type { SlabEntryTableOptions } from './entries/slab-entry-table.ts';
export {
  entryKey,
  entryKeyPrefix,
  isEntryKey,
  isOrphanKey,
  parseEntryKey,
  shardKeyPrefix,
  shardOfKey,
} from './entries/entry-keys.ts';
export type { EntryKey } from './entries/entry-keys.ts';
export { decodeStoredEntry, encodeStoredEntry } from './entries/stored-entry.ts';
export { plainEntryRules } from './node/plain-entry-rules.ts';
export { SchemaEntryRules } from './schema-registry/schema-entry-rules.ts';
export type {
  CompileSchema,
  RuledEntry,
  SchemaEntryRulesOptions,
  ShownEntry,
  SchemaValidator,
} from './schema-registry/schema-entry-rules.ts';
export { EMPTY_REGISTRY, SchemaRegistry } from './schema-registry/schema-registry.ts';
export type {
  NamespaceSchema,
  SchemaImage,
  SchemaRegistryImage,
} from './schema-registry/schema-registry.ts';
export type { RequestId } from './request-id.ts';
export type { StoreOperation, Ticket } from './store-operation.ts';
export type * from './node-event.ts';
export type * from './membership/membership-io.ts';
export { Membership } from './membership/membership.ts';
export type { MembershipSelf, MembershipStart } from './membership/membership-parts.ts';
export {
  LAN as MEMBERSHIP_LAN,
  LOCAL as MEMBERSHIP_LOCAL,
  WAN as MEMBERSHIP_WAN,
  membershipConfig,
} from './membership/membership-config.ts';
export type { MembershipConfig, MembershipOptions } from './membership/membership-config.ts';
export { leaveLock } from './membership/leave-key.ts';
export type * from './election/election-io.ts';
export { Election } from './election/election.ts';
export {
  electionConfig,
  electionConfigProblems,
  LAN as ELECTION_LAN,
  LOCAL as ELECTION_LOCAL,
  WAN as ELECTION_WAN,
} from './election/election-config.ts';
export type { ElectionConfig, ElectionOptions } from './election/election-config.ts';
export {
  forceRecoveredRecord,
  initialRecord,
  recordOperations,
  recoverElection,
} from './election/recover.ts';
export type { FoundingState } from './election/recover.ts';
export type * from './reachability/reachability-io.ts';
export { Reachability } from './reachability/reachability.ts';
export type { ReachabilityStart } from './reachability/reachability.ts';
export { reachabilityConfig } from './reachability/reachability-config.ts';
export type {
  ReachabilityConfig,
  ReachabilityOptions,
} from './reachability/reachability-config.ts';
export { NodeMachine } from './node-machine.ts';
export type { Digest } from './digest.ts';
export type { NodeMachineOptions } from './node/node-machine-io.ts';
export type * from './planner/planner-io.ts';
export { PLANNER } from './planner/planner-config.ts';
export { drainProgress, moveProgress } from './planner/progress.ts';
export type { DrainProgress, MoveProgress, NodeMoves } from './planner/progress.ts';
export type * from './node-status.ts';
export { prepareForceRecovery } from './node/force-recovery.ts';
export type { ForceRecovery } from './node/force-recovery.ts';
export type * from './session/session-io.ts';
export { Session } from './session/session.ts';
export type { SessionOptions } from './session/session.ts';
export { SESSION_DEFAULTS, sessionConfigProblems } from './session/session-config.ts';
export type { SessionConfig } from './session/session-config.ts';
export { NumberedItems } from './numbered-items.ts';
export { isPermitted } from './session/near-entry.ts';
export type { NearEntry, NearStore } from './session/near-entry.ts';
export type { WatchPosition } from './session/watch-position.ts';
export { ListScan } from './session/list-scan.ts';
export type { ScanAnswer, ScanPlace, ScanRequest } from './session/list-scan.ts';
