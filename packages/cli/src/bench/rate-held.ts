import type { BenchRow } from './rounds.ts';

/** Of the operations that are due, so many have to be acknowledged in time. */
const RATE_HELD = 0.98;

/**
 * Whether a system kept up with an open loop. Where it did not, its latencies say how long the run
 * was and nothing else. True of a closed loop, which asks for no rate, and where nothing was measured.
 */
export function isRateHeld({ plan, numbers }: Pick<BenchRow, 'plan' | 'numbers'>): boolean {
  const { loop } = plan;
  if (loop.kind === 'closed' || numbers === undefined) return true;
  return numbers.perSecond >= loop.rate * RATE_HELD;
}
