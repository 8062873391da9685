import { SYSTEM_CLOCK, type LoadClock } from './load-clock.ts';
import type { LoadMeter } from './load-meter.ts';
import type { OpenLoopOptions } from './load-options.ts';
import type { LoadResult } from './load-result.ts';
import { operationSource, type OperationSource } from './operation-source.ts';
import { runLoad, type RunOperation } from './run-load.ts';
import type { Subject } from './subject.ts';

const IN_FLIGHT_MAX = 10_000;

/**
 * Operations at a fixed rate, whether earlier ones have ended or not, as users arrive. The latency of
 * each counts from the moment at which it was due, so an answer that comes late makes everything late
 * that it holds up. (Gil Tene calls leaving that out "coordinated omission".)
 *
 * Timers of Node wake up once a millisecond: up to about one millisecond of every latency is this
 * generator's own, the same for every subject.
 *
 * @throws CommandError BAD_LOAD when the options make no sense.
 */
export async function openLoop(
  subject: Subject,
  options: OpenLoopOptions,
  clock: LoadClock = SYSTEM_CLOCK,
): Promise<LoadResult> {
  const inFlight = options.inFlightMax ?? IN_FLIGHT_MAX;
  const { rate } = options;
  return await runLoad({ subject, load: options, clock, inFlight, rate }, (meter, run) => {
    const arrivals = new Arrivals(options, { run, meter, clock, inFlight });
    arrivals.pump();
    return { stop: () => arrivals.stop() };
  });
}

interface ArrivalParts {
  readonly run: RunOperation;
  readonly meter: LoadMeter;
  readonly clock: LoadClock;
  readonly inFlight: number;
}

class Arrivals {
  readonly #source: OperationSource;
  readonly #parts: ArrivalParts;
  readonly #intervalMs: number;
  readonly #startedMs: number;
  /** Begun so far; the next one is due so many intervals after the start. */
  #count = 0;
  #stopped = false;
  #forget: (() => void) | undefined;

  constructor(options: OpenLoopOptions, parts: ArrivalParts) {
    this.#source = operationSource(options);
    this.#parts = parts;
    this.#intervalMs = 1_000 / options.rate;
    this.#startedMs = parts.clock.nowMs();
  }

  /** Begins what is due, then waits for what is due next. */
  pump(): void {
    const { clock, meter, inFlight } = this.#parts;
    this.#forget?.();
    if (this.#stopped || meter.isOver) return;
    this.#beginDue(clock.nowMs());
    // No room: an operation that ends makes some, and comes back here.
    const isFull = meter.underWay >= inFlight;
    const waitMs = Math.max(0, this.#dueMs - clock.nowMs());
    this.#forget = isFull ? undefined : clock.after(waitMs, () => this.pump());
  }

  /** Begins what was due in time; returns how many there was no room for. */
  stop(): number {
    const { meter } = this.#parts;
    this.#stopped = true;
    this.#forget?.();
    if (!meter.isComplete) return 0;
    // What became due since the timer was last here.
    this.#beginDue(meter.untilMs);
    const left = Math.ceil((meter.untilMs - this.#dueMs) / this.#intervalMs);
    return Math.max(0, left);
  }

  get #dueMs(): number {
    return this.#startedMs + this.#count * this.#intervalMs;
  }

  #beginDue(nowMs: number): void {
    const { meter, inFlight } = this.#parts;
    while (this.#dueMs <= nowMs && meter.underWay < inFlight) {
      const dueMs = this.#dueMs;
      this.#count += 1;
      this.#operate(dueMs).catch((error: unknown) => meter.crash(error));
    }
  }

  async #operate(dueMs: number): Promise<void> {
    const { meter, run } = this.#parts;
    const operation = this.#source.next();
    meter.begun();
    try {
      await run(operation);
      meter.acknowledged(dueMs);
    } catch (error) {
      meter.failed(dueMs, error);
    }
    this.#source.over(operation);
    if (this.#forget === undefined) this.pump();
  }
}
