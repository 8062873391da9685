import type { Brand } from '@memgrid/protocol';

/** Milliseconds on this process's monotonic clock. Never compared between nodes. */
export type Instant = Brand<number, 'Instant'>;

/**
 * A protocol that decides but does not act.
 *
 * The shell calls `step` for every input and `wake` once `wakeAt` has passed, then carries out
 * the effects in order. `wakeAt` is asked again after every call: there are no timers to cancel
 * and so no stale ones. A `wake` before `wakeAt` must be harmless.
 */
export interface Machine<Input, Effect> {
  step(now: Instant, input: Input): readonly Effect[];
  wake(now: Instant): readonly Effect[];
  readonly wakeAt: Instant | undefined;
}

/** The earlier of two moments at which to wake; undefined means "not at all". */
export function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return a < b ? a : b;
}

/** `base` moved by `deltaMs`. */
export function after(base: Instant, deltaMs: number): Instant {
  return (base + deltaMs) as Instant;
}

/** Whether a moment has come; undefined never does. */
export function isDue(wakeAt: Instant | undefined, now: Instant): boolean {
  return wakeAt !== undefined && wakeAt <= now;
}
