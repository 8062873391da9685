import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DatasetSize } from 'memgrid/bench';
import type { Effort } from '../measurement.ts';
import type { ComparisonOptions } from './comparison.ts';
import type { DatasetChoice } from './load-protocol.ts';
import { MEMCACHED_CLIENTS, REDIS_CLIENTS } from './target.ts';

/** How long and how often; a quick sample shows that it works and proves nothing. */
export type Pace = Pick<ComparisonOptions, 'rounds' | 'seconds' | 'warmupSeconds'>;

const QUICK: Pace = { rounds: 1, seconds: 0.4, warmupSeconds: 0.1 };
const FULL: Pace = { rounds: 5, seconds: 3, warmupSeconds: 1 };
const SHORT: Pace = { rounds: 5, seconds: 2, warmupSeconds: 0.5 };

/** Of rows with a bar. */
export function paceOf(effort: Effort): Pace {
  return effort === 'full' ? FULL : QUICK;
}

/** Of rows without one, of which there are many: as often, and less long. */
export function shortPaceOf(effort: Effort): Pace {
  return effort === 'full' ? SHORT : QUICK;
}

const COUNTS: Readonly<Record<Effort, number>> = { full: 10_000, quick: 1_000 };
/** Large entries are fewer, so that no store needs more than this machine has. */
const LARGE_COUNT = 1_000;

/** Conversations that may lie beside the repository; without them a sample that comes along. */
const TURNS = fileURLToPath(new URL('../../../shared/data/locomo/turns.ndjson', import.meta.url));

export function datasetOf(effort: Effort, size: DatasetSize = 'turns'): DatasetChoice {
  const count = size === '16384' ? LARGE_COUNT : COUNTS[effort];
  return { size, count, ...(existsSync(TURNS) ? { turnsFile: TURNS } : {}) };
}

/** One is enough for a sample. */
export function redisClientsOf(effort: Effort): readonly (typeof REDIS_CLIENTS)[number][] {
  return effort === 'full' ? REDIS_CLIENTS : ['ioredis'];
}

/** The one for a sample is the one that does more. */
export function memcachedClientsOf(effort: Effort): readonly (typeof MEMCACHED_CLIENTS)[number][] {
  return effort === 'full' ? MEMCACHED_CLIENTS : ['memcache'];
}
