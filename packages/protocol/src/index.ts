export {
  actorId,
  clusterId,
  generation,
  groupEpoch,
  incarnation,
  logIndex,
  nodeId,
  shardId,
  shortId,
  term,
} from './ids.ts';
export type {
  ActorId,
  Brand,
  ClusterId,
  Generation,
  GroupEpoch,
  Incarnation,
  LogIndex,
  NodeId,
  ShardId,
  Term,
} from './ids.ts';
export { LIMITS } from './limits.ts';
export { offerPlatformText } from './wire/platform-text.ts';
export type { PlatformText } from './wire/platform-text.ts';
export { PROTOCOL, PROTOCOL_HISTORY } from './version.ts';
export type { ProtocolVersion } from './version.ts';

export type { Envelope, Timestamp } from './envelope.ts';
export { MESSAGE_TYPES } from './message-numbers.ts';
export type { MessageType } from './message-numbers.ts';
export type {
  Bye,
  Channel,
  HandshakeMessage,
  Hello,
  HelloAck,
  Reject,
  RejectReason,
  WrongGeneration,
} from './messages/handshake.ts';
export { memberMetaBytes, memberMetaField, memberUpdateBytes } from './messages/membership.ts';
export type {
  Ack,
  Gossip,
  IndirectAck,
  Liveness,
  MemberDigest,
  MembershipMessage,
  MemberMeta,
  MemberUpdate,
  Nack,
  Ping,
  PingReq,
  PushPullReq,
  PushPullResp,
  Refused,
} from './messages/membership.ts';
export type { ReachabilityMessage, ReachabilityRow, Rows } from './messages/reachability.ts';
export { groupConfigField, logEntryField } from './messages/election.ts';
export type {
  Append,
  AppendResp,
  ElectionMessage,
  GroupConfig,
  Heartbeat,
  HeartbeatResp,
  LogEntry,
  LogPayload,
  PreVote,
  PreVoteResp,
  Propose,
  ProposeOutcome,
  ProposeResp,
  ReadIndex,
  ReadIndexResp,
  SnapshotChunk,
  SnapshotResp,
  TimeoutNow,
  Vote,
  VoteResp,
} from './messages/election.ts';
export {
  controlCommandField,
  declaredLevelField,
  featureStateField,
  foundingPlanField,
  memberRecordField,
  memberStatusField,
} from './messages/control.ts';
export type {
  CommittedCommand,
  ConfigDelta,
  ConfigPull,
  ConfigSnapshot,
  ControlCommand,
  ControlMessage,
  DeclaredLevel,
  Discover,
  EpochNack,
  FeatureState,
  FoundCommit,
  FoundingPeer,
  FoundingPlan,
  FoundRequest,
  FoundResp,
  MemberRecord,
  MemberStatus,
} from './messages/control.ts';
export type { Message } from './messages/message.ts';

export {
  addEnvelope,
  decodeCommand,
  decodeEnvelope,
  decodeFoundingPlan,
  decodeGroupConfig,
  decodeLogEntry,
  decodeMemberRecord,
  decodeValue,
  encodeCommand,
  encodeEnvelope,
  encodeFoundingPlan,
  encodeGroupConfig,
  encodeLogEntry,
  encodeMemberRecord,
  encodeValue,
} from './codec.ts';
export type { DecodedEnvelope } from './codec.ts';
export {
  addClientMessage,
  CLIENT_MESSAGE_TYPES,
  decodeClientMessage,
  encodeClientMessage,
} from './client-codec.ts';
export type { ClientMessageType, DecodedClientMessage } from './client-codec.ts';
export { frameBytesMax, readFrame } from './frame.ts';
export type { FrameRead } from './frame.ts';
export { FrameReader } from './frame-reader.ts';
export { FrameWriter } from './frame-writer.ts';
export { answerHello, checkHelloAck } from './handshake.ts';
export type { HandshakeKnowledge, HandshakeSelf, HelloAckCheck, HelloAnswer } from './handshake.ts';

export { ERROR_CODES } from './error-codes.ts';
export type { Applied, ErrorCode, ErrorCodeInfo, ErrorDetails, Retry } from './error-codes.ts';
export { ClusterError, isClusterError } from './errors.ts';
export type { ClusterErrorOptions } from './errors.ts';
export { decodeError, encodeError, errorField } from './error-wire.ts';
export { errorOfResult, failedResult } from './operation-failure.ts';
export type { FailedResult, FailureOptions } from './operation-failure.ts';

export {
  answerBytes,
  answerField,
  entryVersionField,
  operationBytes,
  operationField,
  operationResultField,
  scopeField,
  scopePartField,
  shardPositionField,
  syncClassField,
} from './messages/operations.ts';
export type {
  Answer,
  AnswerSource,
  Answers,
  Condition,
  Durability,
  EntryVersion,
  FoundEntry,
  HistoryStep,
  Operation,
  OperationBody,
  OperationResult,
  Operations,
  ReadLevel,
  Scope,
  ShardEpoch,
  ShardPosition,
  SyncClass,
} from './messages/operations.ts';
export { logRecordField } from './messages/replication.ts';
export type {
  DataMessage,
  EpochPing,
  EpochPong,
  KeyQuery,
  KeyQueryResp,
  LogPull,
  LogRecord,
  LogSuffix,
  OfferOrphan,
  OrphanTaken,
  PromiseAck,
  PromiseRequest,
  Relay,
  RelayResp,
  Replicate,
  ReplicateAck,
  ReplicateShard,
  ReplicateShardAck,
  ShardNack,
  ShardPromise,
  ShardReport,
  ShardReports,
  StreamAck,
  StreamChunk,
  StreamOpen,
  StreamRefused,
  StreamedEntry,
  StreamedOperation,
} from './messages/replication.ts';
export type {
  ClientBye,
  ClientHello,
  ClientMessage,
  ClientPing,
  ClientPong,
  ClientRefused,
  ClientWelcome,
  FeedChange,
  FeedChanges,
  FeedClose,
  FeedCredit,
  FeedFilter,
  FeedGap,
  FeedOpen,
  Placement,
  PlacementNode,
  PlacementShard,
} from './messages/client.ts';
export { shardConfigField, shardStageField } from './messages/shards.ts';
export { shardTableField } from './messages/shard-table-field.ts';
export type { ShardConfig, ShardStage } from './messages/shards.ts';
export { canonicalJson } from './entry/canonical-json.ts';
export { bareEntry } from './entry/bare-entry.ts';
export { entryChecksum } from './entry/entry-checksum.ts';
export {
  decodeEntry,
  decodePatch,
  encodeEntry,
  entryBodyField,
  entryPatchField,
  entryStateField,
  recordBodyField,
} from './entry/entry-fields.ts';
export {
  entryIdProblem,
  entryIdOfOperation,
  makeEntryId,
  shardOfId,
  SLICE_COUNT,
  sliceOfId,
} from './entry/entry-id.ts';
export {
  idContradictsOwner,
  shardOfEntry,
  shardOfScope,
  sliceOfEntry,
} from './entry/entry-shard.ts';
export { isVisible, winnerOf } from './entry/entry-state.ts';
export { draftRecord, writeRecordIn } from './entry/record-in-place.ts';
export type { RecordDraft, RecordFrame } from './entry/record-in-place.ts';
export { draftState, soleWriteIn } from './entry/state-in-place.ts';
export type { NewWrite, SoleWrite, StateDraft } from './entry/state-in-place.ts';
export { inSchema, usualEntryIn } from './entry/entry-in-place.ts';
export type { EntryOwner, UsualEntry } from './entry/entry-in-place.ts';
export { jsonObjectField } from './entry/json-field.ts';
export { decodeCursor, encodeCursor } from './entry/list-cursor.ts';
export type { CursorRead, ListPlace } from './entry/list-cursor.ts';
export { mergePatch } from './entry/merge-patch.ts';
export { opaqueRoom, readOpaque, writeOpaque } from './entry/opaque-text.ts';
export type { OpaqueKind, OpaqueRead } from './entry/opaque-text.ts';
export { makeOperationId, operationIdMs } from './entry/operation-id.ts';
export { problemText } from './entry/problem-list.ts';
export type { EntryProblem } from './entry/problem-list.ts';
export { parseStoredKey, storedKey } from './entry/stored-key.ts';
export type { StoredKeyParts } from './entry/stored-key.ts';
export type { RandomBits } from './entry/uuid.ts';
export { writeUsualEntry } from './entry/usual-entry.ts';
export type { WrittenEntry } from './entry/usual-entry.ts';
export { validateEntry } from './entry/validate-entry.ts';
export type { EntryContext, ValidatedEntry } from './entry/validate-entry.ts';
export { patchEntry, validatePatch } from './entry/validate-patch.ts';
export type { PatchedEntry, ValidatedPatch } from './entry/validate-patch.ts';
export type { AllowedCategories, Normalised } from './entry/entry-values.ts';
export { formatVersion, parseVersion } from './entry/version-text.ts';
export type {
  EntryBody,
  EntryState,
  JsonObject,
  JsonValue,
  RecordBody,
  StoredWrite,
  Superseded,
  UpstreamState,
} from './entry/entry.ts';
export { actorIdField } from './causality/actor-field.ts';
export {
  dottedVersionSetField,
  joinSets,
  NEVER_WRITTEN,
  writeSet,
  writeSetBlind,
} from './causality/dotted-version-set.ts';
export type { DottedVersionSet, Sibling } from './causality/dotted-version-set.ts';
export {
  compareDots,
  compareVectors,
  counterOf,
  covers,
  dotField,
  EMPTY_VECTOR,
  mergeVectors,
  versionVectorField,
} from './causality/version-vector.ts';
export type { Dot, VectorOrder, VersionVector } from './causality/version-vector.ts';
export { hash64 } from './placement/hash.ts';
export type { Hash64 } from './placement/hash.ts';
export { placeShards } from './placement/rendezvous.ts';
export type { PlacementConfig, PlacementMember, ShardReplicas } from './placement/rendezvous.ts';
export {
  SHARD_COUNT_DEFAULT,
  SHARD_COUNT_MAX,
  SHARD_COUNT_MIN,
  shardKeyOf,
  shardOf,
  shardOfSlice,
  sliceOf,
} from './placement/shard.ts';
export type { ShardAddress } from './placement/shard.ts';

// The parts to describe a record with, for `encodeValue` and `decodeValue`.
export { copyIntoBlock } from './wire/shared-block.ts';
export { WireError } from './wire/wire-error.ts';
export type { WireValue } from './wire/msgpack.ts';
export {
  ascending,
  bool,
  bytes,
  checked,
  choice,
  integer,
  list,
  measured,
  optional,
  sentence,
  text,
  uint,
  within,
} from './wire/field.ts';
export type { Field } from './wire/field.ts';
export { extensible, extensibleUnion, struct, union } from './wire/struct.ts';
export type { Extensible, FieldsOf, Variant, VariantsOf } from './wire/struct.ts';
export { clusterIdField, nodeIdField } from './wire/id-field.ts';
export {
  countField,
  generationField,
  groupEpochField,
  incarnationField,
  instanceField,
  logIndexField,
  protocolVersionField,
  shardIdField,
  termField,
} from './wire/counters.ts';
export { isPlainName, name } from './wire/name-field.ts';
export { timestampField } from './wire/timestamp-field.ts';
export { fitUtf8, utf8Bytes } from './wire/utf8.ts';

export { compatibility } from './schema/compatibility.ts';
export type { Compatibility } from './schema/compatibility.ts';
export { MEMORY_CATEGORIES, MEMORY_SCHEMA } from './schema/memory-schema.ts';
export { migrate, schemaRoute, stashProblems, validatedValue } from './schema/migrate.ts';
export type { SchemaHop, SchemaRoute } from './schema/migrate.ts';
export type { MigrationStep } from './schema/migration-step.ts';
export { parseSchema } from './schema/parse-schema.ts';
export type { ParsedSchema } from './schema/parse-schema.ts';
export { MERGE_POLICIES, schemaProblemText, SCHEMA_LIMITS, STASH_FIELD } from './schema/schema.ts';
export type {
  EntryDocument,
  EntrySchema,
  MergePolicy,
  SchemaProblem,
  SchemaMigrations,
} from './schema/schema.ts';
export { schemaFingerprint, schemaJson } from './schema/schema-fingerprint.ts';
