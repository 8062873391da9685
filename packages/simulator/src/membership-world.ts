import { invariant, leaveLock, Membership, membershipConfig, Random } from '@memgrid/core';
import type {
  Instant,
  MembershipConfig,
  MembershipEffect,
  MembershipEvent,
  MembershipInput,
  MembershipOptions,
} from '@memgrid/core';
import { incarnation, generation, nodeId } from '@memgrid/protocol';
import type { MemberMeta, MembershipMessage, MemberUpdate, NodeId } from '@memgrid/protocol';
import { EventQueue } from './event-queue.ts';
import { sha256 } from './sha256.ts';

/** A world with nothing but membership in it, for sizes at which a full node is too much. */
export interface MembershipWorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly membership?: MembershipOptions;
  /** Probability that a message is lost. Default 0. */
  readonly lossShare?: number;
}

/** One thing that one node told about itself. */
export interface MembershipObservation {
  readonly atMs: number;
  /** Which node told it. */
  readonly node: number;
  readonly event: MembershipEvent;
}

type Life = 'running' | 'killed' | 'silent';

interface Resident {
  readonly index: number;
  readonly id: NodeId;
  readonly address: string;
  machine: Membership;
  life: Life;
  generation: number;
  wakeQueuedUs: number;
  /** Inputs that wait while the process is paused; undefined while it runs. */
  waiting: MembershipInput[] | undefined;
  readonly links: Set<Resident>;
}

/** New acquaintances compare their tables once a second for a while; the world begins after that. */
const SETTLING_MS = 8_000;
const LATENCY_US_MIN = 200;
const LATENCY_US_MAX = 1_500;

/**
 * Up to thousands of membership machines in virtual time: the production `Membership` with the
 * simulator's queue, messages by reference, no codec and no other machine.
 *
 * The world begins with everybody knowing everybody, as after a long quiet time: how a thousand
 * nodes join at once is another question than how they live.
 */
export class MembershipWorld {
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #config: MembershipConfig;
  readonly #lossShare: number;
  readonly #residents: Resident[] = [];
  readonly #byId = new Map<NodeId, Resident>();
  readonly #observers: ((observation: MembershipObservation) => void)[] = [];
  #beganMs = 0;
  #messages = 0;
  #falseDeaths = 0;

  constructor(options: MembershipWorldOptions) {
    const random = Random.of(options.seed);
    this.#queue = new EventQueue(random.split('queue'));
    this.#random = random.split('network');
    this.#config = membershipConfig(options.membership);
    this.#lossShare = options.lossShare ?? 0;
    const machines = random.split('machines');
    for (let index = 0; index < options.nodes; index += 1) this.#settle(index, machines);
    this.#introduceAll();
    this.run(SETTLING_MS);
    this.#messages = 0;
    this.#beganMs = this.nowMs;
  }

  /** Virtual time since the world was settled. */
  get nowMs(): number {
    return this.#queue.nowUs / 1000 - this.#beganMs;
  }

  get size(): number {
    return this.#residents.length;
  }

  /** Messages sent so far, delivered or not. */
  get messageCount(): number {
    return this.#messages;
  }

  /** Verdicts of silence or refusal about a node that was running. */
  get falseDeathCount(): number {
    return this.#falseDeaths;
  }

  machine(index: number): Membership {
    return this.#resident(index).machine;
  }

  observe(observer: (observation: MembershipObservation) => void): void {
    this.#observers.push(observer);
  }

  run(ms: number): void {
    this.#queue.runUntil(this.#queue.nowUs + Math.round(ms * 1000), () => false);
  }

  /** Runs until `condition` holds and says how long that took; undefined when it took `ms` or more. */
  runUntil(condition: () => boolean, ms: number): number | undefined {
    const startMs = this.nowMs;
    while (this.nowMs - startMs < ms) {
      if (condition()) return this.nowMs - startMs;
      this.run(20);
    }
    return condition() ? this.nowMs - startMs : undefined;
  }

  /** How many running nodes hold this one for dead. */
  deadViewCount(index: number): number {
    const { id } = this.#resident(index);
    let count = 0;
    for (const { life, machine } of this.#residents) {
      if (life === 'running' && machine.get(id)?.liveness === 'dead') count += 1;
    }
    return count;
  }

  /** All running nodes hold it for dead. */
  isKnownDead(index: number): boolean {
    const { id } = this.#resident(index);
    return this.#residents.every(
      ({ life, machine }) => life !== 'running' || machine.get(id)?.liveness === 'dead',
    );
  }

  /** The process is gone: its links break, and its address refuses. */
  kill(index: number): void {
    const resident = this.#resident(index);
    resident.life = 'killed';
    for (const peer of [...resident.links]) {
      resident.links.delete(peer);
      peer.links.delete(resident);
      this.#later(() => this.#deliver(peer, this.#linkDown(resident)));
    }
  }

  /** Nothing from it or to it arrives any more, and nobody is told. */
  silence(index: number): void {
    this.#resident(index).life = 'silent';
  }

  /** A killed or silent node starts again, in its next generation. */
  restart(index: number): void {
    const resident = this.#resident(index);
    resident.life = 'running';
    resident.generation += 1;
    resident.waiting = undefined;
    resident.links.clear();
    resident.machine = this.#machineOf(resident, this.#random.split(`restart/${this.nowMs}`));
    const contact = this.#residents.find((one) => one !== resident && one.life === 'running');
    if (contact !== undefined) this.#dial(resident, contact);
    this.#schedule(resident);
  }

  /** The process stands still; then it reads what arrived, before its timers fire. */
  pause(index: number, ms: number): void {
    const resident = this.#resident(index);
    if (resident.life !== 'running' || resident.waiting !== undefined) return;
    resident.waiting = [];
    this.#queue.after(ms * 1000, () => {
      const waiting = resident.waiting ?? [];
      resident.waiting = undefined;
      if (resident.life === 'killed') return;
      // What the stall sensor of a real process reports: see `runtime/stall-sensor.ts` in `node`.
      if (ms > 300) this.#step(resident, { kind: 'stalled', stalledMs: Math.round(ms) });
      for (const input of waiting) this.#step(resident, input);
      this.#schedule(resident);
    });
  }

  /** From now on every node pauses again and again, each on its own. */
  pauseEverybody(pauses: {
    readonly msMin: number;
    readonly msMax: number;
    readonly everyMs: number;
  }): void {
    const random = this.#random.split('pauses');
    for (const { index } of this.#residents) {
      const again = (): void => {
        const ms = random.between(pauses.msMin, pauses.msMax);
        this.pause(index, ms);
        this.#queue.after((ms + random.between(0.5, 1.5) * pauses.everyMs) * 1000, again);
      };
      this.#queue.after(random.between(0, pauses.everyMs) * 1000, again);
    }
  }

  #resident(index: number): Resident {
    const resident = this.#residents[index];
    invariant(resident !== undefined, `There is no node ${index} among ${this.size}.`);
    return resident;
  }

  #settle(index: number, random: Random): void {
    const id = nodeId(random.split(`id/${index}`).hex128());
    const resident: Resident = {
      index,
      id,
      address: `m${index}:7700`,
      machine: undefined as unknown as Membership,
      life: 'running',
      generation: 1,
      wakeQueuedUs: Infinity,
      waiting: undefined,
      links: new Set(),
    };
    resident.machine = this.#machineOf(resident, random.split(`machine/${index}`));
    this.#residents.push(resident);
    this.#byId.set(id, resident);
  }

  #machineOf(resident: Resident, random: Random): Membership {
    const leaveKey = random.bytes(16);
    return new Membership({
      config: this.#config,
      self: {
        nodeId: resident.id,
        generation: generation(resident.generation),
        meta: metaOf(resident.address, leaveLock(sha256, leaveKey)),
        leaveKey,
      },
      random: random.split('membership'),
      digest: sha256,
      now: this.#now,
    });
  }

  #introduceAll(): void {
    const updates: MemberUpdate[] = this.#residents.map(({ id, machine }) => {
      const self = machine.get(id);
      invariant(self !== undefined, 'A member knows itself.');
      return {
        nodeId: id,
        generation: self.generation,
        incarnation: incarnation(self.incarnation),
        liveness: 'alive',
        by: id,
        meta: self.meta,
        leaveKey: undefined,
      };
    });
    for (const resident of this.#residents) this.#introduce(resident, updates);
  }

  /** Its first exchange with a neighbour teaches it everything: nothing of it is news to others. */
  #introduce(resident: Resident, updates: readonly MemberUpdate[]): void {
    const neighbour = this.#residents[(resident.index + 1) % this.size] as Resident;
    if (neighbour === resident) return;
    const asked = resident.machine.step(this.#now, linkUp(neighbour)).find(isExchange);
    invariant(asked !== undefined, 'A new link begins with an exchange of tables.');
    resident.links.add(neighbour);
    const body: MembershipMessage = {
      type: 'pushPullResp',
      exchange: asked.body.exchange,
      digest: neighbour.machine.digest(),
      wanted: false,
      updates,
    };
    const from = { from: neighbour.id, generation: generation(neighbour.generation) };
    this.#step(resident, { kind: 'message', ...from, body });
    this.#schedule(resident);
  }

  #deliver(resident: Resident, input: MembershipInput): void {
    if (resident.life === 'killed') return;
    if (resident.waiting !== undefined) {
      resident.waiting.push(input);
      return;
    }
    this.#step(resident, input);
    this.#schedule(resident);
  }

  #step(resident: Resident, input: MembershipInput): void {
    this.#perform(resident, resident.machine.step(this.#now, input));
  }

  /** One wake-up is queued for each machine; a later one is asked for when that has fired. */
  #schedule(resident: Resident): void {
    const { wakeAt } = resident.machine;
    if (wakeAt === undefined) return;
    // Never at the present microsecond for a moment that is still ahead by a rounding error.
    const soonestUs = this.#queue.nowUs + (wakeAt > this.#now ? 1 : 0);
    const wakeUs = Math.max(soonestUs, Math.ceil(wakeAt * 1000));
    if (resident.wakeQueuedUs <= wakeUs) return;
    resident.wakeQueuedUs = wakeUs;
    this.#queue.at(wakeUs, () => {
      if (resident.wakeQueuedUs !== wakeUs) return;
      resident.wakeQueuedUs = Infinity;
      if (resident.life === 'killed' || resident.waiting !== undefined) return;
      const due = resident.machine.wakeAt;
      if (due !== undefined && due <= this.#now) {
        this.#perform(resident, resident.machine.wake(this.#now));
      }
      this.#schedule(resident);
    });
  }

  #perform(resident: Resident, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.#send(resident, effect.to, effect.body);
      else if (effect.kind === 'event') this.#told(resident, effect.event);
      else if (effect.kind === 'contact') {
        const target = this.#byId.get(effect.peer);
        if (target !== undefined) this.#dial(resident, target);
      }
    }
  }

  #send(from: Resident, to: NodeId, body: MembershipMessage): void {
    this.#messages += 1;
    const target = this.#byId.get(to);
    if (target === undefined || from.life === 'silent') return;
    if (this.#lossShare > 0 && this.#random.chance(this.#lossShare)) return;
    const fromGeneration = generation(from.generation);
    this.#later(() => {
      if (target.life === 'running') {
        const sender = { from: from.id, generation: fromGeneration };
        this.#deliver(target, { kind: 'message', ...sender, body });
      } else if (target.life === 'killed') {
        // There is no link any more: the message makes its sender dial, and the dial is refused.
        this.#later(() => this.#deliver(from, { kind: 'dialRefused', peer: target.id }));
      }
    });
  }

  #dial(from: Resident, to: Resident): void {
    if (from.links.has(to) || from.life !== 'running') return;
    this.#later(() => {
      if (to.life === 'killed') {
        this.#later(() => this.#deliver(from, { kind: 'dialRefused', peer: to.id }));
      } else if (to.life === 'running' && from.life === 'running' && !from.links.has(to)) {
        from.links.add(to);
        to.links.add(from);
        this.#deliver(to, linkUp(from));
        this.#later(() => this.#deliver(from, linkUp(to)));
      }
    });
  }

  #linkDown(resident: Resident): MembershipInput {
    const ended = generation(resident.generation);
    return { kind: 'linkDown', peer: resident.id, generation: ended };
  }

  #told(resident: Resident, event: MembershipEvent): void {
    if (event.name === 'member.died' && event.evidence !== 'gossip') {
      const subject = this.#byId.get(event.member);
      const wrong = subject?.life === 'running' && event.generation === subject.generation;
      if (wrong) this.#falseDeaths += 1;
    }
    for (const observer of this.#observers) {
      observer({ atMs: this.nowMs, node: resident.index, event });
    }
  }

  #later(run: () => void): void {
    this.#queue.after(this.#random.between(LATENCY_US_MIN, LATENCY_US_MAX), run);
  }

  get #now(): Instant {
    return (this.#queue.nowUs / 1000) as Instant;
  }
}

type Exchange = Extract<MembershipEffect, { kind: 'send' }> & {
  readonly body: Extract<MembershipMessage, { type: 'pushPullReq' }>;
};

function isExchange(effect: MembershipEffect): effect is Exchange {
  return effect.kind === 'send' && effect.body.type === 'pushPullReq';
}

function linkUp(peer: Resident): MembershipInput {
  return {
    kind: 'linkUp',
    peer: peer.id,
    generation: generation(peer.generation),
    address: peer.address,
  };
}

function metaOf(address: string, lock: Uint8Array): MemberMeta {
  return {
    address,
    httpAddress: '',
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    leaveLock: lock,
    clusterId: undefined,
    raftTerm: 0 as MemberMeta['raftTerm'],
    raftLeader: undefined,
    raftCommit: 0 as MemberMeta['raftCommit'],
    loopLagP99Ms: 0,
    heapPercent: 0,
    clockOffsetMs: 0,
    clockSuspect: false,
  };
}
