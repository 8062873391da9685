import type { Channel, Generation, Message, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { LinkId } from '../node-io.ts';

/** We asked for a connection and wait for the operating system. */
export interface DiallingLink {
  readonly stage: 'dialling';
  readonly id: LinkId;
  readonly address: string;
  readonly channel: Channel;
  readonly expected: NodeId | undefined;
  readonly deadline: Instant;
}

/** Connected; our Hello is out and its answer is not here yet. */
export interface GreetingLink {
  readonly stage: 'greeting';
  readonly id: LinkId;
  readonly address: string;
  readonly channel: Channel;
  readonly expected: NodeId | undefined;
  readonly deadline: Instant;
}

/** Somebody connected to us and has not introduced itself yet. */
export interface StrangerLink {
  readonly stage: 'stranger';
  readonly id: LinkId;
  readonly remote: string;
  readonly deadline: Instant;
}

/** Both sides know who the other is. */
export interface PeerLink {
  readonly stage: 'peer';
  readonly id: LinkId;
  readonly channel: Channel;
  readonly peer: NodeId;
  readonly generation: Generation;
  readonly instance: number;
  /** Where the peer accepts connections. */
  readonly address: string;
  readonly version: number;
  readonly dialledByUs: boolean;
  sendSequence: number;
  receiveSequence: number;
  heardAt: Instant;
  bufferedBytes: number;
}

export type LinkState = DiallingLink | GreetingLink | StrangerLink | PeerLink;

/** What is known about one peer, linked or not. */
export interface PeerState {
  control: PeerLink | undefined;
  bulk: PeerLink | undefined;
  /** Kept until the control link is made; dropped when that fails. */
  waiting: Message[];
  /** Too big for the control link: kept until the bulk link is made. */
  heavy: Message[];
}

/**
 * What may be big, or much. Of what is said about entries only the promises, the pings and the
 * reports take the control link: they are small, and others wait for them.
 */
const BULK_MESSAGES: ReadonlySet<Message['type']> = new Set([
  'snapshotChunk',
  'configSnapshot',
  'configDelta',
  'pushPullResp',
  'operations',
  'answers',
  'replicate',
  'replicateAck',
  'logPull',
  'logSuffix',
  'keyQuery',
  'keyQueryResp',
  'relay',
  'relayResp',
  'offerOrphan',
  'orphanTaken',
  'streamOpen',
  'streamChunk',
  'streamAck',
  'streamRefused',
]);

const GOSSIP_MESSAGES: ReadonlySet<Message['type']> = new Set([
  'gossip',
  'rows',
  'pushPullReq',
  'pushPullResp',
  'discover',
]);

const LEADER_MESSAGES: ReadonlySet<Message['type']> = new Set([
  'append',
  'heartbeat',
  'snapshotChunk',
  'timeoutNow',
]);

/**
 * What only a leader may say. It must not wait for a link: by the time there is one the sender may
 * have stepped down, and a leader that lost its quorum has to be silent (`../election`).
 */
export function isLeaders(message: Message): boolean {
  return LEADER_MESSAGES.has(message.type);
}

/** Big messages take the bulk connection, so that a heartbeat never waits behind them. */
export function isBulk(message: Message): boolean {
  return BULK_MESSAGES.has(message.type);
}

/**
 * Bulk that its sender sends again, so that a full link may drop it. Operations and their answers are
 * sent once: a dropped one would leave its caller waiting for nothing. Their bytes are bounded where
 * they are let in.
 */
export function isRepeated(message: Message): boolean {
  return isBulk(message) && message.type !== 'operations' && message.type !== 'answers';
}

/** Messages that lose their worth while they wait. */
export function isGossip(message: Message): boolean {
  return GOSSIP_MESSAGES.has(message.type);
}
