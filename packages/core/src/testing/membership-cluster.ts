import type { Generation, MembershipMessage, NodeId } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import { DueQueue, NOT_QUEUED, type Due } from '../due-queue.ts';
import { leaveLock } from '../membership/leave-key.ts';
import { LAN } from '../membership/membership-config.ts';
import type { MembershipConfig } from '../membership/membership-config.ts';
import type {
  MembershipEffect,
  MembershipEvent,
  MembershipInput,
} from '../membership/membership-io.ts';
import { Membership } from '../membership/membership.ts';
import type { Digest } from '../digest.ts';
import { Random } from '../random.ts';
import { metaOf } from './membership-fixture.ts';

export interface MembershipClusterOptions {
  readonly seed: number;
  readonly digest: Digest;
  readonly config?: MembershipConfig;
  /** Probability that a message is lost. */
  readonly loss?: number;
  /** Connect every pair that knows each other, as real nodes below 200 do. */
  readonly fullMesh?: boolean;
}

interface Process {
  readonly id: NodeId;
  readonly index: number;
  machine: Membership;
  generation: number;
  state: 'up' | 'killed' | 'silent';
  wakeAt: number;
  /** Inputs that wait while the process is paused. */
  waiting: MembershipInput[] | undefined;
  readonly links: Set<Process>;
}

/** One thing that a node told about itself. */
export interface Told {
  readonly at: number;
  readonly index: number;
  readonly event: MembershipEvent;
}

/**
 * Membership machines alone, in virtual time: messages by reference, no codec, no other machine.
 *
 * Small enough to read in one sitting. The simulator package has the real network; this one lets
 * the machine's own tests ask "and what do the others believe then?".
 */
export class MembershipCluster {
  readonly told: Told[] = [];
  messageCount = 0;
  #now = 0 as Instant;
  #sequence = 0;
  readonly #queue = new DueQueue<Due & { readonly act: () => void }>();
  readonly #processes: Process[] = [];
  readonly #byId = new Map<NodeId, Process>();
  readonly #random: Random;
  readonly #options: MembershipClusterOptions;
  #connected: (a: number, b: number) => boolean = () => true;

  constructor(options: MembershipClusterOptions) {
    this.#options = options;
    this.#random = Random.of(options.seed);
  }

  get now(): number {
    return this.#now;
  }

  get size(): number {
    return this.#processes.length;
  }

  /** Starts nodes; each dials node 0 at once. */
  start(count: number): void {
    for (let at = 0; at < count; at += 1) {
      const index = this.#processes.length;
      const id = index.toString(16).padStart(4, '0').repeat(8) as NodeId;
      const process: Process = {
        ...{ id, index, generation: 1, state: 'up' as const, wakeAt: Infinity, waiting: undefined },
        machine: this.#machineOf(id, index, 1),
        links: new Set(),
      };
      this.#processes.push(process);
      this.#byId.set(id, process);
      if (index > 0) this.#dial(process, this.#processes[0] as Process);
      this.#schedule(process);
    }
  }

  machine(index: number): Membership {
    return this.#process(index).machine;
  }

  id(index: number): NodeId {
    return this.#process(index).id;
  }

  /** The process is gone: links break, and its address refuses connections. */
  kill(index: number): void {
    const process = this.#process(index);
    process.state = 'killed';
    for (const peer of [...process.links]) this.#unlink(process, peer);
  }

  /** Nothing from or to it arrives any more, and nobody is told. */
  silence(index: number): void {
    this.#process(index).state = 'silent';
  }

  /** A new life of a killed process, which dials `seed`. */
  restart(index: number, seed: number): void {
    const process = this.#process(index);
    process.state = 'up';
    process.generation += 1;
    process.machine = this.#machineOf(process.id, index, process.generation);
    process.wakeAt = Infinity;
    this.#dial(process, this.#process(seed));
    this.#schedule(process);
  }

  /** The process stands still: its inputs wait, then come before its timers. */
  pause(index: number, pauseMs: number): void {
    const process = this.#process(index);
    if (process.waiting !== undefined || process.state !== 'up') return;
    process.waiting = [];
    this.#after(pauseMs, () => {
      const waiting = process.waiting ?? [];
      process.waiting = undefined;
      this.#step(process, { kind: 'stalled', stalledMs: pauseMs });
      for (const input of waiting) this.#step(process, input);
      this.#schedule(process);
    });
  }

  /** Messages between a and b pass only while `connected` says so. Links are not told. */
  connect(connected: (a: number, b: number) => boolean): void {
    this.#connected = connected;
  }

  input(index: number, input: MembershipInput): void {
    this.#deliver(this.#process(index), input);
  }

  run(forMs: number): void {
    const until = after(this.#now, forMs);
    while ((this.#queue.earliest ?? Infinity) <= until) {
      this.#now = this.#queue.earliest as Instant;
      this.#queue.take(this.#now)?.act();
    }
    this.#now = until;
  }

  /** Runs until `condition` holds; the time it took, or undefined after `forMs`. */
  runUntil(condition: () => boolean, forMs: number): number | undefined {
    const startedAt = this.#now;
    while (this.#now - startedAt < forMs) {
      if (condition()) return this.#now - startedAt;
      this.run(10);
    }
    return undefined;
  }

  every(periodMs: () => number, action: () => void): void {
    this.#after(periodMs(), () => {
      action();
      this.every(periodMs, action);
    });
  }

  #machineOf(nodeId: NodeId, index: number, generation: number): Membership {
    const { digest, config = LAN } = this.#options;
    const random = this.#random.split(`${nodeId}/${generation}`);
    const leaveKey = random.bytes(16);
    const meta = metaOf({
      address: `node-${index}:7000`,
      leaveLock: leaveLock(digest, leaveKey),
    });
    const self = { nodeId, generation: generation as Generation, meta, leaveKey };
    return new Membership({ config, self, random, digest, now: this.#now });
  }

  #process(index: number): Process {
    const process = this.#processes[index];
    invariant(process !== undefined, `There is no node ${index}.`);
    return process;
  }

  #deliver(process: Process, input: MembershipInput): void {
    if (process.state === 'killed') return;
    if (process.waiting !== undefined) {
      process.waiting.push(input);
      return;
    }
    this.#step(process, input);
    this.#schedule(process);
  }

  #step(process: Process, input: MembershipInput): void {
    this.#perform(process, process.machine.step(this.#now, input));
  }

  #schedule(process: Process): void {
    const { wakeAt } = process.machine;
    if (wakeAt === undefined || process.wakeAt <= wakeAt) return;
    const at = wakeAt > this.#now ? wakeAt : this.#now;
    process.wakeAt = at;
    const act = (): void => {
      if (process.wakeAt !== at) return;
      process.wakeAt = Infinity;
      if (process.state === 'killed' || process.waiting !== undefined) return;
      if ((process.machine.wakeAt ?? Infinity) <= this.#now) {
        this.#perform(process, process.machine.wake(this.#now));
      }
      this.#schedule(process);
    };
    this.#queue.add(at, { act, dueAt: NOT_QUEUED });
  }

  #perform(process: Process, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'event') this.#tell(process, effect.event);
      else if (effect.kind === 'send') this.#send(process, effect.to, effect.body);
      else if (effect.kind === 'contact') this.#dialId(process, effect.peer);
    }
  }

  #tell(process: Process, event: MembershipEvent): void {
    this.told.push({ at: this.#now, index: process.index, event });
    if (event.name === 'member.joined' && this.#options.fullMesh === true) {
      this.#dialId(process, event.member);
    }
  }

  #send(from: Process, to: NodeId, body: MembershipMessage): void {
    const target = this.#byId.get(to);
    this.messageCount += 1;
    if (target === undefined || !this.#reaches(from, target)) return;
    if (this.#random.chance(this.#options.loss ?? 0)) return;
    const generation = from.generation as Generation;
    this.#after(this.#latencyMs(), () => {
      if (!this.#reaches(from, target)) return;
      this.#deliver(target, { kind: 'message', from: from.id, generation, body });
    });
  }

  #dialId(from: Process, to: NodeId): void {
    const target = this.#byId.get(to);
    if (target !== undefined) this.#dial(from, target);
  }

  #dial(from: Process, to: Process): void {
    if (from.links.has(to) || from.state === 'silent') return;
    this.#after(this.#latencyMs(), () => {
      if (!this.#connected(from.index, to.index) || to.state === 'silent') return;
      if (to.state === 'killed') {
        this.#deliver(from, { kind: 'dialRefused', peer: to.id });
      } else if (!from.links.has(to) && from.state === 'up') {
        from.links.add(to);
        to.links.add(from);
        this.#deliver(from, linkUp(to));
        this.#deliver(to, linkUp(from));
      }
    });
  }

  #unlink(a: Process, b: Process): void {
    a.links.delete(b);
    b.links.delete(a);
    const generation = a.generation as Generation;
    this.#after(this.#latencyMs(), () => {
      this.#deliver(b, { kind: 'linkDown', peer: a.id, generation });
    });
  }

  #reaches(from: Process, to: Process): boolean {
    return from.state === 'up' && to.state === 'up' && this.#connected(from.index, to.index);
  }

  #latencyMs(): number {
    return this.#random.between(0.3, 2);
  }

  #after(delayMs: number, action: () => void): void {
    // A hair of extra time for each event keeps events of one moment in the order of their making.
    this.#sequence += 1;
    const at = after(this.#now, delayMs + this.#sequence * 1e-9);
    this.#queue.add(at, { act: action, dueAt: NOT_QUEUED });
  }
}

function linkUp(peer: Process): MembershipInput {
  const generation = peer.generation as Generation;
  return { kind: 'linkUp', peer: peer.id, generation, address: `node-${peer.index}:7000` };
}
