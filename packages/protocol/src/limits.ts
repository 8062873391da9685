/**
 * Every bound that both sides of a connection rely on. Part of the wire contract: a value may
 * grow in a new protocol version, never shrink.
 */
export const LIMITS = {
  /** One frame on the control connection: small enough that heartbeats never wait for long. */
  controlFrameBytesMax: 256 * 1024,
  /** One frame on the bulk connection. */
  bulkFrameBytesMax: 4 * 1024 * 1024,
  /** Messages in one frame. */
  frameMessagesMax: 4096,
  /** The encoded `MemberMeta`: it is repeated in gossip, so it must stay small. */
  memberMetaBytesMax: 512,
  /** Gossip carried by one SWIM packet (the memberlist default is 1400 B for a UDP packet). */
  gossipBytesMax: 1200,
  /** Rumours in one message. */
  memberUpdatesMax: 2048,
  /** `host:port`. */
  addressBytesMax: 128,
  zoneBytesMax: 64,
  featureNameBytesMax: 48,
  featuresMax: 64,
  /** One control command, encoded. */
  commandBytesMax: 64 * 1024,
  /** Entries in one Raft append, and their encoded bytes. */
  appendEntriesMax: 64,
  appendBytesMax: 64 * 1024,
  /** One slice of a snapshot. */
  snapshotChunkBytesMax: 128 * 1024,
  /** A whole control-state snapshot. */
  snapshotBytesMax: 64 * 1024 * 1024,
  /** Members of the control group. */
  votersMax: 7,
  learnersMax: 16,
  /** Nodes that may found a cluster together. */
  foundingPeersMax: 64,
  seedsMax: 64,
  /** Committed commands in one answer to a pull. */
  deltaCommandsMax: 256,
  /** Relative capacity of a member; 100 is ordinary. */
  weightMax: 10_000,
  rowsMax: 256,
  rowMembersMax: 1024,
  /** Problems listed in one error. */
  problemsMax: 64,
  /** A sentence for people: longer ones are cut when sent. */
  detailBytesMax: 512,
  /** The details of one error, encoded: 64 sentences and their headers. */
  errorDetailsBytesMax: 40 * 1024,

  /** One frame between a client and a node. */
  clientFrameBytesMax: 4 * 1024 * 1024,
  /** Operations or answers in one message. */
  operationsMax: 1024,
  /** One message of operations, of answers or of a feed, encoded. */
  operationsBytesMax: 2 * 1024 * 1024,
  /** What a client calls itself, and its version. */
  clientNameBytesMax: 64,

  /** The id of an entry, whoever made it. */
  entryIdBytesMax: 128,
  namespaceBytesMax: 64,
  /** A user, agent, application or run. */
  scopePartBytesMax: 256,
  /** A UUID as text. */
  operationIdBytesMax: 36,
  contentBytesMax: 64 * 1024,
  /** Metadata as canonical JSON. */
  metadataBytesMax: 16 * 1024,
  /** A whole entry, encoded; also one patch. */
  entryBytesMax: 256 * 1024,
  categoryBytesMax: 64,
  categoriesMax: 32,
  schemaNameBytesMax: 64,
  /** The id or the hash by which mem0 knows an entry. */
  upstreamIdBytesMax: 128,
  /** Losing sides of merges that an entry keeps. */
  supersededMax: 8,
  /** Objects and lists in one another, in metadata and patches. */
  jsonDepthMax: 32,
  /** Actors in one version vector: one to three are usual. */
  actorsMax: 256,
  /** Concurrent values of one key: merged by policy above 8. */
  siblingsMax: 64,
  /** All that is known of one key, encoded: must fit a frame with its record around it. */
  entryStateBytesMax: 3 * 1024 * 1024,
  /** One log record, encoded. */
  recordBytesMax: 3 * 1024 * 1024 + 4096,
  /** Entries of one page of a list. */
  listEntriesMax: 1000,
  /** Steps of one history. */
  historyStepsMax: 1000,

  /** Shards of a cluster, and so of one message. */
  shardsMax: 4096,
  /** Replicas of one shard. */
  replicasMax: 7,
  /** Records for one shard in one message. */
  recordsMax: 1024,
  /** Reports of shards in one message. */
  shardReportsMax: 256,
  /** Entries, or remembered operations, in one chunk of a stream. */
  chunkEntriesMax: 256,
  /** Entries that are fetched again because they were damaged, in one request. */
  streamKeysMax: 256,
  /** Members that a client is told of. */
  placementNodesMax: 1024,
  /** Changes in one message of a feed. */
  feedChangesMax: 1024,
} as const;
