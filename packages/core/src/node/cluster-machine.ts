import type {
  Envelope,
  Generation,
  GroupEpoch,
  Message,
  NodeId,
  ShardConfig,
  ShardReport,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { ControlFeed } from '../control/control-feed.ts';
import type { ControlFeedEffect } from '../control/control-feed-io.ts';
import { decodeControlImage, encodeControlImage } from '../control/control-image.ts';
import { after, earliest, isDue, type Instant, type Machine } from '../machine.ts';
import type { NodeEvent } from '../node-event.ts';
import type { RequestId } from '../request-id.ts';
import type { Ticket } from '../store-operation.ts';
import {
  CLUSTER,
  type ClusterEffect,
  type ClusterInput,
  type ClusterMachineOptions,
  type ControlRequest,
} from './cluster-machine-io.ts';
import { ClusterView } from './cluster-view.ts';
import { controlRequest } from './control-request.ts';
import { ControlCopy } from './control-copy.ts';
import { ControlGroup, type ControlGroupEffect, type ControlGroupInput } from './control-group.ts';
import { Coordination } from './coordination.ts';
import { Departure, type DepartureFacts, type DepartureStep } from './departure.ts';
import { EffectQueue } from './effect-queue.ts';
import { encodedChange } from './group-requests.ts';
import { isOwnSnapshot } from './own-snapshot.ts';
import { Neighbours, type NeighboursEffect } from './neighbours.ts';
import { controlStateOperation } from './node-records.ts';
import { Registration } from './registration.ts';
import { ReportCourier } from './report-courier.ts';
import { routeNodes } from './route-nodes.ts';
import { routeOf } from './route.ts';
import { SelfDescription } from './self-description.ts';

/** Writes of this machine itself, which need no answer. The control group counts from 1. */
const OWN_WRITE: Ticket = 0;

/** What one of the machines inside wants, until its turn comes. */
type Inner =
  | { readonly of: 'neighbours'; readonly effect: NeighboursEffect }
  | { readonly of: 'group'; readonly effect: ControlGroupEffect }
  | { readonly of: 'feed'; readonly effect: ControlFeedEffect };

/**
 * One node's part in one cluster: membership, reachability, the control group and its state.
 *
 * The only place that knows how these machines feed each other: gossip's deaths hurry an election,
 * the committed registry tells gossip whom never to forget, the coordinator's planner proposes. What
 * one machine causes in another waits in a queue until the first is done: none is ever entered again
 * in the middle of its own step.
 */
export class ClusterMachine implements Machine<ClusterInput, ClusterEffect> {
  /** What others may look at. */
  readonly view: ClusterView;
  readonly #options: ClusterMachineOptions;
  readonly #self: NodeId;
  readonly #neighbours: Neighbours;
  readonly #group: ControlGroup;
  readonly #feed: ControlFeed;
  readonly #coordination: Coordination;
  readonly #registration: Registration;
  readonly #description: SelfDescription;
  readonly #controlCopy: ControlCopy;
  readonly #courier: ReportCourier;
  readonly #departure = new Departure();
  #housekeepingAt: Instant;
  readonly #inner = new EffectQueue<Inner>();
  /** Something happened by which operations are routed. */
  #nodesChanged = true;
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
      isUsable: (snapshot) => isOwnSnapshot(snapshot, options.clusterId),
      hearsay: () => ({
        leader: this.view.coordinator,
        groupEpoch: this.#neighbours.latestGroupEpoch(this.view.groupEpoch),
      }),
      now,
    });
    this.#neighbours = new Neighbours({
      ...options,
      meta: this.#description.meta(this.#group.status()),
      leaveKey,
      registeredAddress: (peer) => this.#feed.state?.member(peer)?.address,
    });
    this.#coordination = new Coordination(options);
    this.#registration = new Registration(self, now);
    this.#controlCopy = new ControlCopy(now);
    this.#courier = new ReportCourier(self.nodeId);
    this.#housekeepingAt = now;
    this.view = new ClusterView({
      feed: this.#feed,
      group: this.#group,
      neighbours: this.#neighbours,
      coordination: this.#coordination,
      registration: this.#registration,
      groupEpoch: options.groupEpoch,
    });
  }

  get wakeAt(): Instant | undefined {
    let soonest = earliest(this.#neighbours.wakeAt, this.#group.wakeAt);
    soonest = earliest(soonest, this.#feed.wakeAt);
    soonest = earliest(soonest, this.#coordination.wakeAt);
    soonest = earliest(soonest, this.#departure.wakeAt);
    return earliest(soonest, this.#housekeepingAt);
  }

  /** To be called once, before anything else. */
  begin(now: Instant): readonly ClusterEffect[] {
    const control = this.view.control();
    if (control !== undefined) {
      this.#registryChanged(now);
      this.#placed(control.shards);
    }
    this.#followGroup(now);
    return this.#take(now);
  }

  step(now: Instant, input: ClusterInput): readonly ClusterEffect[] {
    switch (input.kind) {
      case 'peerUp':
        this.#toGroup(now, { kind: 'peerReset', peer: input.peer });
        this.#neighbours.peerUp(now, input);
        break;
      case 'peerDown':
        this.#neighbours.peerDown(now, input.peer, input.generation);
        this.#toGroup(now, { kind: 'peerReset', peer: input.peer });
        break;
      case 'dialRefused':
        this.#neighbours.dialRefused(now, input.peer);
        break;
      case 'dialFailed':
        this.#neighbours.dialFailed(now, input.peer);
        break;
      case 'newGeneration':
        this.#neighbours.newGeneration(now, input.peer, input.generation);
        break;
      case 'message':
        this.#message(now, input.from, input.generation, input.envelope);
        break;
      case 'stored':
        this.#toGroup(now, input);
        break;
      case 'stalled':
        this.#neighbours.stalled(now, input.stalledMs);
        this.#toGroup(now, input);
        break;
      case 'readings':
        this.#description.measured(input.readings);
        break;
      case 'request':
        this.#request(now, input.request, input.body);
        break;
      case 'reports':
        this.#report(now, input.reports);
        break;
      case 'leave':
        this.#coordination.setLeading(now, false);
        this.#depart(now, this.#departure.begin(now, this.#departureFacts()));
        break;
    }
    return this.#take(now);
  }

  /** Answers every request that is open: this node stops. */
  abandon(now: Instant, detail: string): readonly ClusterEffect[] {
    this.#toGroup(now, { kind: 'abandon', reason: 'shuttingDown', detail });
    return this.#take(now);
  }

  wake(now: Instant): readonly ClusterEffect[] {
    this.#neighbours.wake(now);
    if (isDue(this.#group.wakeAt, now)) this.#fromGroup(this.#group.wake(now));
    if (isDue(this.#feed.wakeAt, now)) this.#fromFeed(this.#feed.wake(now));
    this.#settle(now);
    this.#coordinate(now);
    if (isDue(this.#departure.wakeAt, now)) this.#depart(now, this.#departure.wake(now));
    if (isDue(this.#housekeepingAt, now)) this.#keepHouse(now);
    return this.#take(now);
  }

  // Peers and their messages.

  #message(now: Instant, from: NodeId, generation: Generation, envelope: Envelope): void {
    const groupEpoch = this.#neighbours.heard(now, from);
    if (groupEpoch !== undefined) {
      const index = envelope.controlIndex;
      this.#fromFeed(this.#feed.step(now, { kind: 'news', peer: from, index, groupEpoch }));
    }
    this.#route(now, { from, generation, message: envelope.message });
  }

  #route(now: Instant, sent: { from: NodeId; generation: Generation; message: Message }): void {
    const { from } = sent;
    const route = routeOf(sent.message);
    switch (route.to) {
      case 'membership':
        this.#neighbours.gossiped(now, sent, route.message);
        break;
      case 'reachability':
        this.#neighbours.mapped(now, from, route.message);
        break;
      case 'feed':
        this.#fromFeed(this.#feed.step(now, { kind: 'message', from, body: route.message }));
        break;
      case 'election':
        this.#toGroup(now, { kind: 'message', from, body: route.message });
        break;
      case 'coordinator':
        this.#coordination.reported(now, from, route.message);
        break;
      case 'data':
        this.#out.push({ kind: 'data', from, body: route.message });
        break;
      case 'nobody':
        this.#event({
          name: 'frame.refused',
          reason: 'unexpected',
          detail: `"${route.message.type}" has no meaning inside a cluster.`,
        });
    }
  }

  // Effects of the machines inside, in the order in which they were caused.

  #settle(now: Instant): void {
    let groupMoved = false;
    for (;;) {
      for (const effect of this.#neighbours.take(now))
        this.#inner.add({ of: 'neighbours', effect });
      const next = this.#inner.take();
      if (next !== undefined) {
        groupMoved ||= next.of === 'group';
        this.#handle(now, next);
      } else if (groupMoved) {
        groupMoved = false;
        this.#followGroup(now);
      } else return;
    }
  }

  #handle(now: Instant, inner: Inner): void {
    switch (inner.of) {
      case 'neighbours':
        return this.#handleNeighbours(now, inner.effect);
      case 'group':
        return this.#handleGroup(now, inner.effect);
      case 'feed':
        return this.#handleFeed(now, inner.effect);
    }
  }

  #handleNeighbours(now: Instant, effect: NeighboursEffect): void {
    if (effect.kind === 'event') {
      this.#event(effect.event);
      this.#memberEvent(now, effect.event);
    } else this.#out.push(effect);
  }

  #memberEvent(now: Instant, event: Extract<NeighboursEffect, { kind: 'event' }>['event']): void {
    this.#nodesChanged = true;
    switch (event.name) {
      case 'member.joined':
      case 'member.left':
        this.#coordination.hurry(now);
        break;
      case 'member.died':
        this.#toGroup(now, { kind: 'peerDied', peer: event.member });
        this.#coordination.hurry(now);
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

  /** The next message, or the next contact, makes a new one. */
  #giveUpLink(peer: NodeId): void {
    this.#out.push({ kind: 'disconnect', peer, reason: 'silent' });
  }

  #handleGroup(now: Instant, effect: ControlGroupEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.to, this.view.addressOf(effect.to), effect.body);
        break;
      case 'store':
      case 'reply':
        this.#out.push(effect);
        break;
      case 'committed':
        this.#fromFeed(this.#feed.step(now, effect));
        break;
      case 'restored': {
        const image = decodeControlImage(effect.snapshot.state);
        this.#fromFeed(this.#feed.step(now, { kind: 'restored', image }));
        break;
      }
      case 'handedOver':
        this.#depart(now, this.#departure.handedOver(now));
        break;
      case 'event':
        this.#event(effect.event);
        break;
    }
  }

  /** What has to follow whenever the control group may have changed its mind. */
  #followGroup(now: Instant): void {
    const status = this.#group.status();
    const { leader, role } = status;
    this.#coordination.setLeading(now, role === 'leader' && !this.#departure.isUnderWay);
    const inGroup = role !== 'outsider' && leader !== undefined;
    this.#fromFeed(this.#feed.step(now, { kind: 'inGroup', inGroup }));
    this.#description.follow(now, status);
    this.#followCoordinator(now);
  }

  #handleFeed(now: Instant, effect: ControlFeedEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.to, this.view.addressOf(effect.to), effect.body);
        break;
      case 'changed':
        this.#controlCopy.changed();
        if (effect.registry) this.#registryChanged(now);
        if (effect.shards.length > 0) this.#placed(effect.shards);
        if (effect.shards.length > 0) {
          this.#depart(now, this.#departure.placed(now, this.#departureFacts()));
        }
        if (effect.registry || effect.shards.length > 0) this.#coordination.hurry(now);
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

  #registryChanged(now: Instant): void {
    this.#nodesChanged = true;
    const members = this.#feed.state?.members() ?? [];
    this.#neighbours.registered(now, members);
    const expelled = members.filter((member) => member.status === 'expelled');
    const nodes = expelled.map((member) => member.nodeId);
    if (nodes.length > 0) this.#out.push({ kind: 'expelled', nodes });
    if (nodes.includes(this.#self)) {
      const detail = 'The cluster expelled this node. Empty its data directory to join again.';
      this.#out.push({ kind: 'halt', code: 'expelled', detail });
    }
  }

  #placed(changed: readonly ShardConfig[]): void {
    const control = this.view.control();
    if (control === undefined || changed.length === 0) return;
    const { index, shardCount } = control;
    this.#courier.placed(changed);
    this.#tellNodes();
    this.#out.push({ kind: 'placement', index, shardCount, changed });
  }

  #compact(now: Instant): void {
    const state = this.#feed.state;
    if (state === undefined || !this.#group.wantsCompaction) return;
    const index = state.index;
    if (index > this.#group.status().applied) return;
    const image = encodeControlImage(state.image());
    this.#toGroup(now, { kind: 'compact', index, state: image });
  }

  /** The control group was recovered by force without this node: it starts again as an outsider. */
  #regrouped(now: Instant, groupEpoch: GroupEpoch): void {
    const state = this.#feed.state;
    invariant(state !== undefined, 'Regrouped without a control state.');
    const image = controlStateOperation(encodeControlImage(state.image()));
    this.#out.push({ kind: 'regrouped', groupEpoch });
    this.#toGroup(now, { kind: 'regroup', with: [image] });
  }

  // Requests to the control group.

  #request(now: Instant, request: RequestId, body: ControlRequest): void {
    const asked = controlRequest(request, body, {
      state: this.#feed.state,
      livenessOf: (member) => this.#neighbours.view(member)?.liveness,
    });
    if (asked.kind === 'reply') this.#out.push(asked);
    else this.#toGroup(now, asked);
  }

  // The coordinator's own work, and what this node tells whoever coordinates.

  #coordinate(now: Instant): void {
    const { founding } = this.#options;
    const { loopLagP99Ms } = this.#description.readings;
    const look = { self: this.#self, view: this.view, founding, loopLagP99Ms };
    for (const step of this.#coordination.wake(now, look)) {
      if (step.kind === 'event') this.#event(step.event);
      else this.#toGroup(now, step.input);
    }
  }

  #report(now: Instant, reports: readonly ShardReport[]): void {
    this.#deliverReports(now, this.#courier.take(reports));
  }

  #followCoordinator(now: Instant): void {
    const coordinator = this.view.coordinator;
    if (coordinator !== this.#courier.coordinator) {
      this.#nodesChanged = true;
      // A restarted primary serves nothing before it is registered: whoever leads is told at once.
      if (!this.#departure.isUnderWay) this.#register(now);
    }
    this.#deliverReports(now, this.#courier.follow(coordinator));
  }

  #deliverReports(now: Instant, parcels: ReturnType<ReportCourier['take']>): void {
    const { generation } = this.#options.self;
    for (const { to, reports } of parcels) {
      const message = { type: 'shardReports', generation, reports } as const;
      if (to === this.#self) this.#coordination.reported(now, to, message);
      else this.#send(to, this.view.addressOf(to), message);
    }
  }

  /** By whom operations can be answered. */
  #tellNodes(): void {
    if (!this.#nodesChanged) return;
    this.#nodesChanged = false;
    const registered = this.#feed.state?.members() ?? [];
    const nodes = routeNodes(this.#self, registered, this.#neighbours.views());
    this.#out.push({ kind: 'nodes', nodes, coordinator: this.view.coordinator });
  }

  // Regular work.

  #keepHouse(now: Instant): void {
    this.#housekeepingAt = after(now, CLUSTER.housekeepingMs);
    if (!this.#departure.isUnderWay) this.#register(now);
    const meta = this.#description.takeIfDue(now, this.#group.status());
    if (meta !== undefined) this.#neighbours.describe(now, meta);
    // Gossip carries the coordinator, and addresses, without an event.
    this.#nodesChanged = true;
    this.#followCoordinator(now);
    const state = this.#group.isOutsider ? this.#feed.state : undefined;
    const operations = this.#controlCopy.takeIfDue(now, state);
    if (operations.length > 0) {
      this.#out.push({ kind: 'store', ticket: OWN_WRITE, operations, durable: false });
    }
    // A leader hears its group three times a second. After a long cut TCP may be waiting for its
    // next retry, half a minute away, with nobody probing: a new connection is there at once.
    for (const { peer, lastContactMs } of this.view.progress(now)) {
      if (this.#neighbours.isGroupSilent(now, peer, lastContactMs)) this.#giveUpLink(peer);
    }
  }

  #register(now: Instant): void {
    const canPropose = (): boolean => this.view.coordinator !== undefined;
    const next = this.#registration.next(now, this.#feed.state, canPropose);
    if (next?.kind === 'propose') {
      this.#toGroup(now, encodedChange(next.command, { kind: 'register' }));
    } else if (next !== undefined) {
      this.#event({ name: 'registration.refused', detail: next.problem });
    }
  }

  // Leaving.

  #departureFacts(): DepartureFacts {
    return {
      self: this.#self,
      isLeader: this.#group.isLeader,
      control: this.view.coordinator === undefined ? undefined : this.view.control(),
      members: this.view.members(),
    };
  }

  #depart(now: Instant, steps: readonly DepartureStep[]): void {
    for (const step of steps) {
      switch (step.kind) {
        case 'group':
          this.#toGroup(now, step.input);
          break;
        case 'goodbye':
          this.#neighbours.leave(now);
          break;
        case 'gone':
          this.#settle(now);
          this.#out.push(step);
          break;
      }
    }
  }

  // Bookkeeping.

  #fromGroup(effects: readonly ControlGroupEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'group', effect });
  }

  #fromFeed(effects: readonly ControlFeedEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'feed', effect });
  }

  #toGroup(now: Instant, input: ControlGroupInput): void {
    this.#fromGroup(this.#group.step(now, input));
  }

  #send(to: NodeId, address: string, message: Message): void {
    this.#out.push({ kind: 'send', to, address, message });
  }

  #event(event: NodeEvent): void {
    this.#out.push({ kind: 'event', event });
  }

  #take(now: Instant): readonly ClusterEffect[] {
    this.#settle(now);
    this.#tellNodes();
    this.#inner.settled();
    const effects = this.#out;
    this.#out = [];
    return effects;
  }
}
