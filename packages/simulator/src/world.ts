import { invariant, Random } from '@memgrid/core';
import type {
  ElectionConfig,
  MembershipConfig,
  NodeSettings,
  ShardsOptionsOverride,
} from '@memgrid/core';
import type { NodeId } from '@memgrid/protocol';
import type { Checker, Expectation, NodeView, Violation, WorldView } from './checker.ts';
import { Drains } from './drains.ts';
import { EventQueue } from './event-queue.ts';
import type { Fault, ScheduledFault } from './fault.ts';
import { describeFault } from './fault.ts';
import type { CodecChoice, WireFrame } from './frame-codec.ts';
import { inflict } from './inflict.ts';
import type { TornBatches } from './sim-disk.ts';
import { SimNetwork } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import type { MachineFactory, NodeSurroundings } from './sim-node.ts';
import { TraceHash } from './trace-hash.ts';
import type { WorldEvent, WorldEventKind } from './world-event.ts';

/** Watches a world without judging it: a timeline, counters, a workload. */
export type Observer = (event: WorldEvent, nowUs: number) => void;

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: readonly NodeSettings[];
  readonly machine: MachineFactory;
  readonly membership: MembershipConfig;
  readonly election: ElectionConfig;
  readonly shards: ShardsOptionsOverride;
  /** Entries that each node keeps in memory. */
  readonly entryBytesMax: number;
  readonly codec: CodecChoice;
  readonly tornBatches: TornBatches;
  readonly checkers: readonly Checker[];
  readonly observers: readonly Observer[];
  readonly schedule: readonly ScheduledFault[];
}

/** How often checkers see the status of every node. */
const SAMPLE_EVERY_US = 250_000;
/** The nodes of a world are started within this time of each other. */
const START_SPREAD_US = 800_000;
const PROGRAM_LOAD_US_MIN = 80_000;
const PROGRAM_LOAD_US_MAX = 300_000;
const EXPECTATION_EVERY_US = 100_000;

/**
 * Nodes, one event queue, one clock, one seed.
 *
 * Everything that is uncertain in a real cluster is drawn here from streams split off one seed by
 * name, so the same options always make the same day, to the last byte of every frame.
 */
export class World {
  readonly queue: EventQueue;
  readonly network: SimNetwork<WireFrame>;
  readonly random: Random;
  readonly hash = new TraceHash();
  readonly violations: Violation[] = [];
  readonly drains = new Drains(this);
  readonly #options: WorldOptions;
  readonly #surroundings: NodeSurroundings;
  readonly #nodes: SimNode[] = [];
  readonly #names = new Map<NodeId, string>();
  readonly #checkers = new Map<WorldEventKind, Checker[]>();
  readonly #observers: Observer[];
  #processCount = 0;
  /** Raised by each healing: the planned ends of older faults mean nothing any more. */
  #healings = 0;
  /** Since the last healing no fault has struck: whoever ends is started again. */
  #healthy = false;
  #stopped = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = Random.of(options.seed);
    this.queue = new EventQueue(this.random.split('queue'));
    this.network = new SimNetwork(this.queue, this.random.split('network'));
    this.#observers = [...options.observers];
    this.#surroundings = {
      queue: this.queue,
      network: this.network,
      codec: options.codec,
      tornBatches: options.tornBatches,
      hash: this.hash,
      machine: options.machine,
      membership: options.membership,
      election: options.election,
      shards: options.shards,
      entryBytesMax: options.entryBytesMax,
      observe: (event) => this.observe(event),
      register: (node, nodeId) => this.#register(node, nodeId),
    };
    for (const checker of options.checkers) this.#subscribe(checker);
    for (const settings of options.nodes) this.#addNode(settings);
    this.#begin();
  }

  get nowMs(): number {
    return this.queue.nowUs / 1000;
  }

  /** In the order in which they were added: n1, n2, …, then clones. */
  get nodes(): readonly SimNode[] {
    return this.#nodes;
  }

  node(name: string): SimNode {
    const found = this.#nodes.find((node) => node.name === name);
    invariant(found !== undefined, `There is no node ${name} in this world.`);
    return found;
  }

  nameOf(nodeId: NodeId): string {
    return this.#names.get(nodeId) ?? nodeId.slice(0, 8);
  }

  /** Who leads by its own account, in the highest term. */
  coordinator(): SimNode | undefined {
    let best: SimNode | undefined;
    let bestTerm = -1;
    for (const node of this.#nodes) {
      if (node.process === undefined || node.process.isStopped) continue;
      const { election } = node.process.status();
      if (election?.role !== 'leader' || election.term <= bestTerm) continue;
      best = node;
      bestTerm = election.term;
    }
    return best;
  }

  /** Lets so much virtual time pass; ends early at a violation. */
  run(ms: number): void {
    this.queue.runUntil(this.queue.nowUs + Math.round(ms * 1000), () => this.#stopped);
  }

  /** A violation has stopped the world. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  addObserver(observer: Observer): void {
    this.#observers.push(observer);
  }

  observe(event: WorldEvent): void {
    const nowUs = this.queue.nowUs;
    for (const observer of this.#observers) observer(event, nowUs);
    if (event.kind === 'ended' && this.#healthy) this.#bringBack(event.at.node);
    const checkers = this.#checkers.get(event.kind);
    if (checkers === undefined) return;
    for (const checker of checkers) {
      const message = checker.observe(event, nowUs);
      if (message !== undefined) {
        this.#violated(checker.name, 'at' in event ? event.at.node : undefined, message);
      }
    }
  }

  inflict(fault: Fault): void {
    this.#healthy = false;
    this.observe({ kind: 'intervened', what: describeFault(fault), fault });
    inflict(this, fault);
  }

  /** Runs `run` after `ms`, unless the world has been healed by then. */
  unlessHealed(ms: number, run: () => void): void {
    const healings = this.#healings;
    this.queue.after(ms * 1000, () => {
      if (healings === this.#healings) run();
    });
  }

  /** Starts a node after the time that a program takes to load. */
  start(node: SimNode): void {
    const random = this.random.split(`load/${node.name}/${this.#processCount}`);
    node.startAfter(random.between(PROGRAM_LOAD_US_MIN, PROGRAM_LOAD_US_MAX));
  }

  addClone(of: SimNode, name: string): SimNode {
    const clone = this.#addNode(
      { ...of.settings, address: `${name}:7700`, httpAddress: `${name}:7780` },
      of.disk.snapshot(),
    );
    this.start(clone);
    return clone;
  }

  /** Ends every fault, mends every clock and disk, and starts whoever ought to run. */
  heal(): void {
    this.#healings += 1;
    this.#healthy = true;
    this.network.heal();
    this.drains.endAll();
    for (const node of this.#nodes) {
      node.clock.mend();
      node.disk.mend();
      node.powerOn();
      if (node.process !== undefined) {
        node.process.slowness = 1;
        this.resume(node);
      } else if (!node.isAway) {
        this.start(node);
      } else if (node.isReplaced && !this.#isFounded) {
        // Its copy is a node now, and everybody waits for an answer from its address. It gets an
        // empty directory, as docs/operations/recovery.md tells whoever runs it.
        node.disk.wipe();
        this.start(node);
      }
    }
  }

  get #isFounded(): boolean {
    return this.#nodes.some(({ process }) => process?.status().clusterId !== undefined);
  }

  stopProcess(node: SimNode, forMs: number | undefined): void {
    if (node.process === undefined || node.process.isStopped) return;
    node.process.stop();
    this.observe({ kind: 'paused', at: node.process.label, forMs });
  }

  resume(node: SimNode): void {
    if (node.process?.isStopped !== true) return;
    node.process.resume();
    this.observe({ kind: 'resumed', at: node.process.label });
  }

  /**
   * Waits until every expectation holds at the same time. Each that does not within its own time
   * is a violation.
   */
  settle(expectations: readonly Expectation[]): void {
    const startUs = this.queue.nowUs;
    for (;;) {
      const view = this.view();
      const open = expectations
        .map((one) => ({ one, missing: one.missing(view) }))
        .filter(({ missing }) => missing !== undefined);
      if (open.length === 0 || this.#stopped) return;
      const waitedMs = (this.queue.nowUs - startUs) / 1000;
      for (const { one, missing } of open) {
        if (waitedMs < one.withinMs) continue;
        const late = `After ${waitedMs / 1000} s without faults: ${missing}`;
        this.#violated(one.name, undefined, late);
      }
      if (this.#stopped) return;
      this.queue.runUntil(this.queue.nowUs + EXPECTATION_EVERY_US, () => this.#stopped);
    }
  }

  /** Asks the checkers for what can only be said at the end. */
  finish(): void {
    for (const checker of this.#options.checkers) {
      const message = checker.finish();
      if (message !== undefined) this.#violated(checker.name, undefined, message);
    }
  }

  view(): WorldView {
    const expected: NodeView[] = [];
    for (const node of this.#nodes) {
      if (node.isAway) continue;
      const { process } = node;
      const answers = process !== undefined && !process.isStopped;
      expected.push({
        node: node.name,
        status: answers ? process.status() : undefined,
        label: process?.label,
      });
    }
    return { nowUs: this.queue.nowUs, expected, nameOf: (nodeId) => this.nameOf(nodeId) };
  }

  #begin(): void {
    const random = this.random.split('start');
    for (const node of this.#nodes) node.startAfter(random.between(0, START_SPREAD_US));
    for (const fault of this.#options.schedule) {
      this.queue.at(Math.round(fault.atMs * 1000), () => this.inflict(fault));
    }
    this.queue.after(SAMPLE_EVERY_US, this.#sample);
  }

  readonly #sample = (): void => {
    for (const node of this.#nodes) node.process?.sample();
    this.queue.after(SAMPLE_EVERY_US, this.#sample);
  };

  /** What was under way when the faults ended (a hand-over, a failed sync) still ends a process. */
  #bringBack(name: string): void {
    const node = this.node(name);
    this.queue.after(0, () => {
      if (node.process === undefined && !node.isAway) this.start(node);
    });
  }

  #addNode(settings: NodeSettings, records?: ReadonlyMap<string, Uint8Array>): SimNode {
    const random = this.random.split(`node/${settings.address}`);
    const world = this.#surroundings;
    const node = new SimNode(
      records === undefined ? { settings, random, world } : { settings, random, world, records },
    );
    this.#nodes.push(node);
    return node;
  }

  #register(node: SimNode, nodeId: NodeId | undefined): number {
    this.#processCount += 1;
    if (nodeId !== undefined && !this.#names.has(nodeId)) {
      const known = [...this.#names.values()];
      let name = node.name;
      for (let life = 2; known.includes(name); life += 1) name = `${node.name}.${life}`;
      this.#names.set(nodeId, name);
    }
    return this.#processCount;
  }

  #subscribe(checker: Checker): void {
    for (const kind of checker.kinds) {
      const list = this.#checkers.get(kind);
      if (list === undefined) this.#checkers.set(kind, [checker]);
      else list.push(checker);
    }
  }

  #violated(checker: string, node: string | undefined, message: string): void {
    this.violations.push({ checker, atMs: this.nowMs, node, message });
    this.#stopped = true;
  }
}
