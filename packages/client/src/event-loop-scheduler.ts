import type { Instant, Scheduler } from '@memgrid/core';
import { systemClock } from './system-clock.ts';

/** Node's timers hold 31 bits of milliseconds; one hour is as good, because a turn asks again. */
const TIMER_MS_MAX = 60 * 60 * 1000;

/**
 * Turns on Node's event loop.
 *
 * `soon` is `setImmediate`: it runs after everything that the application does in its own turn, so
 * all calls of that turn leave together.
 */
export class EventLoopScheduler implements Scheduler {
  #timer: NodeJS.Timeout | undefined;
  #moment: Instant | undefined;
  #turn: (() => void) | undefined;

  soon(turn: () => void): void {
    setImmediate(turn);
  }

  at(moment: Instant, turn: () => void): void {
    this.#turn = turn;
    // A timer that fires too early asks again, and costs less than a new timer every turn.
    if (this.#timer !== undefined && this.#moment !== undefined && this.#moment <= moment) return;
    clearTimeout(this.#timer);
    this.#moment = moment;
    const delayMs = Math.ceil(moment - systemClock.now());
    this.#timer = setTimeout(this.#fire, Math.min(Math.max(delayMs, 0), TIMER_MS_MAX));
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#moment = undefined;
    this.#turn = undefined;
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    this.#moment = undefined;
    this.#turn?.();
  };
}
