import type { Clock, Instant } from '@memgrid/core';

/** 2026-01-01T00:00:00Z: every simulated day begins then, whenever it is run. */
export const WORLD_EPOCH_MS = 1_767_225_600_000;

/**
 * The two clocks of one simulated machine: a monotonic one that drifts, and a wall clock that
 * drifts with it and can also be set wrong, jump and freeze.
 */
export class SimClock {
  readonly #nowUs: () => number;
  readonly #headStartUs: number;
  /** The drift is piecewise linear: local time at the last change of rate, and the rate since. */
  #baseUs: number;
  #baseLocalUs: number;
  #rate = 1;
  #offsetMs = 0;
  #frozenMs: number | undefined;

  /** @param headStartUs what the monotonic clock shows at first; no part of the wall clock. */
  constructor(nowUs: () => number, headStartUs: number) {
    this.#nowUs = nowUs;
    this.#headStartUs = headStartUs - nowUs();
    this.#baseUs = nowUs();
    this.#baseLocalUs = headStartUs;
  }

  /** What a process sees that has spent `spentUs` of processor time in its present turn. */
  view(spentUs: () => number): Clock {
    return {
      now: () => this.monotonicAt(this.#nowUs() + spentUs()),
      wallMs: () => this.wallMs(),
    };
  }

  monotonicAt(worldUs: number): Instant {
    return (this.#localUsAt(worldUs) / 1000) as Instant;
  }

  /** The first whole world microsecond at which the monotonic clock shows `moment` or later. */
  worldUsOf(moment: Instant): number {
    return Math.ceil(this.#baseUs + (moment * 1000 - this.#baseLocalUs) / this.#rate);
  }

  wallMs(): number {
    return this.#frozenMs ?? this.#runningWallMs();
  }

  /** How far the wall clock is ahead of the truth. */
  get errorMs(): number {
    return this.wallMs() - (WORLD_EPOCH_MS + this.#nowUs() / 1000);
  }

  /** Runs fast (or, below 0, slow) by so many parts in a million from now on. */
  drift(ppm: number): void {
    const nowUs = this.#nowUs();
    this.#baseLocalUs = this.#localUsAt(nowUs);
    this.#baseUs = nowUs;
    this.#rate = 1 + ppm / 1_000_000;
  }

  /** Sets the wall clock to the truth plus `offsetMs`. */
  skew(offsetMs: number): void {
    this.#offsetMs += offsetMs - this.errorMs;
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  freeze(): void {
    this.#frozenMs ??= this.#runningWallMs();
  }

  thaw(): void {
    this.#frozenMs = undefined;
  }

  /** Ends drift and freezing and sets the wall clock right. */
  mend(): void {
    this.thaw();
    this.drift(0);
    this.skew(0);
  }

  #localUsAt(worldUs: number): number {
    return this.#baseLocalUs + (worldUs - this.#baseUs) * this.#rate;
  }

  #runningWallMs(): number {
    const elapsedUs = this.#localUsAt(this.#nowUs()) - this.#headStartUs;
    return Math.floor(WORLD_EPOCH_MS + elapsedUs / 1000 + this.#offsetMs);
  }
}
