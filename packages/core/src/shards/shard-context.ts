import type { Generation, NodeId, ShardId, Timestamp } from '@memgrid/protocol';
import { DueQueue } from '../due-queue.ts';
import type { EntryTable } from '../entries/entry-table.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import { DOTS_KEY, DotLease } from './dot-lease.ts';
import { EntryLoads } from './entry-loads.ts';
import { OperationMemory } from './operation-memory.ts';
import type { EntryRules, ShardsConfig, ShardsOptions } from './shards-io.ts';
import { StepOutbox } from './step-outbox.ts';
import { StepStorage } from './step-storage.ts';
import { StreamThrottle } from './streams/stream-throttle.ts';
import type { WaitingOperation } from './waiting-operation.ts';

/** Room for the numbers of one life; 2^53 leaves as many lives as any node has. */
const NUMBERS_PER_LIFE = 2 ** 32;

/** What all shards of one node have in common. */
export class ShardContext {
  readonly self: NodeId;
  readonly generation: Generation;
  readonly config: ShardsConfig;
  readonly entries: EntryTable;
  readonly rules: EntryRules;
  readonly random: Random;
  readonly outbox: StepOutbox;
  readonly storage = new StepStorage();
  readonly loads: EntryLoads;
  readonly dots: DotLease;
  readonly throttle: StreamThrottle;
  readonly operations: OperationMemory;
  /** Shards that this step did something with: each is finished once, at its end. */
  readonly touched = new Set<ShardId>();
  /** Shards with something that the disk is told at the next flush. */
  readonly unflushed = new Set<ShardId>();
  /** Operations by deadline. */
  readonly deadlines = new DueQueue<WaitingOperation>();
  readonly #tick: () => Timestamp;
  readonly #wallMs: (() => number) | undefined;
  #nowMs: number | undefined;
  #numbers = 0;
  now: Instant;
  /** Gossip's verdict. Empty before the first one: then everybody is worth a try. */
  alive: ReadonlySet<NodeId> = new Set();
  /** Bodies of all records that all shards retain. */
  logBytes = 0;

  constructor(options: ShardsOptions) {
    this.self = options.self;
    this.generation = options.generation;
    this.outbox = new StepOutbox(options.generation * NUMBERS_PER_LIFE);
    this.config = options.config;
    this.entries = options.entries;
    this.rules = options.rules;
    this.random = options.random;
    this.now = options.now;
    this.#tick = options.tick;
    this.#wallMs = options.wallMs;
    const seed = options.random.split('operations').uint32();
    this.operations = new OperationMemory(options.config.operationBytesMax, seed);
    this.loads = new EntryLoads(this);
    this.throttle = new StreamThrottle({
      bytesPerSecond: options.config.streamBytesPerSecond,
      streamsMax: options.config.streamsMax,
      now: options.now,
    });
    this.dots = new DotLease({
      self: options.self,
      generation: options.generation,
      size: options.config.dotLease,
      record: options.records.get(DOTS_KEY),
      storage: this.storage,
    });
  }

  /** A new reading of the hybrid clock, later than every one before it. */
  tick(): Timestamp {
    const timestamp = this.#tick();
    this.#nowMs = timestamp.ms;
    return timestamp;
  }

  /** Wall-clock milliseconds, the same throughout one step. */
  get nowMs(): number {
    this.#nowMs ??= this.#tick().ms;
    return this.#nowMs;
  }

  /**
   * By which the ages of operation ids count. It may go back: that nothing is carried out twice
   * rests on what was forgotten, and on no clock.
   */
  get wallMs(): number {
    return this.#wallMs?.() ?? this.nowMs;
  }

  /**
   * What is later than this is of the future, as far as this node can tell: a wall clock that was set
   * back is wrong about it, and the hybrid clock, which never is, heard of the other nodes.
   */
  get presentMs(): number {
    return Math.max(this.wallMs, this.nowMs);
  }

  begin(now: Instant): void {
    this.now = now;
    this.#nowMs = undefined;
  }

  /** Names a stream, a pull or a question. Greater than every number of an earlier life of this node. */
  nextNumber(): number {
    this.#numbers += 1;
    return this.generation * NUMBERS_PER_LIFE + this.#numbers;
  }

  isAlive(node: NodeId): boolean {
    return this.alive.size === 0 || this.alive.has(node);
  }
}
