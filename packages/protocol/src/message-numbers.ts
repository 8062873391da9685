import type { Message } from './messages/message.ts';

export type MessageType = Message['type'];

/**
 * The number of each message type on the wire. A number is never changed and never used again,
 * not even after its message is gone.
 *
 * Ranges, so that related messages sit together: 1-15 handshake, 16-31 membership, 32-39
 * reachability, 40-63 election, 64-79 control feed and founding. Reserved: 80-111 data, 112-127
 * transactions, 128-135 hints, 136-151 sync, 152-167 moves, 168-183 healing, 184-191 outbox,
 * 192-207 operations.
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
} as const satisfies Record<MessageType, number>;

/** The handshake's types: readable by every version for ever, or no version could be agreed on. */
export const HANDSHAKE_TYPE_MAX = 15;
