import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { systemClock } from './system-clock.ts';

/** A tick that comes later than this past its due time means that the process stood still. */
const STALL_MS = 300;
const TICK_MS = 20;
const LOAD_INTERVAL_MS = 1_000;

/** How busy this process is. */
export interface Load {
  /** Whole milliseconds: it travels in gossip. */
  readonly loopLagP99Ms: number;
  /** Used share of the heap limit, 0 to 100. */
  readonly heapPercent: number;
}

export interface StallSensorOptions {
  readonly onStall: (stalledMs: number) => void;
  /** Once a second. */
  readonly onLoad: (load: Load) => void;
  /** For tests; milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/**
 * Notices that this process stood still: a long garbage collection, a stopped container, a
 * debugger. Who slept must not blame others for the silence.
 */
export class StallSensor {
  readonly #options: StallSensorOptions;
  readonly #now: () => number;
  readonly #delay = monitorEventLoopDelay({ resolution: TICK_MS });
  #ticks: NodeJS.Timeout | undefined;
  #loads: NodeJS.Timeout | undefined;
  #dueAt = 0;

  constructor(options: StallSensorOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => systemClock.now());
  }

  start(): void {
    this.#dueAt = this.#now() + TICK_MS;
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
    this.#delay.enable();
    this.#loads = setInterval(() => this.#options.onLoad(this.measure()), LOAD_INTERVAL_MS);
    this.#ticks.unref();
    this.#loads.unref();
  }

  stop(): void {
    clearInterval(this.#ticks);
    clearInterval(this.#loads);
    this.#delay.disable();
    this.#ticks = undefined;
  }

  /**
   * Compares the clock with when the next tick was due. Also asked right before a turn, because a
   * stall in the poll phase is followed by a turn and only then by the tick.
   */
  check(): void {
    if (this.#ticks === undefined) return;
    const now = this.#now();
    const stalledMs = now - this.#dueAt;
    if (stalledMs <= STALL_MS) return;
    // One stall is reported once, however often it is looked at.
    this.#dueAt = now + TICK_MS;
    this.#options.onStall(Math.round(stalledMs));
  }

  /** The load since the last call. */
  measure(): Load {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    // The histogram counts nanoseconds between ticks and so contains the tick itself. Before the
    // first tick it is empty, and its percentile 0.
    const p99Ms = this.#delay.percentile(99) / 1e6 - TICK_MS;
    this.#delay.reset();
    return {
      loopLagP99Ms: Math.max(0, Math.round(p99Ms)),
      heapPercent: Math.round((100 * used) / limit),
    };
  }

  #tick(): void {
    this.check();
    this.#dueAt = this.#now() + TICK_MS;
  }
}
