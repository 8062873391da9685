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
} as const;
