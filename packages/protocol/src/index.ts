export {
  clusterId,
  generation,
  groupEpoch,
  incarnation,
  logIndex,
  nodeId,
  shortId,
  term,
} from './ids.ts';
export type {
  Brand,
  ClusterId,
  Generation,
  GroupEpoch,
  Incarnation,
  LogIndex,
  NodeId,
  Term,
} from './ids.ts';
export { LIMITS } from './limits.ts';
export type { Envelope, Timestamp } from './envelope.ts';
export type * from './messages/handshake.ts';
export type * from './messages/membership.ts';
export type * from './messages/reachability.ts';
export type * from './messages/election.ts';
export type * from './messages/control.ts';
export type { Message } from './messages/message.ts';
