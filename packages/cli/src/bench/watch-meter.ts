import { LatencyRecord } from './latency-record.ts';
import type { LoadClock } from './load-clock.ts';
import type { LoadMeter } from './load-meter.ts';
import type { LoadOptions } from './load-options.ts';
import type { WatchResult } from './load-result.ts';
import type { BenchOperation, OpenWatch, Subject } from './subject.ts';

/** Nothing heard for so long after the last change: what is missing then is missing. */
const SETTLED_MS = 2_000;
const LOOK_MS = 50;

export interface WatchMeterOptions {
  readonly subject: Subject;
  readonly load: LoadOptions;
  readonly clock: LoadClock;
}

/**
 * One writer and many who listen: how much is delivered, how late, and whether all of it.
 *
 * Writer and watchers are in one process, so one clock tells the lag. Entries are changed in turn:
 * what is heard of one is its latest change, unless a watcher is a whole round behind.
 */
export class WatchMeter {
  readonly #options: WatchMeterOptions;
  readonly #watches: OpenWatch[] = [];
  readonly #lag = new LatencyRecord();
  readonly #changedMs: Float64Array;
  #meter: LoadMeter | undefined;
  #acknowledged = 0;
  #heard = 0;
  #heardInTime = 0;
  #heardMs = 0;
  #gaps = 0;

  constructor(options: WatchMeterOptions) {
    this.#options = options;
    this.#changedMs = new Float64Array(options.load.dataset.count);
  }

  /** Runs an operation of the writer, and notes when it began. */
  async change(operation: BenchOperation): Promise<void> {
    const { subject, clock } = this.#options;
    if (operation.kind === 'set') this.#changedMs[operation.n] = clock.nowMs();
    await subject.run(operation);
    this.#acknowledged += 1;
  }

  /** @throws what the subject throws when a watcher cannot be opened. */
  async open(): Promise<void> {
    const { subject, load } = this.#options;
    const watcher = {
      heard: (n: number) => this.#hear(n),
      gap: () => {
        this.#gaps += 1;
      },
    };
    for (let watching = 0; watching < (load.watchers ?? 1); watching += 1) {
      const watch = await subject.watch?.(watcher);
      if (watch !== undefined) this.#watches.push(watch);
    }
  }

  /** What is heard while this one measures counts. */
  follow(meter: LoadMeter): void {
    this.#meter = meter;
  }

  /** Waits for what is still to be heard, as long as something is. */
  async finish(): Promise<WatchResult> {
    const { clock, load } = this.#options;
    const watchers = this.#watches.length;
    this.#heardMs = clock.nowMs();
    const isWaiting = (): boolean =>
      load.signal?.aborted !== true &&
      this.#heard < this.#acknowledged * watchers &&
      clock.nowMs() - this.#heardMs < SETTLED_MS;
    while (isWaiting()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(LOOK_MS, resolve);
      await promise;
    }
    const seconds = this.#meter?.seconds ?? 0;
    return {
      watchers,
      deliveries: this.#heardInTime,
      deliveriesPerSecond: seconds === 0 ? 0 : this.#heardInTime / seconds,
      // A change whose outcome nobody knows may be heard as well.
      missing: Math.max(0, this.#acknowledged * watchers - this.#heard),
      gaps: this.#gaps,
      lagMs: this.#lag.summary(),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  #hear(n: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#heard += 1;
    this.#heardMs = nowMs;
    if (this.#meter?.isMeasuring !== true) return;
    this.#heardInTime += 1;
    this.#lag.add(nowMs - (this.#changedMs[n] ?? nowMs));
  }
}
