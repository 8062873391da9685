import type { Message } from '@memgrid/protocol';
import type { WorldEvent } from './world-event.ts';

export type TrafficClass =
  | 'membership'
  | 'reachability'
  | 'election'
  | 'control'
  | 'handshake'
  | 'data';

/** Messages and what they were for: exact, because they are counted and not timed. */
export class Traffic {
  readonly counts: Record<TrafficClass, number> = {
    membership: 0,
    reachability: 0,
    election: 0,
    control: 0,
    handshake: 0,
    data: 0,
  };

  readonly observe = (event: WorldEvent): void => {
    if (event.kind === 'sent') this.counts[CLASSES[event.envelope.message.type]] += 1;
  };

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}

const CLASSES: Readonly<Record<Message['type'], TrafficClass>> = {
  hello: 'handshake',
  helloAck: 'handshake',
  reject: 'handshake',
  bye: 'handshake',
  wrongGeneration: 'handshake',
  ping: 'membership',
  ack: 'membership',
  pingReq: 'membership',
  indirectAck: 'membership',
  nack: 'membership',
  gossip: 'membership',
  pushPullReq: 'membership',
  pushPullResp: 'membership',
  refused: 'membership',
  rows: 'reachability',
  preVote: 'election',
  preVoteResp: 'election',
  vote: 'election',
  voteResp: 'election',
  append: 'election',
  appendResp: 'election',
  heartbeat: 'election',
  heartbeatResp: 'election',
  snapshotChunk: 'election',
  snapshotResp: 'election',
  readIndex: 'election',
  readIndexResp: 'election',
  timeoutNow: 'election',
  propose: 'election',
  proposeResp: 'election',
  configPull: 'control',
  configDelta: 'control',
  configSnapshot: 'control',
  epochNack: 'control',
  discover: 'control',
  foundRequest: 'control',
  foundResp: 'control',
  foundCommit: 'control',
  operations: 'data',
  answers: 'data',
  replicate: 'data',
  replicateAck: 'data',
  promise: 'data',
  promiseAck: 'data',
  shardNack: 'data',
  epochPing: 'data',
  epochPong: 'data',
  keyQuery: 'data',
  keyQueryResp: 'data',
  offerOrphan: 'data',
  orphanTaken: 'data',
  shardReports: 'data',
  logPull: 'data',
  logSuffix: 'data',
  relay: 'data',
  relayResp: 'data',
  streamOpen: 'data',
  streamChunk: 'data',
  streamAck: 'data',
  streamRefused: 'data',
};
