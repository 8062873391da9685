import type { Instant, Scheduler } from '@memgrid/core';
import { systemClock } from './system-clock.ts';

/** Node's timers hold 31 bits of milliseconds; one hour is as good, because a turn asks again. */
const TIMER_MS_MAX = 60 * 60 * 1000;

/**
 * Turns on Node's event loop.
 *
 * `soon` is `setImmediate`, which runs after one poll phase: frames that wait in socket buffers are
 * read before the turn. A timer only asks for such a turn and never runs one itself; see
 * `docs/decisions/0002-turn-discipline.md`.
 */
export class EventLoopScheduler implements Scheduler {
  readonly #beforeTurn: () => void;
  #timer: NodeJS.Timeout | undefined;
  #moment: Instant | undefined;

  /** @param beforeTurn runs right before each turn: the last chance to notice a stall. */
  constructor(beforeTurn: () => void = () => undefined) {
    this.#beforeTurn = beforeTurn;
  }

  soon(turn: () => void): void {
    setImmediate(() => {
      this.#beforeTurn();
      turn();
    });
  }

  at(moment: Instant, turn: () => void): void {
    if (this.#timer !== undefined && this.#moment === moment) return;
    this.cancel();
    this.#moment = moment;
    // Rounded up, because a turn before the moment finds nothing due and asks again. It may still
    // come a little early: the loop counts from when this round of it began. That is harmless.
    const delayMs = Math.ceil(moment - systemClock.now());
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        turn();
      },
      Math.min(Math.max(delayMs, 0), TIMER_MS_MAX),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#moment = undefined;
  }
}
