import { performance } from 'node:perf_hooks';
import type { Clock, Instant } from '@memgrid/core';

/** The clocks of this process. */
export const systemClock: Clock = {
  now: () => performance.now() as Instant,
  wallMs: () => Date.now(),
};
