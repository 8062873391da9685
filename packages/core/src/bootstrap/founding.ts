import { broken } from '#breaks';
import {
  clusterId,
  LIMITS,
  type ClusterId,
  type Discover,
  type FoundingPeer,
  type FoundingPlan,
  type FoundRequest,
  type FoundResp,
  type MemberRecord,
  type NodeId,
} from '@memgrid/protocol';
import { after, earliest, type Instant, type Machine } from '../machine.ts';
import type { Ticket } from '../store-operation.ts';
import type { Random } from '../random.ts';
import {
  FOUNDING,
  type FoundingEffect,
  type FoundingInput,
  type FoundingMessage,
  type FoundingOptions,
  type FoundingPromise,
} from './founding-io.ts';
import { problemWithPromise } from './promise.ts';
import { spreadOverZones, targetVotersFor } from './target-voters.ts';

/** A plan of our own that waits for promises. */
interface Proposal {
  readonly plan: FoundingPlan;
  readonly startedAt: Instant;
  readonly promised: Set<NodeId>;
  /** Who would not promise when last asked, and why. */
  readonly refusals: Map<NodeId, string>;
  requestAt: Instant;
}

/**
 * Finds the others and founds one cluster with them, or never two.
 *
 * Nodes without a cluster tell each other whom they know and which seeds they have not reached.
 * When the circle is closed and has the expected size, its lowest node id writes a plan and asks
 * every member to promise, durably, that it will found nothing else. Only when all have promised
 * does the cluster exist. See DESIGN.md.
 */
export class Founding implements Machine<FoundingInput, FoundingEffect> {
  readonly #options: FoundingOptions;
  readonly #random: Random;
  readonly #self: NodeId;
  readonly #connected = new Map<NodeId, string>();
  readonly #heardAt = new Map<NodeId, Instant>();
  /** Connected nodes and what each said of itself. */
  readonly #known = new Map<NodeId, FoundingPeer>();
  /** Whom each connected node knows, by address. */
  readonly #told = new Map<NodeId, ReadonlyMap<NodeId, string>>();
  readonly #reached = new Set<string>();
  #promise: FoundingPromise;
  /** Promises on their way to the disk, with what to do once they are durable. */
  readonly #storing = new Map<Ticket, () => void>();
  #proposal: Proposal | undefined;
  #discoverAt: Instant;
  #explainAt: Instant;
  #changedAt: Instant;
  #nextTicket = 1;
  #done = false;
  #now: Instant;
  #effects: FoundingEffect[] = [];

  constructor(options: FoundingOptions, random: Random, now: Instant) {
    this.#options = options;
    this.#random = random;
    this.#self = options.self.nodeId;
    this.#promise = options.promise ?? { plan: undefined, attempt: 0 };
    this.#now = now;
    this.#discoverAt = now;
    this.#changedAt = now;
    this.#explainAt = after(now, FOUNDING.explainIntervalMs);
  }

  get wakeAt(): Instant | undefined {
    if (this.#done) return undefined;
    return earliest(earliest(this.#discoverAt, this.#explainAt), this.#proposal?.requestAt);
  }

  /** The plan for `cluster`, when this node promised it: that cluster was founded with this node. */
  promisedPlan(cluster: ClusterId): FoundingPlan | undefined {
    const { plan } = this.#promise;
    return plan?.clusterId === cluster ? plan : undefined;
  }

  /** Why there is no cluster yet, in a sentence. */
  waitingFor(): string {
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) return obstacle;
    const refusal = this.#proposal?.refusals.entries().next();
    if (refusal?.value === undefined) return 'Waiting for every founder to promise.';
    const [peer, detail] = refusal.value;
    return `${this.#connected.get(peer) ?? peer} does not promise: ${detail}`;
  }

  step(now: Instant, input: FoundingInput): readonly FoundingEffect[] {
    this.#now = now;
    if (this.#done) return [];
    switch (input.kind) {
      case 'message':
        this.#heardAt.set(input.from, now);
        this.#message(input.from, input.body);
        break;
      case 'peerUp':
        this.#connected.set(input.peer, input.address);
        this.#heardAt.set(input.peer, now);
        this.#changedAt = now;
        this.#send(input.peer, this.#discover());
        break;
      case 'peerDown':
        this.#connected.delete(input.peer);
        this.#heardAt.delete(input.peer);
        this.#known.delete(input.peer);
        this.#told.delete(input.peer);
        this.#changedAt = now;
        break;
      case 'seedReached':
        if (!this.#reached.has(input.seed)) this.#changedAt = now;
        this.#reached.add(input.seed);
        break;
      case 'seedLost':
        this.#reached.delete(input.seed);
        this.#changedAt = now;
        break;
      case 'stored': {
        const then = this.#storing.get(input.ticket);
        this.#storing.delete(input.ticket);
        then?.();
        break;
      }
    }
    this.#proposeIfReady();
    return this.#take();
  }

  wake(now: Instant): readonly FoundingEffect[] {
    this.#now = now;
    if (this.#done) return [];
    if (this.#discoverAt <= now) {
      this.#discoverAt = after(now, FOUNDING.discoverIntervalMs);
      this.#discoverPeers();
    }
    if (this.#explainAt <= now) this.#explain();
    const proposal = this.#proposal;
    if (proposal !== undefined && proposal.requestAt <= now) this.#request(proposal);
    this.#proposeIfReady();
    return this.#take();
  }

  #message(from: NodeId, body: FoundingMessage): void {
    switch (body.type) {
      case 'discover':
        this.#learn(from, body);
        break;
      case 'foundRequest':
        this.#answer(from, body);
        break;
      case 'foundResp':
        this.#promised(from, body);
        break;
      case 'foundCommit':
        this.#committed(body.plan);
        break;
    }
  }

  // Discovery.

  #discover(): Discover {
    const known = [...this.#known.values()]
      .sort((a, b) => (a.member.nodeId < b.member.nodeId ? -1 : 1))
      .slice(0, LIMITS.foundingPeersMax - 1);
    return { type: 'discover', peers: [this.#ownPeer(), ...known] };
  }

  #ownPeer(): FoundingPeer {
    const { expect, seeds, self } = this.#options;
    return {
      member: self,
      expect,
      unreachedSeeds: seeds.filter((seed) => !this.#reached.has(seed)),
    };
  }

  /** Tells every connected node, and gives up connections over which nothing comes back. */
  #discoverPeers(): void {
    for (const [peer, address] of this.#connected) {
      // Everybody speaks twice a second. A connection that was reset without a word to us would
      // keep what that peer said last for ever, and with it the founding.
      const silentMs = this.#now - (this.#heardAt.get(peer) ?? this.#now);
      if (silentMs > FOUNDING.silentMsMax) {
        this.#heardAt.set(peer, this.#now);
        this.#effects.push({ kind: 'reconnect', peer, address });
      } else this.#send(peer, this.#discover());
    }
  }

  #learn(from: NodeId, body: Discover): void {
    const told = new Map<NodeId, string>();
    for (const peer of body.peers) {
      const { nodeId, address } = peer.member;
      if (nodeId === from) {
        if (!samePeer(this.#known.get(from), peer)) this.#changedAt = this.#now;
        this.#known.set(from, peer);
      } else if (nodeId !== this.#self) {
        told.set(nodeId, address);
        if (!this.#connected.has(nodeId)) {
          this.#effects.push({ kind: 'contact', peer: nodeId, address });
        }
      }
    }
    this.#told.set(from, told);
  }

  /** What stands in the way of a proposal by the lowest node, in a sentence. */
  #obstacle(): string | undefined {
    const { expect, seeds } = this.#options;
    const unreached = seeds.filter((seed) => !this.#reached.has(seed));
    if (unreached.length > 0) {
      return `No answer yet from the seed${unreached.length > 1 ? 's' : ''} ${unreached.join(', ')}.`;
    }
    for (const peer of this.#known.values()) {
      const { address } = peer.member;
      if (peer.expect !== expect) {
        return `This node expects ${expect} nodes, but ${address} expects ${peer.expect}.`;
      }
      if (peer.unreachedSeeds.length > 0) {
        return `${address} has no answer yet from its seed ${peer.unreachedSeeds.join(', ')}.`;
      }
    }
    for (const [peer, address] of this.#connected) {
      if (!this.#known.has(peer)) return `${address} has not said yet whom it knows.`;
    }
    for (const [peer, told] of this.#told) {
      for (const [id, address] of told) {
        if (this.#known.has(id)) continue;
        return `${this.#connected.get(peer) ?? peer} knows ${address}, which is not connected here.`;
      }
    }
    const count = this.#known.size + 1;
    if (count < expect) return `${count} of the ${expect} expected nodes are here.`;
    return undefined;
  }

  #explain(): void {
    this.#explainAt = after(this.#now, FOUNDING.explainIntervalMs);
    this.#effects.push({
      kind: 'event',
      event: {
        name: 'founding.waiting',
        known: this.#known.size + 1,
        expect: this.#options.expect,
        detail: this.waitingFor(),
      },
    });
  }

  // Proposing: the lowest node id only.

  #proposeIfReady(): void {
    if (this.#done || this.#obstacle() !== undefined) return;
    for (const peer of this.#known.keys()) if (peer < this.#self) return;
    const complete = this.#known.size + 1 === this.#options.expect;
    if (!complete && this.#now - this.#changedAt < FOUNDING.settleMs) return;
    const present = this.#proposal;
    if (present !== undefined) {
      const old = this.#now - present.startedAt >= FOUNDING.attemptMsMin;
      if (!old || sameMembers(present.plan, this.#members())) return;
    }
    this.#propose();
  }

  #members(): readonly MemberRecord[] {
    const members = [this.#options.self];
    for (const peer of this.#known.values()) members.push(peer.member);
    // The rest joins one by one. This node proposes only when its id is the lowest, so it stays.
    return members.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)).slice(0, LIMITS.foundingPeersMax);
  }

  #propose(): void {
    const plan = this.#newPlan(this.#members());
    if (problemWithPromise(this.#promise.plan, plan) !== undefined) return;
    const proposal: Proposal = {
      plan,
      startedAt: this.#now,
      promised: new Set(),
      refusals: new Map(),
      requestAt: after(this.#now, FOUNDING.requestIntervalMs),
    };
    this.#proposal = proposal;
    this.#store({ plan, attempt: plan.attempt }, () => {
      if (this.#proposal !== proposal) return;
      proposal.promised.add(this.#self);
      this.#request(proposal);
      this.#foundIfPromised(proposal);
    });
  }

  #newPlan(members: readonly MemberRecord[]): FoundingPlan {
    const targetVoters = targetVotersFor(members.length, this.#options.votersMax);
    const voters = [...spreadOverZones(members, targetVoters)].sort();
    const learners = members
      .map((member) => member.nodeId)
      .filter((id) => !voters.includes(id))
      .slice(0, LIMITS.learnersMax);
    return {
      clusterId: clusterId(this.#random.hex128()),
      founder: this.#self,
      attempt: this.#promise.attempt + 1,
      members,
      config: { voters, votersOutgoing: [], learners },
      targetVoters,
    };
  }

  #request(proposal: Proposal): void {
    proposal.requestAt = after(this.#now, FOUNDING.requestIntervalMs);
    for (const { nodeId } of proposal.plan.members) {
      if (proposal.promised.has(nodeId) || nodeId === this.#self) continue;
      this.#send(nodeId, { type: 'foundRequest', plan: proposal.plan });
    }
  }

  #promised(from: NodeId, body: FoundResp): void {
    const proposal = this.#proposal;
    if (proposal?.plan.clusterId !== body.clusterId) return;
    if (!proposal.plan.members.some((member) => member.nodeId === from)) return;
    if (!body.promised) {
      proposal.refusals.set(from, body.detail);
      return;
    }
    proposal.refusals.delete(from);
    proposal.promised.add(from);
    this.#foundIfPromised(proposal);
  }

  #foundIfPromised(proposal: Proposal): void {
    const { members } = proposal.plan;
    const needed = broken('bootstrap.everybody-promises')
      ? Math.floor(members.length / 2) + 1
      : members.length;
    if (!proposal.promised.has(this.#self) || proposal.promised.size < needed) return;
    this.#found(proposal.plan);
  }

  // Promising.

  #answer(from: NodeId, { plan }: FoundRequest): void {
    const problem = this.#problemWith(from, plan);
    if (problem !== undefined) {
      this.#respond(from, plan, problem);
      return;
    }
    // Whoever promises another's plan gives up its own.
    if (plan.founder !== this.#self) this.#proposal = undefined;
    this.#store({ plan, attempt: this.#promise.attempt }, () => {
      if (this.#promise.plan?.clusterId === plan.clusterId) this.#respond(from, plan, undefined);
    });
  }

  #problemWith(from: NodeId, plan: FoundingPlan): string | undefined {
    if (plan.founder !== from) return `The plan is ${plan.founder}'s, not the sender's.`;
    const own = plan.members.find((member) => member.nodeId === this.#self);
    if (own?.instance !== this.#options.self.instance) return 'The plan is not about this process.';
    if (broken('bootstrap.promise-once')) return undefined;
    return problemWithPromise(this.#promise.plan, plan);
  }

  #respond(to: NodeId, plan: FoundingPlan, problem: string | undefined): void {
    this.#send(to, {
      type: 'foundResp',
      clusterId: plan.clusterId,
      promised: problem === undefined,
      detail: problem ?? '',
    });
  }

  #committed(plan: FoundingPlan): void {
    // Only what was promised can have been founded with this node.
    if (this.#promise.plan?.clusterId === plan.clusterId || broken('bootstrap.promise-once')) {
      this.#found(plan);
    }
  }

  #found(plan: FoundingPlan): void {
    this.#done = true;
    this.#proposal = undefined;
    this.#effects.push({ kind: 'founded', plan });
  }

  // Bookkeeping.

  #store(promise: FoundingPromise, then: () => void): void {
    this.#promise = promise;
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#storing.set(ticket, then);
    this.#effects.push({ kind: 'storePromise', ticket, promise });
  }

  #send(to: NodeId, body: FoundingMessage): void {
    this.#effects.push({ kind: 'send', to, body });
  }

  #take(): readonly FoundingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

function samePeer(a: FoundingPeer | undefined, b: FoundingPeer): boolean {
  return (
    a !== undefined &&
    a.expect === b.expect &&
    a.member.instance === b.member.instance &&
    a.unreachedSeeds.length === b.unreachedSeeds.length
  );
}

function sameMembers(plan: FoundingPlan, members: readonly MemberRecord[]): boolean {
  return (
    plan.members.length === members.length &&
    plan.members.every((member, at) => {
      const other = members[at];
      return member.nodeId === other?.nodeId && member.instance === other.instance;
    })
  );
}
