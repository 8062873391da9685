import type { Message } from './messages/message.ts';

export type MessageType = Message['type'];

/**
 * The number of each message type on the wire. A number is never changed and never used again,
 * not even after its message is gone.
 *
 * Ranges, so that related messages sit together: 1-15 handshake, 16-31 membership, 32-39
 * reachability, 40-63 election, 64-79 control feed and founding. 80-111 data, 136-151 logs,
 * 152-167 streams. Reserved: 112-127 transactions, 128-135 hints, 168-183 healing, 184-191 outbox,
 * 192-207 operators.
 */
export const MESSAGE_TYPES = {
  hello: 1,
  helloAck: 2,
  reject: 3,
  bye: 4,
  wrongGeneration: 5,

  ping: 16,
  ack: 17,
  pingReq: 18,
  indirectAck: 19,
  nack: 20,
  gossip: 21,
  pushPullReq: 22,
  pushPullResp: 23,
  refused: 24,

  rows: 32,

  preVote: 40,
  preVoteResp: 41,
  vote: 42,
  voteResp: 43,
  append: 44,
  appendResp: 45,
  heartbeat: 46,
  heartbeatResp: 47,
  snapshotChunk: 48,
  snapshotResp: 49,
  readIndex: 50,
  readIndexResp: 51,
  timeoutNow: 52,
  propose: 53,
  proposeResp: 54,

  configPull: 64,
  configDelta: 65,
  configSnapshot: 66,
  epochNack: 67,
  discover: 68,
  foundRequest: 69,
  foundResp: 70,
  foundCommit: 71,

  operations: 80,
  answers: 81,
  replicate: 82,
  replicateAck: 83,
  promise: 84,
  promiseAck: 85,
  shardNack: 86,
  epochPing: 87,
  epochPong: 88,
  keyQuery: 89,
  keyQueryResp: 90,
  offerOrphan: 91,
  orphanTaken: 92,
  shardReports: 93,

  logPull: 136,
  logSuffix: 137,
  relay: 138,
  relayResp: 139,

  streamOpen: 152,
  streamChunk: 153,
  streamAck: 154,
  streamRefused: 155,
} as const satisfies Record<MessageType, number>;

/** The handshake's types: readable by every version for ever, or no version could be agreed on. */
export const HANDSHAKE_TYPE_MAX = 15;
