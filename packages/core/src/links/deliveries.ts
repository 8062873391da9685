import type { Message, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import {
  isBulk,
  isGossip,
  isLeaders,
  isRepeated,
  type PeerLink,
  type PeerState,
} from './link-state.ts';
import { LINKS } from './links-io.ts';
import type { LinksOutbox } from './links-outbox.ts';
import { isHeavy } from './message-size.ts';
import type { PeerTable } from './peer-table.ts';

export interface DeliveriesOptions {
  readonly peers: PeerTable;
  readonly outbox: LinksOutbox;
  /** The bulk link of a connected peer was reset or never made. */
  readonly renewBulk: (now: Instant, control: PeerLink) => void;
}

/** Which link a message takes, what waits for one, and what is dropped instead. */
export class Deliveries {
  readonly #peers: PeerTable;
  readonly #outbox: LinksOutbox;
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.#peers = options.peers;
    this.#outbox = options.outbox;
  }

  /** False when there is no link to this peer. A message dropped under pressure counts as sent. */
  send(now: Instant, to: NodeId, message: Message): boolean {
    const state = this.#peers.get(to);
    if (state?.control === undefined) return false;
    if (isBulk(message) && state.bulk === undefined) this.#options.renewBulk(now, state.control);
    const link = isBulk(message) && state.bulk !== undefined ? state.bulk : state.control;
    // The control link refuses frames that the bulk link takes, and heartbeats would wait behind it.
    if (link.channel === 'control' && isHeavy(message)) {
      this.#keepHeavy(state, to, message);
      return true;
    }
    const overGossip = link.bufferedBytes > LINKS.gossipBufferedBytesMax && isGossip(message);
    const overBulk = link.bufferedBytes > LINKS.bulkBufferedBytesMax && isRepeated(message);
    if (overGossip || overBulk) this.#dropped(to, 'pressure');
    else this.#outbox.transmit(link, message);
    return true;
  }

  /** Keeps a message until there is a link, if it is of any use by then. */
  keep(to: NodeId, message: Message): void {
    const state = this.#peers.of(to);
    if (isHeavy(message)) this.#dropped(to, 'noLink');
    else if (!isLeaders(message)) state.waiting.push(message);
    if (state.waiting.length <= LINKS.waitingMessagesMax) return;
    state.waiting.shift();
    this.#dropped(to, 'noLink');
  }

  /** There is a control link now. */
  sendWaiting(now: Instant, to: NodeId): void {
    const state = this.#peers.of(to);
    const { waiting } = state;
    state.waiting = [];
    for (const message of waiting) this.send(now, to, message);
  }

  /** There is a bulk link now. */
  sendHeavy(link: PeerLink): void {
    for (const message of this.#peers.of(link.peer).heavy.splice(0)) {
      this.#outbox.transmit(link, message);
    }
  }

  /** There will be no link. */
  forget(peer: NodeId): void {
    const state = this.#peers.get(peer);
    if (state === undefined) return;
    if (state.waiting.length > 0) this.#dropped(peer, 'noLink');
    state.waiting = [];
    this.#peers.forgetIfIdle(peer);
  }

  #keepHeavy(state: PeerState, to: NodeId, message: Message): void {
    state.heavy.push(message);
    if (state.heavy.length <= LINKS.heavyMessagesMax) return;
    state.heavy.shift();
    this.#dropped(to, 'noLink');
  }

  #dropped(peer: NodeId, reason: 'noLink' | 'pressure'): void {
    this.#outbox.event({ name: 'send.dropped', peer, reason });
  }
}
