import { entryKey, MemoryEntryTable, plainEntryRules, unreachable } from '@memgrid/core';
import type {
  AppliedChange,
  EntryKey,
  EntryTable,
  Instant,
  Machine,
  Random,
  ShardEvent,
  ShardMessage,
  ShardsEffect,
  ShardsInput,
  ShardsOptions,
  ShardStatus,
  StoredEntry,
} from '@memgrid/core';
import type {
  Answer,
  Generation,
  NodeId,
  Operation,
  ShardConfig,
  ShardId,
  ShardReport,
  Timestamp,
} from '@memgrid/protocol';
import { EntryDisk } from '../entry-disk.ts';
import type { EventQueue } from '../event-queue.ts';
import { SimClock } from '../sim-clock.ts';
import { SimDisk } from '../sim-disk.ts';
import type { DiskLoss } from '../sim-disk.ts';
import { ShardClock } from './shard-clock.ts';
import type { ShardTuning } from './shard-tuning.ts';

/** What runs on each host: production's `Shards`, or a toy in tests. */
export interface SimulatedShards extends Machine<ShardsInput, ShardsEffect> {
  status(): readonly ShardStatus[];
  /** See `Shards`; a toy has everything handed in. */
  answerAtOnce?(now: Instant, operation: Operation): Answer | undefined;
}

export type ShardsFactory = (
  options: Omit<ShardsOptions, 'config'> & { readonly config: ShardTuning['config'] },
) => SimulatedShards;

/** One run of one host. */
export interface ShardLife {
  readonly node: number;
  readonly nodeId: NodeId;
  readonly generation: Generation;
}

/** What a message carries besides its body. */
export interface ShardParcel {
  readonly body: ShardMessage;
  readonly timestamp: Timestamp;
}

/** Who is told what happens on a host. */
export interface ShardHostHooks {
  readonly send: (from: ShardLife, to: NodeId, parcel: ShardParcel) => void;
  readonly report: (life: ShardLife, reports: readonly ShardReport[]) => void;
  readonly applied: (life: ShardLife, changes: readonly AppliedChange[]) => void;
  readonly event: (life: ShardLife, event: ShardEvent) => void;
  readonly started: (life: ShardLife, status: readonly ShardStatus[]) => void;
  readonly faulted: (life: ShardLife, error: unknown) => void;
  /** For a reader: only called when somebody reads. */
  readonly trace: ((life: ShardLife, what: string, detail: unknown) => void) | undefined;
}

export interface ShardHostOptions {
  readonly node: number;
  readonly nodeId: NodeId;
  readonly queue: EventQueue;
  readonly random: Random;
  readonly tuning: ShardTuning;
  readonly shards: ShardsFactory;
  readonly hooks: ShardHostHooks;
}

interface Running {
  readonly life: ShardLife;
  readonly machine: SimulatedShards;
  readonly entries: EntryTable;
  readonly asked: Map<number, (answer: Answer) => void>;
}

const SKEW_MS = 150;
const DRIFT_PPM = 200;
/** A machine that wants to be woken this often without time passing never stops wanting it. */
const WAKES_PER_MS_MAX = 2_000;

/** One host: a disk, two clocks, and at most one process that holds shards. */
export class ShardHost {
  readonly node: number;
  readonly nodeId: NodeId;
  readonly disk: SimDisk;
  readonly clock: SimClock;
  readonly #options: ShardHostOptions;
  readonly #hybrid: ShardClock;
  readonly #random: Random;
  readonly #entryDisk: EntryDisk;
  #running: Running | undefined;
  #generation = 0;
  /** Raised by every end of a process: answers of the disk for an earlier one are not heard. */
  #lives = 0;
  #paused = false;
  #inbox: ShardsInput[] = [];
  #token = 0;
  #wakeQueuedUs = Infinity;
  #wakesAtMs = 0;
  #wakeCount = 0;

  constructor(options: ShardHostOptions) {
    this.#options = options;
    this.node = options.node;
    this.nodeId = options.nodeId;
    this.#random = options.random;
    const { queue, random } = options;
    this.clock = new SimClock(() => queue.nowUs, random.below(1_000_000_000));
    this.clock.skew(random.between(-SKEW_MS, SKEW_MS));
    this.clock.drift(random.between(-DRIFT_PPM, DRIFT_PPM));
    this.#hybrid = new ShardClock(() => this.clock.wallMs());
    this.disk = new SimDisk({
      random: random.split('disk'),
      after: (delayUs, run) => queue.after(delayUs, run),
      tornBatches: 'discarded',
    });
    this.#entryDisk = new EntryDisk({
      disk: this.disk,
      random: random.split('loads'),
      after: (delayUs, run) => queue.after(delayUs, run),
    });
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Of the process that runs, or ran last. */
  get generation(): Generation {
    return this.#generation as Generation;
  }

  get lives(): number {
    return this.#lives;
  }

  get entries(): EntryTable | undefined {
    return this.#running?.entries;
  }

  status(): readonly ShardStatus[] {
    return this.#running?.machine.status() ?? [];
  }

  /** @param configs what it knows of the table of shards before anybody speaks with it. */
  start(configs: readonly ShardConfig[]): void {
    this.#generation += 1;
    this.#lives += 1;
    const { hooks, node, nodeId, queue, shards, tuning } = this.#options;
    const life: ShardLife = { node, nodeId, generation: this.generation };
    const entries = new MemoryEntryTable({ bytesMax: tuning.entryBytesMax });
    const { records, damaged } = this.#entryDisk.open(entries);
    const now = this.clock.monotonicAt(queue.nowUs);
    try {
      const machine = shards({
        self: nodeId,
        generation: life.generation,
        config: tuning.config,
        records,
        entries,
        rules: plainEntryRules,
        tick: this.#hybrid.tick,
        random: this.#random.split(`life/${this.#generation}`),
        now,
      });
      this.#running = { life, machine, entries, asked: new Map() };
    } catch (error) {
      hooks.faulted(life, error);
      return;
    }
    hooks.trace?.(life, 'started', undefined);
    hooks.started(life, this.status());
    for (const input of damaged) this.input(input);
    this.input({ kind: 'configs', configs });
  }

  crash(loss: DiskLoss): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#options.hooks.trace?.(running.life, loss, undefined);
    this.#running = undefined;
    this.#lives += 1;
    this.#paused = false;
    this.#inbox = [];
    this.#wakeQueuedUs = Infinity;
    this.disk.crash(loss);
  }

  pause(): void {
    // A pause must not outlive a process that never had it: nobody would end it after healing.
    if (this.#running === undefined) return;
    this.#paused = true;
  }

  /** Everything that arrived meanwhile is read before the first timer fires. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const waiting = this.#inbox;
    this.#inbox = [];
    for (const input of waiting) this.input(input);
    this.#scheduleWake();
  }

  deliver(from: NodeId, parcel: ShardParcel): void {
    if (this.#running === undefined) return;
    this.#hybrid.observe(parcel.timestamp);
    this.input({ kind: 'message', from, body: parcel.body });
  }

  /** A client asks; `answered` is told at most once. */
  operate(operation: Operation, answered: (answer: Answer) => void): void {
    const running = this.#running;
    if (running === undefined) return;
    // As a gateway does.
    const atOnce = this.#paused ? undefined : running.machine.answerAtOnce?.(this.#now, operation);
    if (atOnce !== undefined) {
      answered(atOnce);
      return;
    }
    this.#token += 1;
    running.asked.set(this.#token, answered);
    this.input({ kind: 'operations', operations: [{ token: this.#token, operation }] });
  }

  /**
   * One stored entry no longer matches its checksum, if there is one that `allowed` agrees to; half
   * of them are found by the scrub soon after, the others when somebody reads them.
   */
  flip(pick: number, allowed: (entry: EntryKey) => boolean): void {
    const flipped = this.#entryDisk.flip(pick, allowed);
    if (flipped === undefined) return;
    const running = this.#running;
    if (running !== undefined) this.#options.hooks.trace?.(running.life, 'flipped', flipped);
    if (pick % 2 === 0) return;
    const { shard, slot, key } = flipped;
    this.#options.queue.after(this.#random.between(1_000, 200_000), () => {
      if (!this.hasDamaged(shard, key)) return;
      this.input({ kind: 'damaged', shard, slot, key, problem: 'Found by the scrub.' });
    });
  }

  /** What a load would answer, for whoever compares hosts: undefined when it is not readable. */
  loadNow(shard: ShardId, slot: number, key: string): StoredEntry | undefined {
    return this.#entryDisk.peek(entryKey(shard, slot, key));
  }

  /** Whether this host's copy of an entry is damaged. */
  hasDamaged(shard: ShardId, key: string): boolean {
    return this.#entryDisk.hasDamaged(shard, key);
  }

  input(input: ShardsInput): void {
    const running = this.#running;
    if (running === undefined) return;
    if (this.#paused) {
      this.#inbox.push(input);
      return;
    }
    this.#options.hooks.trace?.(running.life, `< ${input.kind}`, input);
    this.#run(running, () => running.machine.step(this.#now, input));
  }

  get #now(): Instant {
    return this.clock.monotonicAt(this.#options.queue.nowUs);
  }

  #run(running: Running, decide: () => readonly ShardsEffect[]): void {
    try {
      for (const effect of decide()) {
        if (this.#running !== running) return;
        this.#perform(running, effect);
      }
    } catch (error) {
      this.#options.hooks.faulted(running.life, error);
      this.crash('killed');
      return;
    }
    this.#scheduleWake();
  }

  #perform(running: Running, effect: ShardsEffect): void {
    const { hooks } = this.#options;
    const { life } = running;
    switch (effect.kind) {
      case 'send':
        hooks.send(life, effect.to, { body: effect.body, timestamp: this.#hybrid.tick() });
        break;
      case 'store':
        this.#store(running, effect);
        break;
      case 'load':
        this.#load(running, effect);
        break;
      case 'answer': {
        const answered = running.asked.get(effect.token);
        running.asked.delete(effect.token);
        if (answered === undefined) {
          throw new Error(`Operation ${effect.token} was answered twice or never asked.`);
        }
        answered(effect.answer);
        break;
      }
      case 'orphans':
        throw new Error('Nobody asked about orphans.');
      case 'applied':
        hooks.applied(life, effect.changes);
        break;
      case 'report':
        hooks.report(life, effect.reports);
        break;
      case 'event':
        hooks.trace?.(life, `! ${effect.event.name}`, effect.event);
        hooks.event(life, effect.event);
        break;
      default:
        unreachable(effect);
    }
  }

  #store(running: Running, effect: ShardsEffect & { kind: 'store' }): void {
    this.#entryDisk.written(effect.operations);
    this.#options.hooks.trace?.(running.life, 'store', effect);
    this.disk.store(effect.operations, effect.durable, (problem) => {
      if (this.#running !== running || problem !== undefined) return;
      this.input({ kind: 'stored', ticket: effect.ticket });
    });
  }

  #load(running: Running, { ticket, ...effect }: ShardsEffect & { kind: 'load' }): void {
    this.#entryDisk.load(entryKey(effect.shard, effect.slot, effect.key), (result) => {
      if (this.#running === running) this.input({ kind: 'loaded', ticket, result });
    });
  }

  #scheduleWake(): void {
    const running = this.#running;
    const wakeAt = running?.machine.wakeAt;
    if (running === undefined || wakeAt === undefined || this.#paused) return;
    const { queue } = this.#options;
    const atUs = Math.max(queue.nowUs + 1, this.clock.worldUsOf(wakeAt));
    if (atUs >= this.#wakeQueuedUs) return;
    this.#wakeQueuedUs = atUs;
    queue.at(atUs, () => {
      if (this.#wakeQueuedUs === atUs) this.#wakeQueuedUs = Infinity;
      if (this.#running === running && !this.#paused) this.#wake(running);
    });
  }

  #wake(running: Running): void {
    const due = running.machine.wakeAt;
    if (due === undefined || due > this.#now) {
      this.#scheduleWake();
      return;
    }
    const ms = Math.floor(this.#options.queue.nowUs / 1000);
    this.#wakeCount = ms === this.#wakesAtMs ? this.#wakeCount + 1 : 0;
    this.#wakesAtMs = ms;
    this.#run(running, () => {
      if (this.#wakeCount > WAKES_PER_MS_MAX) throw new Error('It wants to be woken for ever.');
      return running.machine.wake(this.#now);
    });
  }
}
