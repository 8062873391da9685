import {
  encodeCommand,
  WireError,
  type ControlCommand,
  type Envelope,
  type Generation,
  type GroupEpoch,
  type LogIndex,
  type Message,
  type NodeId,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { Autopilot } from '../autopilot/autopilot.ts';
import type { AutopilotAction } from '../autopilot/autopilot-io.ts';
import { ControlFeed } from '../control/control-feed.ts';
import type { ControlFeedEffect } from '../control/control-feed-io.ts';
import { decodeControlImage, encodeControlImage } from '../control/control-image.ts';
import type { ElectionStatus, ProgressView, Snapshot } from '../election/election-io.ts';
import { after, earliest, isDue, type Instant, type Machine } from '../machine.ts';
import { Membership } from '../membership/membership.ts';
import type { MembershipEffect, MembershipEvent, MemberView } from '../membership/membership-io.ts';
import type { NodeEvent } from '../node-event.ts';
import type { RequestId } from '../request-id.ts';
import type { Ticket } from '../store-operation.ts';
import type { ControlView } from '../node-status.ts';
import { Reachability } from '../reachability/reachability.ts';
import type { ReachabilityEffect } from '../reachability/reachability-io.ts';
import {
  CLUSTER,
  type ClusterEffect,
  type ClusterInput,
  type ClusterMachineOptions,
  type ControlRequest,
} from './cluster-machine-io.ts';
import { ConnectedPeers } from './connected-peers.ts';
import { ControlGroup, type ControlGroupEffect, type ControlGroupInput } from './control-group.ts';
import { gossipedCoordinator } from './gossiped-coordinator.ts';
import { failure, type Origin } from './group-requests.ts';
import { controlStateOperation } from './node-records.ts';
import { Registration } from './registration.ts';
import { routeOf } from './route.ts';
import { SelfDescription } from './self-description.ts';

const HOPS_MAX = 10_000;

/** Writes of this machine itself, which need no answer. The control group counts from 1. */
const OWN_WRITE: Ticket = 0;

/**
 * One node's part in one cluster: membership, reachability, the control group and its state.
 *
 * The only place that knows how these machines feed each other: gossip's deaths hurry an election,
 * the committed registry tells gossip whom never to forget, the coordinator's autopilot proposes.
 */
export class ClusterMachine implements Machine<ClusterInput, ClusterEffect> {
  readonly #options: ClusterMachineOptions;
  readonly #self: NodeId;
  readonly #membership: Membership;
  readonly #reachability: Reachability;
  readonly #group: ControlGroup;
  readonly #feed: ControlFeed;
  readonly #autopilot: Autopilot;
  readonly #peers = new ConnectedPeers();
  readonly #registration: Registration;
  readonly #description: SelfDescription;
  #housekeepingAt: Instant;
  #controlStateAt: Instant;
  #controlStateDirty = false;
  #leaving: { stage: 'handingOver' | 'sayingGoodbye'; deadline: Instant } | undefined;
  #hops = 0;
  #out: ClusterEffect[] = [];

  constructor(options: ClusterMachineOptions) {
    const { now, random, self } = options;
    this.#options = options;
    this.#self = self.nodeId;
    const leaveKey = random.split('leave-key').bytes(16);
    this.#description = new SelfDescription(options, leaveKey);
    this.#feed = new ControlFeed(options.control);
    this.#group = new ControlGroup({
      config: options.election,
      self: self.nodeId,
      record: options.record,
      random: random.split('control-group'),
      // A joiner has no control state yet and takes its peers' word for the group's epoch.
      isUsable: (snapshot) => this.#isOwnState(snapshot),
      hearsay: () => ({
        leader: this.coordinator(),
        groupEpoch: this.#peers.latestGroupEpoch(this.groupEpoch),
      }),
      now,
    });
    this.#membership = new Membership({
      config: options.membership,
      self: {
        nodeId: self.nodeId,
        generation: self.generation,
        meta: this.#description.meta(this.#group.status()),
        leaveKey,
      },
      random: random.split('membership'),
      digest: options.digest,
      now,
    });
    this.#reachability = new Reachability({
      self: self.nodeId,
      generation: self.generation,
      random: random.split('reachability'),
      now,
    });
    this.#autopilot = new Autopilot(options.votersMax);
    this.#registration = new Registration(self, now);
    this.#housekeepingAt = now;
    this.#controlStateAt = now;
  }

  get wakeAt(): Instant | undefined {
    let soonest = earliest(this.#membership.wakeAt, this.#reachability.wakeAt);
    soonest = earliest(soonest, this.#group.wakeAt);
    soonest = earliest(soonest, this.#feed.wakeAt);
    soonest = earliest(soonest, this.#autopilot.wakeAt);
    soonest = earliest(soonest, this.#leaving?.deadline);
    return earliest(soonest, this.#housekeepingAt);
  }

  // What others may look at.

  get controlIndex(): LogIndex {
    return this.#feed.state?.index ?? (0 as LogIndex);
  }

  get groupEpoch(): GroupEpoch {
    return this.#feed.state?.groupEpoch ?? this.#options.groupEpoch;
  }

  get registered(): boolean {
    return this.#registration.isDone(this.#feed.state);
  }

  /** Why this node may not register, in a sentence. */
  get registrationProblem(): string | undefined {
    return this.#registration.problem;
  }

  control(): ControlView | undefined {
    return this.#feed.state?.view();
  }

  electionStatus(): ElectionStatus {
    return this.#group.status();
  }

  progress(now: Instant): readonly ProgressView[] {
    return this.#group.isLeader ? this.#group.progress(now) : [];
  }

  members(): readonly MemberView[] {
    return this.#membership.views();
  }

  rows(): ReturnType<Reachability['rows']> {
    return this.#reachability.rows();
  }

  get healthScore(): number {
    return this.#membership.healthScore;
  }

  /** Who leads as far as this node knows: from the group itself, else from gossip. */
  coordinator(): NodeId | undefined {
    const { leader, role } = this.#group.status();
    return role === 'outsider' ? gossipedCoordinator(this.#membership.views()) : leader;
  }

  /** Where to dial a member, from gossip or the registry. */
  addressOf(peer: NodeId): string {
    return (
      this.#peers.addressOf(peer) ??
      this.#membership.get(peer)?.meta.address ??
      this.#feed.state?.member(peer)?.address ??
      ''
    );
  }

  /** To be called once, before anything else. */
  begin(now: Instant): readonly ClusterEffect[] {
    if (this.#feed.state !== undefined) this.#registryChanged(now);
    this.#followGroup(now);
    return this.#take();
  }

  step(now: Instant, input: ClusterInput): readonly ClusterEffect[] {
    this.#hops = 0;
    switch (input.kind) {
      case 'peerUp':
        this.#peerUp(now, input);
        break;
      case 'peerDown':
        this.#peers.remove(input.peer);
        this.#runMembership(now, this.#membership.step(now, { ...input, kind: 'linkDown' }));
        this.#stepGroup(now, { kind: 'peerReset', peer: input.peer });
        break;
      case 'dialRefused':
        this.#runMembership(now, this.#membership.step(now, input));
        this.#missed(now, input.peer);
        break;
      case 'dialFailed':
        this.#missed(now, input.peer);
        break;
      case 'newGeneration':
        this.#runMembership(now, this.#membership.step(now, input));
        break;
      case 'message':
        this.#message(now, input.from, input.generation, input.envelope);
        break;
      case 'stored':
        this.#stepGroup(now, input);
        break;
      case 'stalled':
        this.#runMembership(now, this.#membership.step(now, input));
        this.#stepGroup(now, input);
        break;
      case 'readings':
        this.#description.measured(input.readings);
        break;
      case 'request':
        this.#request(now, input.request, input.body);
        break;
      case 'leave':
        this.#leave(now);
        break;
    }
    return this.#take();
  }

  /** Answers every request that is open: this node stops. */
  abandon(now: Instant, detail: string): readonly ClusterEffect[] {
    this.#stepGroup(now, { kind: 'abandon', reason: 'shuttingDown', detail });
    return this.#take();
  }

  wake(now: Instant): readonly ClusterEffect[] {
    this.#hops = 0;
    if (isDue(this.#membership.wakeAt, now)) this.#runMembership(now, this.#membership.wake(now));
    if (isDue(this.#reachability.wakeAt, now)) {
      this.#runReachability(now, this.#reachability.wake(now));
    }
    if (isDue(this.#group.wakeAt, now)) this.#runGroup(now, this.#group.wake(now));
    if (isDue(this.#feed.wakeAt, now)) this.#runFeed(now, this.#feed.wake(now));
    if (isDue(this.#autopilot.wakeAt, now)) this.#autopilotRound(now);
    if (isDue(this.#leaving?.deadline, now)) this.#leaveFurther(now);
    if (isDue(this.#housekeepingAt, now)) this.#keepHouse(now);
    return this.#take();
  }

  // Peers and their messages.

  #peerUp(now: Instant, input: Extract<ClusterInput, { kind: 'peerUp' }>): void {
    const { peer, address, generation, groupEpoch } = input;
    this.#peers.add(now, peer, { address, groupEpoch });
    this.#stepGroup(now, { kind: 'peerReset', peer });
    this.#runMembership(
      now,
      this.#membership.step(now, { kind: 'linkUp', peer, generation, address }),
    );
    this.#runReachability(now, this.#reachability.step(now, { kind: 'heard', peer }));
  }

  #message(now: Instant, from: NodeId, generation: Generation, envelope: Envelope): void {
    const peer = this.#peers.heard(now, from);
    this.#runReachability(now, this.#reachability.step(now, { kind: 'heard', peer: from }));
    if (peer !== undefined) {
      const { groupEpoch } = peer;
      const index = envelope.controlIndex;
      this.#runFeed(now, this.#feed.step(now, { kind: 'news', peer: from, index, groupEpoch }));
    }
    this.#route(now, { from, generation, message: envelope.message });
  }

  #route(now: Instant, sent: { from: NodeId; generation: Generation; message: Message }): void {
    const { from, generation } = sent;
    const route = routeOf(sent.message);
    switch (route.to) {
      case 'membership': {
        const input = { kind: 'message', from, generation, body: route.message } as const;
        this.#runMembership(now, this.#membership.step(now, input));
        break;
      }
      case 'reachability': {
        const input = { kind: 'message', from, body: route.message } as const;
        this.#runReachability(now, this.#reachability.step(now, input));
        break;
      }
      case 'feed': {
        const input = { kind: 'message', from, body: route.message } as const;
        this.#runFeed(now, this.#feed.step(now, input));
        break;
      }
      case 'election':
        this.#stepGroup(now, { kind: 'message', from, body: route.message });
        break;
      case 'coordinator':
      case 'data':
      case 'nobody':
        this.#event({
          name: 'frame.refused',
          reason: 'unexpected',
          detail: `"${route.message.type}" has no meaning inside a cluster.`,
        });
    }
  }

  #missed(now: Instant, peer: NodeId): void {
    this.#runReachability(now, this.#reachability.step(now, { kind: 'missed', peer }));
  }

  // Effects of the machines inside.

  #runMembership(now: Instant, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      this.#hop();
      switch (effect.kind) {
        case 'send':
          this.#send(effect.to, effect.address, effect.body);
          break;
        case 'contact':
          this.#out.push(effect);
          break;
        case 'direct':
          this.#probed(now, effect.peer, effect.reached);
          break;
        case 'event':
          this.#event(effect.event);
          this.#membershipEvent(now, effect.event);
          break;
      }
    }
  }

  #membershipEvent(now: Instant, event: MembershipEvent): void {
    switch (event.name) {
      case 'member.joined':
      case 'member.left':
        this.#tellReachability(now);
        break;
      case 'member.died':
        this.#stepGroup(now, { kind: 'peerDied', peer: event.member });
        break;
      case 'self.superseded':
        this.#out.push({
          kind: 'halt',
          code: 'identityInUse',
          detail:
            `Another process runs with this node's identity, in generation ${event.generation}; ` +
            `this one is generation ${this.#options.self.generation}. Is the data directory a copy?`,
        });
        break;
      default:
        break;
    }
  }

  #tellReachability(now: Instant): void {
    const members = this.#membership
      .views()
      .filter((view) => view.liveness !== 'left' && view.nodeId !== this.#self)
      .map((view) => view.nodeId);
    this.#runReachability(now, this.#reachability.step(now, { kind: 'members', members }));
  }

  #probed(now: Instant, peer: NodeId, answered: boolean): void {
    if (!answered) this.#missed(now, peer);
    if (this.#peers.probed(now, peer, answered)) this.#giveUpLink(peer);
  }

  /** The next message, or the next contact, makes a new one. */
  #giveUpLink(peer: NodeId): void {
    this.#out.push({ kind: 'disconnect', peer, reason: 'silent' });
  }

  #runReachability(_now: Instant, effects: readonly ReachabilityEffect[]): void {
    for (const effect of effects) {
      this.#hop();
      if (effect.kind === 'send') this.#send(effect.to, this.addressOf(effect.to), effect.body);
      else this.#event(effect.event);
    }
  }

  #stepGroup(now: Instant, input: ControlGroupInput): void {
    this.#runGroup(now, this.#group.step(now, input));
  }

  #runGroup(now: Instant, effects: readonly ControlGroupEffect[]): void {
    for (const effect of effects) {
      this.#hop();
      switch (effect.kind) {
        case 'send':
          this.#send(effect.to, this.addressOf(effect.to), effect.body);
          break;
        case 'store':
        case 'reply':
          this.#out.push(effect);
          break;
        case 'committed':
          this.#runFeed(now, this.#feed.step(now, effect));
          break;
        case 'restored': {
          const image = decodeControlImage(effect.snapshot.state);
          this.#runFeed(now, this.#feed.step(now, { kind: 'restored', image }));
          break;
        }
        case 'handedOver':
          this.#sayGoodbye(now);
          break;
        case 'event':
          this.#event(effect.event);
          break;
      }
    }
    if (effects.length > 0) this.#followGroup(now);
  }

  /** What has to follow whenever the control group may have changed its mind. */
  #followGroup(now: Instant): void {
    const status = this.#group.status();
    const { leader, role } = status;
    this.#autopilot.setLeading(now, role === 'leader' && this.#leaving === undefined);
    const inGroup = role !== 'outsider' && leader !== undefined;
    this.#runFeed(now, this.#feed.step(now, { kind: 'inGroup', inGroup }));
    this.#description.follow(now, status);
  }

  #runFeed(now: Instant, effects: readonly ControlFeedEffect[]): void {
    for (const effect of effects) {
      this.#hop();
      switch (effect.kind) {
        case 'send':
          this.#send(effect.to, this.addressOf(effect.to), effect.body);
          break;
        case 'changed':
          this.#controlStateDirty = true;
          if (effect.registry) this.#registryChanged(now);
          this.#compact(now);
          break;
        case 'regrouped':
          this.#regrouped(now, effect.groupEpoch);
          break;
        case 'event':
          this.#event(effect.event);
          break;
      }
    }
  }

  #registryChanged(now: Instant): void {
    const members = this.#feed.state?.members() ?? [];
    this.#runMembership(now, this.#membership.step(now, { kind: 'registry', members }));
    const expelled = members.filter((member) => member.status === 'expelled');
    const nodes = expelled.map((member) => member.nodeId);
    if (nodes.length > 0) this.#out.push({ kind: 'expelled', nodes });
    if (nodes.includes(this.#self)) {
      const detail = 'The cluster expelled this node. Empty its data directory to join again.';
      this.#out.push({ kind: 'halt', code: 'expelled', detail });
    }
    this.#tellReachability(now);
  }

  #compact(now: Instant): void {
    const state = this.#feed.state;
    if (state === undefined || !this.#group.wantsCompaction) return;
    const index = state.index;
    if (index > this.#group.status().applied) return;
    const image = encodeControlImage(state.image());
    this.#stepGroup(now, { kind: 'compact', index, state: image });
  }

  /** What a leader sends may be junk, or of a version that this one cannot read. */
  #isOwnState({ index, state }: Snapshot): boolean {
    try {
      const image = decodeControlImage(state);
      return image.clusterId === this.#options.clusterId && image.index === index;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  }

  /** The control group was recovered by force without this node: it starts again as an outsider. */
  #regrouped(now: Instant, groupEpoch: GroupEpoch): void {
    const state = this.#feed.state;
    invariant(state !== undefined, 'Regrouped without a control state.');
    const image = controlStateOperation(encodeControlImage(state.image()));
    this.#out.push({ kind: 'regrouped', groupEpoch });
    this.#stepGroup(now, { kind: 'regroup', with: [image] });
  }

  // Requests to the control group.

  #request(now: Instant, request: RequestId, body: ControlRequest): void {
    switch (body.kind) {
      case 'propose': {
        const problem = this.#problemWith(body.command);
        if (problem === undefined) {
          this.#propose(now, body.command, { kind: 'outside', request, about: 'change' });
        } else this.#out.push(failure(request, 'invalid', problem));
        break;
      }
      case 'readIndex':
        this.#stepGroup(now, { kind: 'read', origin: { kind: 'outside', request, about: 'read' } });
        break;
      case 'handover': {
        const liveness = body.to === undefined ? 'alive' : this.#membership.get(body.to)?.liveness;
        if (liveness === 'dead' || liveness === 'left') {
          const detail = `The chosen successor is ${liveness}.`;
          this.#out.push(failure(request, 'badTarget', detail));
          break;
        }
        const origin = { kind: 'outside', request, about: 'read' } as const;
        this.#stepGroup(now, { kind: 'transfer', to: body.to, origin });
        break;
      }
    }
  }

  #problemWith(command: ControlCommand): string | undefined {
    try {
      encodeCommand(command);
    } catch (error) {
      if (error instanceof WireError) return error.message;
      throw error;
    }
    return this.#feed.state?.problemWith(command);
  }

  #propose(now: Instant, command: ControlCommand, origin: Origin): void {
    this.#stepGroup(now, { kind: 'change', command: encodeCommand(command), origin });
  }

  // The coordinator's own work.

  #autopilotRound(now: Instant): void {
    const control = this.control();
    invariant(control !== undefined, 'This node leads without a control state.');
    const action = this.#autopilot.round(now, {
      self: this.#self,
      election: this.#group.status(),
      progress: this.#group.progress(now),
      members: this.#membership.views(),
      control,
      loopLagP99Ms: this.#description.readings.loopLagP99Ms,
    });
    if (action !== undefined) this.#carryOut(now, action);
  }

  #carryOut(now: Instant, action: AutopilotAction): void {
    switch (action.kind) {
      case 'propose':
        for (const command of action.commands) {
          this.#propose(now, command, { kind: 'autopilot', events: [] });
        }
        break;
      case 'reconfigure':
        this.#stepGroup(now, action);
        break;
      case 'handOver':
        this.#stepGroup(now, {
          kind: 'transfer',
          to: undefined,
          origin: { kind: 'autopilot', events: [] },
        });
        break;
    }
  }

  // Regular work.

  #keepHouse(now: Instant): void {
    this.#housekeepingAt = after(now, CLUSTER.housekeepingMs);
    if (this.#leaving === undefined) this.#register(now);
    const meta = this.#description.takeIfDue(now, this.#group.status());
    if (meta !== undefined) {
      this.#runMembership(now, this.#membership.step(now, { kind: 'meta', meta }));
    }
    if (this.#controlStateDirty && this.#controlStateAt <= now) this.#storeControlState(now);
    // A leader hears its group three times a second. After a long cut TCP may be waiting for its
    // next retry, half a minute away, with nobody probing: a new connection is there at once.
    for (const { peer, lastContactMs } of this.progress(now)) {
      if (this.#peers.isGroupSilent(now, peer, lastContactMs)) this.#giveUpLink(peer);
    }
  }

  #register(now: Instant): void {
    const canPropose = (): boolean => this.coordinator() !== undefined;
    const next = this.#registration.next(now, this.#feed.state, canPropose);
    if (next?.kind === 'propose') this.#propose(now, next.command, { kind: 'register' });
    else if (next !== undefined) {
      this.#event({ name: 'registration.refused', detail: next.problem });
    }
  }

  /** Members of the control group have it in their log already. */
  #storeControlState(now: Instant): void {
    const state = this.#feed.state;
    this.#controlStateDirty = false;
    if (state === undefined || !this.#group.isOutsider) return;
    this.#controlStateAt = after(now, CLUSTER.controlStateIntervalMs);
    const operations = [controlStateOperation(encodeControlImage(state.image()))];
    this.#out.push({ kind: 'store', ticket: OWN_WRITE, operations, durable: false });
  }

  // Leaving.

  #leave(now: Instant): void {
    if (this.#leaving !== undefined) return;
    this.#leaving = { stage: 'handingOver', deadline: after(now, CLUSTER.handOverMs) };
    this.#autopilot.setLeading(now, false);
    if (!this.#group.isLeader) {
      this.#sayGoodbye(now);
      return;
    }
    this.#stepGroup(now, { kind: 'transfer', to: undefined, origin: { kind: 'leaving' } });
  }

  #sayGoodbye(now: Instant): void {
    if (this.#leaving?.stage !== 'handingOver') return;
    this.#leaving = { stage: 'sayingGoodbye', deadline: after(now, CLUSTER.goodbyeMs) };
    this.#stepGroup(now, { kind: 'retire' });
    this.#runMembership(now, this.#membership.step(now, { kind: 'leave' }));
  }

  #leaveFurther(now: Instant): void {
    if (this.#leaving?.stage === 'handingOver') this.#sayGoodbye(now);
    else {
      const detail = 'This node is leaving.';
      this.#stepGroup(now, { kind: 'abandon', reason: 'shuttingDown', detail });
      this.#leaving = { stage: 'sayingGoodbye', deadline: Number.POSITIVE_INFINITY as Instant };
      this.#out.push({ kind: 'gone' });
    }
  }

  // Bookkeeping.

  #send(to: NodeId, address: string, message: Message): void {
    this.#out.push({ kind: 'send', to, address, message });
  }

  #event(event: NodeEvent): void {
    this.#out.push({ kind: 'event', event });
  }

  #hop(): void {
    this.#hops += 1;
    invariant(this.#hops <= HOPS_MAX, `More than ${HOPS_MAX} effects inside one step.`);
  }

  #take(): readonly ClusterEffect[] {
    const effects = this.#out;
    this.#out = [];
    return effects;
  }
}
