import {
  clusterId,
  generation,
  groupEpoch,
  incarnation,
  logIndex,
  nodeId,
  placeShards,
  term,
  type ControlCommand,
  type Generation,
  type Liveness,
  type LogIndex,
  type MemberRecord,
  type MemberStatus,
  type NodeId,
  type ShardConfig,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { ControlState } from '../control/control-state.ts';
import { isSameSet } from '../control/shard-sets.ts';
import type { Instant } from '../machine.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { PlannerEvent, PlannerFacts, PlannerProposal } from '../planner/planner-io.ts';
import { Planner } from '../planner/planner.ts';
import type { Random } from '../random.ts';
import { FakeShards } from './fake-shards.ts';
import { PlannerChecks } from './planner-checks.ts';

/** How the world around the planner behaves, in ms. */
export const PLANNER_WORLD = {
  tickMs: 100,
  suspectMs: 1_000,
  deadMs: 3_000,
  registerMs: 600,
  commitMsMin: 5,
  commitMsMax: 400,
} as const;

export interface PlannerRigOptions {
  readonly random: Random;
  readonly shardCount: number;
  readonly replicationFactor: number;
  /** Of a hundred proposals: never committed. */
  readonly lostPercent: number;
  /** Of a hundred proposals: committed a second time, later. */
  readonly doubledPercent: number;
  /** How long a joiner's stream takes at most. */
  readonly streamMsMax: number;
}

interface FakeNode {
  readonly id: NodeId;
  readonly zone: string;
  readonly weight: number;
  generation: Generation;
  running: boolean;
  liveness: Liveness;
  /** When `running` became what it is, and the liveness followed. */
  since: number;
  livenessSince: number;
  /** When the present generation registers; undefined: it has. */
  registersAt: number | undefined;
}

interface InFlight {
  readonly at: number;
  readonly proposal: PlannerProposal;
  readonly again: boolean;
}

/** A planner, an ideal control group, and nodes that do what their shards' configurations ask. */
export class PlannerRig {
  readonly #options: PlannerRigOptions;
  readonly #random: Random;
  readonly #nodes = new Map<NodeId, FakeNode>();
  readonly #control: ControlState;
  readonly #shards: FakeShards;
  readonly #checks = new PlannerChecks();
  #planner = new Planner();
  #now = 0;
  #inFlight: InFlight[] = [];
  #lastCommitAt = 0;
  readonly events: PlannerEvent[] = [];

  constructor(options: PlannerRigOptions) {
    this.#options = options;
    this.#random = options.random.split('planner-rig');
    this.#control = new ControlState({
      clusterId: clusterId('c'.repeat(32)),
      groupEpoch: groupEpoch(1),
      index: logIndex(1),
      term: term(1),
      members: [],
      targetVoters: 1,
      features: [],
      level: 'normal',
      shards: undefined,
      schemas: undefined,
    });
    this.#shards = new FakeShards(options.random.split('shards'), options.streamMsMax);
    this.#planner.setLeading(this.#at, true);
  }

  get now(): number {
    return this.#now;
  }

  get #at(): Instant {
    return this.#now as Instant;
  }

  get control(): ControlState {
    return this.#control;
  }

  get configs(): readonly ShardConfig[] {
    return this.#control.view().shards;
  }

  get planner(): Planner {
    return this.#planner;
  }

  get running(): readonly NodeId[] {
    return [...this.#nodes.values()].filter((node) => node.running).map(({ id }) => id);
  }

  /** Members that are to hold shards. */
  withStatus(status: MemberStatus): readonly NodeId[] {
    const members = this.#control.members().filter((member) => member.status === status);
    return members.map((member) => member.nodeId);
  }

  // What happens to nodes.

  /** @param options `absent`: registered, and nowhere to be seen. */
  join(options: { zone?: string; weight?: number; absent?: boolean } = {}): NodeId {
    const absent = options.absent ?? false;
    const number = this.#nodes.size + 1;
    const node: FakeNode = {
      id: nodeId(number.toString(16).padStart(32, '0')),
      zone: options.zone ?? '',
      weight: options.weight ?? 100,
      generation: generation(1),
      running: !absent,
      liveness: absent ? 'dead' : 'alive',
      since: this.#now,
      livenessSince: this.#now,
      registersAt: undefined,
    };
    this.#nodes.set(node.id, node);
    this.#register(node);
    this.apply({ kind: 'setStatus', nodeId: node.id, status: 'normal' });
    return node.id;
  }

  crash(id: NodeId): void {
    const node = this.#node(id);
    if (!node.running) return;
    node.running = false;
    node.since = this.#now;
  }

  restart(id: NodeId): void {
    const node = this.#node(id);
    node.running = true;
    node.since = this.#now;
    node.generation = generation(node.generation + 1);
    node.registersAt = this.#now + PLANNER_WORLD.registerMs;
  }

  setStatus(id: NodeId, status: MemberStatus): void {
    this.apply({ kind: 'setStatus', nodeId: id, status });
  }

  /** Somebody else coordinates from now on and knows nothing but the committed table. */
  changeCoordinator(): void {
    this.#planner = new Planner();
    this.#planner.setLeading(this.#at, true);
    this.#checks.forgetProposals();
  }

  // Time.

  /** @returns whether `until` came true in time. */
  runFor(ms: number, until: () => boolean = () => false): boolean {
    const end = this.#now + ms;
    while (this.#now < end) {
      if (until()) return true;
      this.#now += PLANNER_WORLD.tickMs;
      this.#tick();
    }
    return until();
  }

  /** Everything is where placement wants it, and serves. */
  isSettled(): boolean {
    const { replicationFactor, shardCount } = this.#control.view();
    const normal = this.#control.members().filter(({ status }) => status === 'normal');
    const placed = normal.filter(({ nodeId: id }) => this.#node(id).running);
    if (shardCount === 0 || placed.length === 0) return false;
    const members = placed.map(({ nodeId: id, weight, zone }) => ({ id, weight, zone }));
    const target = placeShards(members, { shardCount, replicationFactor });
    return this.configs.every((config, shard) => {
      const wanted = target[shard];
      return (
        config.stage === 'stable' &&
        wanted !== undefined &&
        isSameSet(wanted.replicas, config.replicas) &&
        config.primary === wanted.primary &&
        this.#shards.isActive(config)
      );
    });
  }

  /** Every shard has a primary that serves in the committed epoch. */
  allServe(): boolean {
    const { configs } = this;
    return configs.length > 0 && configs.every((config) => this.#shards.isActive(config));
  }

  idleCount(): number {
    return this.configs.filter((config) => !this.#shards.isActive(config)).length;
  }

  #tick(): void {
    for (const node of this.#nodes.values()) this.#followNode(node);
    this.#commit();
    this.#shards.tick(this.#now, this.configs, (id) => this.#life(id));
    for (const [from, reports] of this.#shards.takeReports()) {
      const life = this.#life(from);
      if (life !== undefined) {
        this.#planner.heard(this.#at, from, { type: 'shardReports', generation: life, reports });
      }
    }
    if ((this.#planner.wakeAt ?? Number.POSITIVE_INFINITY) <= this.#now) this.#round();
  }

  #round(): void {
    const facts = this.facts();
    const { events, proposals } = this.#planner.round(this.#at, facts);
    this.#tell(events);
    // A log loses what came last, never what came before it.
    const lost = this.#chance(this.#options.lostPercent);
    for (const proposal of proposals) {
      this.#checks.proposed(this.#now, proposal.command, facts, (config) =>
        this.#shards.wasActivated(config),
      );
      if (lost) continue;
      this.#send(proposal, false);
      if (this.#chance(this.#options.doubledPercent)) this.#send(proposal, true);
    }
  }

  facts(): PlannerFacts {
    const { replicationFactor, shardCount } = this.#options;
    return {
      control: this.#control.view(),
      members: [...this.#nodes.values()].map(viewOf),
      founding: { shardCount, replicationFactor },
    };
  }

  #send(proposal: PlannerProposal, again: boolean): void {
    const delay = this.#random.between(PLANNER_WORLD.commitMsMin, PLANNER_WORLD.commitMsMax);
    // The same command again comes much later: the shard has moved on.
    const at = Math.max(this.#lastCommitAt, this.#now + delay * (again ? 10 : 1));
    if (!again) this.#lastCommitAt = at;
    this.#inFlight.push({ at, proposal, again });
  }

  #commit(): void {
    const due = this.#inFlight.filter(({ at }) => at <= this.#now);
    this.#inFlight = this.#inFlight.filter(({ at }) => at > this.#now);
    for (const { again, proposal } of due.toSorted((a, b) => a.at - b.at)) {
      this.apply(proposal.command);
      if (!again) this.#tell(proposal.events);
    }
  }

  #tell(events: readonly PlannerEvent[]): void {
    this.events.push(...events);
  }

  apply(command: ControlCommand): void {
    const before = this.configs;
    const index = (this.#control.index + 1) as LogIndex;
    const events = this.#control.apply(index, term(1), command);
    this.#checks.applied(events, before, this.#control);
    this.#shards.configured(this.#now, this.#control.takeChangedShards());
    this.#checks.copies(this.configs, (config, id) => this.#shards.isComplete(config.shard, id));
  }

  // Nodes as others see them.

  #followNode(node: FakeNode): void {
    if (node.registersAt !== undefined && node.running && node.registersAt <= this.#now) {
      node.registersAt = undefined;
      this.#register(node);
    }
    const awayMs = this.#now - node.since;
    let liveness: Liveness = 'alive';
    if (!node.running) {
      liveness = awayMs < PLANNER_WORLD.suspectMs ? node.liveness : 'suspect';
      if (awayMs >= PLANNER_WORLD.deadMs) liveness = 'dead';
    }
    if (liveness === node.liveness) return;
    node.liveness = liveness;
    node.livenessSince = this.#now;
    // As the composition does on `member.died`.
    if (liveness === 'dead') this.#round();
  }

  #register(node: FakeNode): void {
    const status = this.#control.member(node.id)?.status;
    if (status === 'left' || status === 'expelled') return;
    const member: MemberRecord = {
      nodeId: node.id,
      generation: node.generation,
      address: 'host:7700',
      zone: node.zone,
      weight: node.weight,
      protocolMin: 1,
      protocolMax: 1,
      features: [],
      instance: 1,
    };
    this.apply({ kind: 'register', member });
  }

  /** The generation of a running node that is a member. */
  #life(id: NodeId): Generation | undefined {
    const node = this.#node(id);
    const status = this.#control.member(id)?.status;
    if (!node.running || status === 'left' || status === 'expelled') return undefined;
    return node.generation;
  }

  #node(id: NodeId): FakeNode {
    const node = this.#nodes.get(id);
    invariant(node !== undefined, `No node ${id}.`);
    return node;
  }

  #chance(percent: number): boolean {
    return this.#random.chance(percent / 100);
  }
}

function viewOf(node: FakeNode): MemberView {
  return {
    nodeId: node.id,
    generation: node.generation,
    incarnation: incarnation(0),
    liveness: node.liveness,
    unstable: false,
    sinceMs: node.livenessSince,
    meta: {
      address: 'host:7700',
      httpAddress: '',
      zone: node.zone,
      weight: node.weight,
      protocolMin: 1,
      protocolMax: 1,
      features: [],
      leaveLock: new Uint8Array(16),
      clusterId: undefined,
      raftTerm: term(1),
      raftLeader: node.id,
      raftCommit: logIndex(1),
      loopLagP99Ms: 0,
      heapPercent: 10,
      clockOffsetMs: 0,
      clockSuspect: false,
    },
  };
}
