import {
  answerHello,
  checkHelloAck,
  type Channel,
  type Envelope,
  type Generation,
  type HandshakeSelf,
  type Hello,
  type HelloAck,
  type Message,
  type NodeId,
  type Reject,
} from '@memgrid/protocol';
import { after, type Instant, type Machine } from '../machine.ts';
import type { DialProblem, LinkId } from '../node-io.ts';
import type { Random } from '../random.ts';
import { Deliveries } from './deliveries.ts';
import { Dials } from './dials.ts';
import { problemWithEnvelope } from './envelope-checks.ts';
import { KnownStarts } from './known-starts.ts';
import { PeerTable } from './peer-table.ts';
import { problemWithNewcomer, isWorseThan } from './rivalry.ts';
import type {
  DiallingLink,
  GreetingLink,
  LinkState,
  PeerLink,
  StrangerLink,
} from './link-state.ts';
import { LINKS, type LinksEffect, type LinksInput } from './links-io.ts';
import { LinksOutbox } from './links-outbox.ts';

export interface LinksOptions {
  readonly self: HandshakeSelf;
  readonly random: Random;
}

/** What both greetings tell about the other side. */
interface PeerFacts {
  readonly peer: NodeId;
  readonly generation: Generation;
  readonly instance: number;
  readonly address: string;
  readonly version: number;
}

/**
 * Turns connections into authenticated links to peers: handshakes, one control and one bulk link
 * a pair, and the checks that every message passes before a protocol sees it. See DESIGN.md.
 */
export class Links implements Machine<LinksInput, LinksEffect> {
  #self: HandshakeSelf;
  readonly #dials: Dials;
  readonly #links = new Map<LinkId, LinkState>();
  readonly #peers = new PeerTable();
  readonly #starts = new KnownStarts();
  readonly #outbox: LinksOutbox;
  readonly #deliveries: Deliveries;
  #closed = false;

  constructor(options: LinksOptions) {
    this.#self = options.self;
    this.#dials = new Dials(options.random);
    this.#outbox = new LinksOutbox(options.self.protocolMin);
    this.#deliveries = new Deliveries({
      peers: this.#peers,
      outbox: this.#outbox,
      renewBulk: (now, control) => this.#renewBulk(now, control),
    });
  }

  get wakeAt(): Instant | undefined {
    let soonest: Instant | undefined;
    for (const link of this.#links.values()) {
      if (link.stage === 'peer') continue;
      if (soonest === undefined || link.deadline < soonest) soonest = link.deadline;
    }
    return soonest;
  }

  /** Peers with a control link, sorted. */
  connectedPeers(): readonly NodeId[] {
    return this.#peers.connected();
  }

  /** When anything last arrived from this peer over its control link. */
  heardAt(peer: NodeId): Instant | undefined {
    return this.#peers.get(peer)?.control?.heardAt;
  }

  /** Peers of which anything is kept, connected or not. */
  get rememberedPeerCount(): number {
    return Math.max(this.#peers.size, this.#starts.count);
  }

  isConnected(peer: NodeId): boolean {
    return this.#peers.isConnected(peer);
  }

  step(now: Instant, input: LinksInput): readonly LinksEffect[] {
    switch (input.kind) {
      case 'linkAccepted':
        this.#accepted(now, input.link, input.remote);
        break;
      case 'linkOpened':
        this.#opened(now, input.link);
        break;
      case 'linkFailed':
        this.#failed(now, input.link, input.problem);
        break;
      case 'linkClosed':
        this.#lost(now, input.link);
        break;
      case 'received':
        this.#received(now, input.link, input.envelope);
        break;
      case 'garbage':
        this.#outbox.refused('garbage', input.problem);
        this.#drop(now, input.link, { reason: 'badMessage', detail: input.problem });
        break;
      case 'unknownMessage':
        this.#outbox.refused('unknownType', `Message type ${input.messageType} is not known here.`);
        break;
      case 'pressure':
        this.#pressure(now, input.link, input.bufferedBytes);
        break;
      case 'deliver':
        this.#deliver(now, input.to, input.address, input.message);
        break;
      case 'connect':
        this.#connect(now, input.address, input.peer);
        break;
      case 'disconnect':
        this.#disconnect(now, input.peer, input.reason);
        break;
      case 'self':
        this.#self = { ...this.#self, clusterId: input.clusterId, groupEpoch: input.groupEpoch };
        break;
      case 'expelled':
        this.#expel(now, input.nodes);
        break;
      case 'close':
        this.#closeAll(input.reason);
        break;
    }
    return this.#outbox.take();
  }

  wake(now: Instant): readonly LinksEffect[] {
    for (const link of [...this.#links.values()]) {
      if (link.stage === 'peer' || link.deadline > now) continue;
      this.#links.delete(link.id);
      this.#outbox.emit({ kind: 'hangUp', link: link.id });
      if (link.stage !== 'stranger') this.#dialEnded(now, link, 'timeout');
    }
    return this.#outbox.take();
  }

  // Making links.

  #connect(now: Instant, address: string, expected: NodeId | undefined): void {
    if (this.#closed || address === '') return;
    if (expected !== undefined && this.isConnected(expected)) return;
    const to = { address, channel: 'control', expected } as const;
    if (!this.#dials.mayBegin(now, to)) return;
    if (expected !== undefined && this.#isTaken(address, expected)) return;
    this.#dial(now, to);
  }

  /**
   * Somebody else is connected from there: a node that lost its directory came back under another
   * id. Dialling would only replace that one's link, every time that its past is looked for.
   */
  #isTaken(address: string, expected: NodeId): boolean {
    return address === this.#self.address || this.#peers.isTakenFrom(expected, address);
  }

  #dial(now: Instant, to: Pick<DiallingLink, 'address' | 'channel' | 'expected'>): void {
    const link = this.#dials.begin(now, to);
    this.#links.set(link.id, link);
    this.#outbox.emit({ kind: 'dial', link: link.id, address: to.address, channel: to.channel });
  }

  #opened(now: Instant, id: LinkId): void {
    const link = this.#links.get(id);
    if (link?.stage !== 'dialling') return;
    const greeting: GreetingLink = {
      stage: 'greeting',
      id,
      address: link.address,
      channel: link.channel,
      expected: link.expected,
      deadline: after(now, LINKS.handshakeMsMax),
    };
    this.#links.set(id, greeting);
    const hello: Hello = { type: 'hello', channel: link.channel, ...this.#self };
    this.#outbox.transmitBare(id, hello);
  }

  #failed(now: Instant, id: LinkId, problem: DialProblem): void {
    const link = this.#links.get(id);
    if (link?.stage !== 'dialling') return;
    this.#links.delete(id);
    this.#dialEnded(now, link, problem);
  }

  /** A dial came to nothing: before it connected, or before the other side said who it is. */
  #dialEnded(
    now: Instant,
    link: { address: string; channel: Channel; expected: NodeId | undefined },
    problem: DialProblem | 'rejected',
  ): void {
    this.#dials.failed(now, link);
    if (link.channel === 'bulk' || link.expected === undefined) return;
    if (this.isConnected(link.expected)) return;
    this.#deliveries.forget(link.expected);
    if (problem === 'refused') this.#outbox.emit({ kind: 'dialRefused', peer: link.expected });
    else this.#outbox.emit({ kind: 'dialFailed', peer: link.expected });
  }

  #accepted(now: Instant, id: LinkId, remote: string): void {
    let strangers = 0;
    for (const link of this.#links.values()) if (link.stage === 'stranger') strangers += 1;
    if (this.#closed || strangers >= LINKS.strangersMax) {
      this.#outbox.emit({ kind: 'hangUp', link: id });
      return;
    }
    const deadline = after(now, LINKS.handshakeMsMax);
    this.#links.set(id, { stage: 'stranger', id, remote, deadline });
  }

  // Handshakes.

  #greet(now: Instant, link: StrangerLink, hello: Hello): void {
    const answer = answerHello(hello, this.#self, this.#starts);
    const reject = answer.kind === 'reject' ? answer.reject : this.#problemWithNewcomer(now, hello);
    if (reject !== undefined) {
      this.#links.delete(link.id);
      this.#outbox.transmitBare(link.id, reject);
      this.#outbox.emit({ kind: 'hangUp', link: link.id });
      this.#outbox.rejected(link.remote, reject);
      return;
    }
    if (answer.kind !== 'accept') return;
    const facts = { ...hello, peer: hello.nodeId, version: answer.ack.version };
    this.#outbox.transmitBare(link.id, answer.ack);
    this.#admit(now, { id: link.id, channel: hello.channel, facts, dialledByUs: false });
    if (hello.channel === 'control') this.#announce(now, facts, hello);
  }

  /**
   * Who answered is not to be spoken to. That an old life of a peer answers, or a copy of one, says
   * nothing about this node; another cluster, or a copy of this node, does.
   */
  #refuseAnswer(
    now: Instant,
    link: GreetingLink,
    { ack, reject }: { ack: HelloAck; reject: Reject },
  ): void {
    this.#outbox.rejected(link.address, reject);
    const aboutUs = ack.nodeId === this.#self.nodeId || reject.reason === 'wrongCluster';
    if (aboutUs) {
      this.#outbox.emit({ kind: 'rejected', address: link.address, ...reasonOf(reject) });
    }
    this.#drop(now, link.id, reject);
  }

  #acknowledged(now: Instant, link: GreetingLink, ack: HelloAck): void {
    const check = checkHelloAck(ack, this.#self, this.#starts);
    if (check.kind === 'reject') {
      this.#refuseAnswer(now, link, { ack, reject: check.reject });
      return;
    }
    this.#dials.answered(link);
    if (link.channel === 'control') {
      this.#outbox.emit({ kind: 'reached', address: link.address, peer: ack.nodeId });
    }
    if (link.expected !== undefined && link.expected !== ack.nodeId) {
      this.#deliveries.forget(link.expected);
      this.#outbox.emit({ kind: 'dialFailed', peer: link.expected });
    }
    const facts = { ...ack, peer: ack.nodeId };
    const rival = this.#peers.get(facts.peer)?.[link.channel];
    if (rival && isWorseThan(now, rival, { ...facts, self: this.#self.nodeId })) {
      this.#links.delete(link.id);
      // The other side counts us as a peer already: this is the second message of a real link.
      this.#outbox.emit({
        kind: 'transmit',
        link: link.id,
        version: facts.version,
        targetGeneration: facts.generation,
        sequence: 2,
        message: { type: 'bye', reason: 'duplicate' },
      });
      this.#outbox.emit({ kind: 'hangUp', link: link.id });
      return;
    }
    this.#admit(now, { id: link.id, channel: link.channel, facts, dialledByUs: true });
    if (link.channel === 'bulk') return;
    this.#announce(now, facts, ack);
    if (this.#peers.get(ack.nodeId)?.bulk === undefined) {
      this.#dial(now, { address: link.address, channel: 'bulk', expected: ack.nodeId });
    }
  }

  #problemWithNewcomer(now: Instant, hello: Hello): Reject | undefined {
    const rival = this.#peers.get(hello.nodeId)?.[hello.channel];
    return rival && problemWithNewcomer(now, { rival, hello, self: this.#self.nodeId });
  }

  #rejected(now: Instant, link: GreetingLink, message: Reject): void {
    this.#links.delete(link.id);
    this.#outbox.emit({ kind: 'hangUp', link: link.id });
    if (message.reason === 'self') {
      this.#outbox.emit({ kind: 'reached', address: link.address, peer: this.#self.nodeId });
      // A seed that is this node itself is no failure; somebody else's address that is now ours is.
      if (link.expected === undefined) {
        this.#dials.ended(link);
        return;
      }
    } else if (message.reason === 'duplicate') {
      // Whoever is there knows us already, over a connection that it dialled itself.
      this.#outbox.emit({ kind: 'reached', address: link.address, peer: undefined });
    } else {
      this.#outbox.rejected(link.address, message);
      this.#outbox.emit({ kind: 'rejected', address: link.address, ...reasonOf(message) });
    }
    this.#dialEnded(now, link, 'rejected');
  }

  #admit(
    now: Instant,
    made: { id: LinkId; channel: Channel; facts: PeerFacts; dialledByUs: boolean },
  ): void {
    const { facts } = made;
    const state = this.#peers.of(facts.peer);
    for (const old of [state.control, state.bulk]) {
      const replaced = old?.channel === made.channel || (old?.generation ?? 0) < facts.generation;
      if (old !== undefined && replaced) this.#replace(old, facts.generation);
    }
    const link: PeerLink = {
      stage: 'peer',
      id: made.id,
      channel: made.channel,
      peer: facts.peer,
      generation: facts.generation,
      instance: facts.instance,
      address: facts.address,
      version: facts.version,
      dialledByUs: made.dialledByUs,
      sendSequence: 1,
      receiveSequence: 1,
      heardAt: now,
      bufferedBytes: 0,
    };
    this.#links.set(made.id, link);
    state[made.channel] = link;
    this.#starts.note(facts.peer, facts);
    if (made.channel === 'bulk') this.#deliveries.sendHeavy(link);
  }

  #replace(old: PeerLink, byGeneration: Generation): void {
    this.#links.delete(old.id);
    this.#outbox.transmit(old, { type: 'bye', reason: 'replaced' });
    this.#outbox.emit({ kind: 'hangUp', link: old.id });
    const state = this.#peers.of(old.peer);
    state[old.channel] = undefined;
    if (old.channel === 'control' && old.generation < byGeneration) {
      this.#outbox.emit({ kind: 'peerDown', peer: old.peer, generation: old.generation });
    }
  }

  #announce(now: Instant, facts: PeerFacts, greeting: Hello | HelloAck): void {
    this.#outbox.emit({
      kind: 'peerUp',
      peer: facts.peer,
      generation: facts.generation,
      address: facts.address,
      clusterId: greeting.clusterId,
      groupEpoch: greeting.groupEpoch,
    });
    this.#outbox.event({ name: 'peer.connected', peer: facts.peer, address: facts.address });
    this.#deliveries.sendWaiting(now, facts.peer);
  }

  // Receiving.

  #received(now: Instant, id: LinkId, envelope: Envelope): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    const { message } = envelope;
    if (link.stage === 'stranger' && message.type === 'hello') this.#greet(now, link, message);
    else if (link.stage === 'greeting' && message.type === 'helloAck') {
      this.#acknowledged(now, link, message);
    } else if (link.stage === 'greeting' && message.type === 'reject') {
      this.#rejected(now, link, message);
    } else if (link.stage === 'peer') this.#fromPeer(now, link, envelope);
    else {
      const detail = `"${message.type}" before the handshake was complete.`;
      this.#outbox.refused('unexpected', detail);
      this.#drop(now, id, { reason: 'badMessage', detail });
    }
  }

  #fromPeer(now: Instant, link: PeerLink, envelope: Envelope): void {
    const problem = problemWithEnvelope(link, envelope, this.#self);
    if (problem !== undefined) {
      this.#outbox.refused(problem.reason, problem.detail);
      // Founded or joined since the handshake, and not ours: there is nothing to talk about.
      if (problem.reason === 'wrongCluster') this.#disconnect(now, link.peer, 'wrongCluster');
      if (problem.reason === 'wrongGeneration') {
        const { generation } = this.#self;
        this.#outbox.transmit(link, { type: 'wrongGeneration', generation });
      }
      return;
    }
    link.receiveSequence = envelope.sequence;
    link.heardAt = now;
    const { message } = envelope;
    switch (message.type) {
      case 'hello':
      case 'helloAck':
      case 'reject':
        this.#outbox.refused('unexpected', `"${message.type}" after the handshake was complete.`);
        return;
      case 'bye':
        this.#lost(now, link.id);
        this.#outbox.emit({ kind: 'hangUp', link: link.id });
        return;
      case 'wrongGeneration':
        this.#outbox.emit({
          kind: 'newGeneration',
          peer: link.peer,
          generation: message.generation,
        });
        return;
      default:
        this.#outbox.emit({
          kind: 'message',
          from: link.peer,
          generation: link.generation,
          envelope,
        });
    }
  }

  // Sending.

  #deliver(now: Instant, to: NodeId, address: string, message: Message): void {
    if (this.#deliveries.send(now, to, message) || this.#closed) return;
    this.#deliveries.keep(to, message);
    this.#connect(now, address, to);
    if (!this.#dials.isUnderWay({ address, channel: 'control' })) this.#deliveries.forget(to);
  }

  /** The bulk link was reset or never made; until there is one its messages take the other. */
  #renewBulk(now: Instant, { address, peer }: PeerLink): void {
    const to = { address, channel: 'bulk', expected: peer } as const;
    if (this.#dials.mayBegin(now, to)) this.#dial(now, to);
  }

  #pressure(now: Instant, id: LinkId, bufferedBytes: number): void {
    const link = this.#links.get(id);
    if (link?.stage !== 'peer') return;
    link.bufferedBytes = bufferedBytes;
    if (bufferedBytes < LINKS.bufferedBytesMax) return;
    this.#outbox.event({ name: 'send.dropped', peer: link.peer, reason: 'pressure' });
    this.#outbox.emit({ kind: 'hangUp', link: id });
    this.#lost(now, id);
  }

  // Ending links.

  /** Tells the other side why, then hangs up. */
  #drop(now: Instant, id: LinkId, why: { reason: Reject['reason']; detail: string }): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    if (link.stage !== 'dialling' && link.stage !== 'peer') {
      this.#outbox.transmitBare(id, reject(why.reason, why.detail));
    }
    this.#outbox.emit({ kind: 'hangUp', link: id });
    this.#lost(now, id);
  }

  #lost(now: Instant, id: LinkId): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    if (link.stage === 'dialling' || link.stage === 'greeting') {
      this.#dialEnded(now, link, 'unreachable');
      return;
    }
    if (link.stage === 'stranger') return;
    const state = this.#peers.get(link.peer);
    if (state?.[link.channel] !== link) return;
    state[link.channel] = undefined;
    if (link.channel === 'bulk') {
      this.#peers.forgetIfIdle(link.peer);
      return;
    }
    state.heavy = [];
    if (state.bulk !== undefined) {
      this.#outbox.emit({ kind: 'hangUp', link: state.bulk.id });
      this.#links.delete(state.bulk.id);
      state.bulk = undefined;
    }
    this.#peers.forgetIfIdle(link.peer);
    this.#outbox.emit({ kind: 'peerDown', peer: link.peer, generation: link.generation });
    this.#outbox.event({ name: 'peer.disconnected', peer: link.peer, address: link.address });
  }

  #disconnect(now: Instant, peer: NodeId, reason: string): void {
    const link = this.#peers.get(peer)?.control;
    if (link === undefined) return;
    this.#outbox.transmit(link, { type: 'bye', reason });
    this.#outbox.emit({ kind: 'hangUp', link: link.id });
    this.#lost(now, link.id);
  }

  #expel(now: Instant, nodes: readonly NodeId[]): void {
    this.#starts.expel(nodes);
    for (const node of nodes) {
      this.#disconnect(now, node, 'expelled');
      this.#peers.remove(node);
    }
  }

  #closeAll(reason: string): void {
    this.#closed = true;
    for (const link of this.#links.values()) {
      if (link.stage === 'peer') this.#outbox.transmit(link, { type: 'bye', reason });
      this.#outbox.emit({ kind: 'hangUp', link: link.id });
    }
    this.#links.clear();
    this.#peers.clear();
    this.#dials.clear();
  }
}

function reject(reason: Reject['reason'], detail: string): Reject {
  return { type: 'reject', reason, detail };
}

function reasonOf(message: { reason: Reject['reason']; detail: string }) {
  return { reason: message.reason, detail: message.detail };
}
