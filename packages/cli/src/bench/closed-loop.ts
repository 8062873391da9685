import { SYSTEM_CLOCK, type LoadClock } from './load-clock.ts';
import type { LoadMeter } from './load-meter.ts';
import type { ClosedLoopOptions } from './load-options.ts';
import type { LoadResult } from './load-result.ts';
import { operationSource, type OperationSource } from './operation-source.ts';
import { runLoad, type RunOperation } from './run-load.ts';
import type { Subject } from './subject.ts';

/** After a failure, or a subject that is gone would be asked as fast as it can say no. */
const PAUSE_MS = 10;

/**
 * What answers within this process never waits, and then nobody else would ever have a turn: not the
 * clock, and not the connections whose signs of life keep a near cache valid.
 */
const TURN_MS = 2;

/**
 * A fixed number of operations under way: as soon as one ends, the next begins. Tells how much a
 * subject can do. Its latencies are those of a full system, and what a slow answer held up is not in
 * them; for that there is `openLoop`.
 *
 * @throws CommandError BAD_LOAD when the options make no sense.
 */
export async function closedLoop(
  subject: Subject,
  options: ClosedLoopOptions,
  clock: LoadClock = SYSTEM_CLOCK,
): Promise<LoadResult> {
  return await runLoad(
    { subject, load: options, clock, inFlight: options.inFlight },
    (meter, run) => {
      const loop = new Loop(options, { run, meter, clock });
      for (let worker = 0; worker < options.inFlight; worker += 1) {
        loop.worker().catch((error: unknown) => meter.crash(error));
      }
      return { stop: () => 0 };
    },
  );
}

interface LoopParts {
  readonly run: RunOperation;
  readonly meter: LoadMeter;
  readonly clock: LoadClock;
}

class Loop {
  readonly #run: RunOperation;
  readonly #source: OperationSource;
  readonly #meter: LoadMeter;
  readonly #clock: LoadClock;
  readonly #answersHere: boolean;
  #turnedMs: number;
  #turn: Promise<void> | undefined;

  constructor(options: ClosedLoopOptions, { run, meter, clock }: LoopParts) {
    this.#run = run;
    this.#source = operationSource(options);
    this.#meter = meter;
    this.#clock = clock;
    this.#answersHere = options.workload === 'near';
    this.#turnedMs = clock.nowMs();
  }

  async worker(): Promise<void> {
    const meter = this.#meter;
    while (!meter.isOver) {
      const operation = this.#source.next();
      const beganMs = this.#clock.nowMs();
      meter.begun();
      try {
        await this.#run(operation);
        meter.acknowledged(beganMs);
      } catch (error) {
        meter.failed(beganMs, error);
        await this.#pause();
      }
      this.#source.over(operation);
      if (this.#answersHere && beganMs - this.#turnedMs >= TURN_MS) await this.#takeTurn();
    }
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.after(PAUSE_MS, resolve);
    return promise;
  }

  /** One turn for all workers. */
  #takeTurn(): Promise<void> {
    this.#turn ??= this.#clock.turn().then(() => {
      this.#turnedMs = this.#clock.nowMs();
      this.#turn = undefined;
    });
    return this.#turn;
  }
}
