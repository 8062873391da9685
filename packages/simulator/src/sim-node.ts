import { invariant, MemoryEntryTable, plainEntryRules } from '@memgrid/core';
import type {
  ElectionConfig,
  HaltCode,
  MembershipConfig,
  NodeMachineOptions,
  NodeSettings,
  Random,
  ShardsOptionsOverride,
} from '@memgrid/core';
import type { NodeId } from '@memgrid/protocol';
import { EntryDisk } from './entry-disk.ts';
import type { EventQueue } from './event-queue.ts';
import type { CodecChoice, WireFrame } from './frame-codec.ts';
import { sha256 } from './sha256.ts';
import { SimClock } from './sim-clock.ts';
import { SimDisk } from './sim-disk.ts';
import type { TornBatches } from './sim-disk.ts';
import { hostOf } from './sim-dial.ts';
import type { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import type { ProcessOptions, SimulatedMachine } from './sim-process.ts';
import type { ProcessEnd, ProcessLabel } from './world-event.ts';

/** Makes what runs in a process. Production's is `new NodeMachine(options)`. */
export type MachineFactory = (options: NodeMachineOptions) => SimulatedMachine;

/** What every node of a world has in common with it. */
export interface NodeSurroundings extends Pick<
  ProcessOptions,
  'queue' | 'network' | 'codec' | 'hash' | 'observe'
> {
  readonly queue: EventQueue;
  readonly network: SimNetwork<WireFrame>;
  readonly codec: CodecChoice;
  readonly tornBatches: TornBatches;
  readonly machine: MachineFactory;
  readonly membership: MembershipConfig;
  readonly election: ElectionConfig;
  readonly shards: ShardsOptionsOverride;
  /** Entries in memory; above it values are read back from disk. */
  readonly entryBytesMax: number;
  /** A number for each process start of the world, and a name for its node id. */
  readonly register: (node: SimNode, nodeId: NodeId | undefined) => number;
}

export interface SimNodeOptions {
  readonly settings: NodeSettings;
  readonly random: Random;
  readonly world: NodeSurroundings;
  /** What the directory holds at first: a copy, for a clone. */
  readonly records?: ReadonlyMap<string, Uint8Array>;
}

/** A node that halts like this is started again by whoever runs it; any other halt is for good. */
const RESTARTED_AFTER: ReadonlySet<HaltCode> = new Set<HaltCode>(['left', 'storeFailed']);

/** One host with its data directory, its clocks, and at most one process. */
export class SimNode {
  readonly settings: NodeSettings;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly entries: EntryDisk;
  readonly #random: Random;
  readonly #world: NodeSurroundings;
  #process: SimProcess | undefined;
  #away = false;
  #replaced = false;
  #label: ProcessLabel;
  #startCount = 0;
  /** Raised by each start and stop, so that a delayed start can see that it is out of date. */
  #revision = 0;

  constructor(options: SimNodeOptions) {
    const { world, random, settings } = options;
    this.settings = settings;
    this.#world = world;
    this.#random = random;
    const headStartUs = random.split('uptime').between(0, 3_600_000_000);
    this.clock = new SimClock(() => world.queue.nowUs, Math.round(headStartUs));
    this.disk = new SimDisk(
      {
        random: random.split('disk'),
        after: (delayUs, run) => world.queue.after(delayUs, run),
        tornBatches: world.tornBatches,
      },
      options.records,
    );
    this.entries = new EntryDisk({
      disk: this.disk,
      random: random.split('loads'),
      after: (delayUs, run) => world.queue.after(delayUs, run),
    });
    world.network.addHost(this.name);
    this.#label = { node: this.name, nodeId: '' as NodeId, process: 0 };
  }

  get name(): string {
    return hostOf(this.settings.address);
  }

  /** The process, while it runs (or is stopped). */
  get process(): SimProcess | undefined {
    return this.#process;
  }

  /** It stays down when the world heals: it left, or its identity is in use elsewhere. */
  get isAway(): boolean {
    return this.#away;
  }

  /** It is away because another process runs with its identity. */
  get isReplaced(): boolean {
    return this.#away && this.#replaced;
  }

  /** Starts a process after the time that loading a program takes. */
  startAfter(delayUs: number): void {
    this.#revision += 1;
    const revision = this.#revision;
    this.#away = false;
    this.#world.queue.after(delayUs, () => {
      if (revision === this.#revision) this.#start();
    });
  }

  kill(): void {
    this.#revision += 1;
    this.#process?.kill();
  }

  powerOff(): void {
    this.#revision += 1;
    this.#process?.powerOff();
    this.#world.network.power(this.name, false);
  }

  powerOn(): void {
    this.#world.network.power(this.name, true);
  }

  /** It stays down when the world heals. */
  stayAway(): void {
    this.#away = true;
  }

  #start(): void {
    if (this.#process !== undefined) return;
    this.#startCount += 1;
    const { election, machine, membership, queue, register } = this.#world;
    const random = this.#random.split(`process/${this.#startCount}`);
    const now = this.clock.monotonicAt(queue.nowUs);
    const table = new MemoryEntryTable({ bytesMax: this.#world.entryBytesMax });
    const { damaged, records } = this.entries.open(table);
    let running: SimulatedMachine;
    try {
      running = machine({
        settings: this.settings,
        membership,
        election,
        shards: this.#world.shards,
        entries: table,
        rules: plainEntryRules,
        records,
        random: random.split('machine'),
        digest: sha256,
        now,
        wallMs: this.clock.wallMs(),
      });
    } catch (error) {
      // A directory that its own program cannot read: as bad as any other fault of a machine.
      this.#world.observe({ kind: 'ended', at: this.#label, end: { how: 'faulted', error } });
      return;
    }
    const { nodeId } = running.status(now);
    const label = { node: this.name, nodeId, process: register(this, nodeId) };
    this.#label = label;
    this.#process = new SimProcess({
      ...this.#world,
      label,
      address: this.settings.address,
      machine: running,
      disk: this.disk,
      entries: this.entries,
      clock: this.clock,
      random: random.split('shell'),
      ended: (end) => this.#ended(end),
    });
    this.#process.start();
    for (const input of damaged) this.#process.tell(input);
  }

  #ended(end: ProcessEnd): void {
    invariant(this.#process !== undefined, `${this.name} ended twice.`);
    this.#process = undefined;
    if (end.how === 'halted' && !RESTARTED_AFTER.has(end.code)) this.#away = true;
    this.#replaced = end.how === 'halted' && end.code === 'identityInUse';
  }
}
