import type { BenchRow, LoadEnd, LoadResult } from 'memgrid/bench';
import { numbersOf } from 'memgrid/bench';
import { expect, test } from 'vitest';
import { isRedis, measuredBar, type Bar } from '../../bench/throughput/bars.ts';
import type { Comparison } from '../../bench/throughput/comparison.ts';

const BAR: Bar = {
  row: 'throughput-one-node',
  what: 'set',
  workload: 'set',
  ratio: 2,
  kind: 'atLeast',
  isRival: isRedis,
};

interface Rate {
  readonly subject: string;
  readonly perSecond: readonly number[];
  readonly p99?: number;
  readonly end?: LoadEnd;
  /** In each round. */
  readonly failed?: number;
  /** Of an open loop. */
  readonly rate?: number;
}

function rowOf({
  subject,
  perSecond,
  p99 = 1,
  end = 'complete',
  failed = 0,
  rate: due,
}: Rate): BenchRow {
  const latencyMs = { p50: p99 / 4, p90: p99 / 2, p99, p999: p99, max: p99 };
  const rounds = perSecond.map((rate): LoadResult => ({
    workload: 'set',
    operations: rate,
    failed,
    failures: [],
    seconds: 1,
    perSecond: rate,
    latencyMs,
    clientCpuUs: 3,
    serverCpuUs: 2,
    rate: due,
    watch: undefined,
    end,
    problem: undefined,
  }));
  return {
    subject,
    version: '1.0.0',
    plan: {
      workload: 'set',
      loop: due === undefined ? { kind: 'closed', inFlight: 256 } : { kind: 'open', rate: due },
    },
    numbers: numbersOf(rounds),
    end,
    problem: end === 'died' ? 'It hung up.' : undefined,
    rounds,
  };
}

function comparisonOf(
  rates: readonly Rate[],
  missing: Comparison['missing'] = [],
  rate?: number,
): Comparison {
  const rows = rates.map((one) => rowOf(rate === undefined ? one : { ...one, rate }));
  return { rows, missing, systems: [] };
}

const MEMGRID: Rate = { subject: 'memgrid, one node', perSecond: [400, 380, 420] };
const IOREDIS: Rate = { subject: 'Redis (ioredis)', perSecond: [150, 155, 160] };
const REDIS: Rate = { subject: 'Redis (redis)', perSecond: [190, 230, 180] };
const MEMCACHED: Rate = { subject: 'memcached (memjs)', perSecond: [900, 900, 900] };

test('a bar is judged by the medians, against the best of those that count', () => {
  const { measured, met, numbers } = measuredBar(
    BAR,
    comparisonOf([MEMGRID, IOREDIS, REDIS, MEMCACHED]),
  );
  expect(numbers['ratio']).toBeCloseTo(400 / 190);
  expect(measured).toBe(
    '2.11 x; memgrid, one node 400 (380–420) a second against Redis (redis) 190 (180–230) a second; ' +
      'Redis (ioredis) 155 (150–160) a second; memcached (memjs) 900 (900–900) a second',
  );
  expect(met).toBe(true);
});

test.each([
  { problem: 'too slow', rates: [{ ...MEMGRID, perSecond: [379] }, REDIS] },
  { problem: 'own numbers are partial', rates: [{ ...MEMGRID, end: 'interrupted' }, IOREDIS] },
  { problem: 'a peer died', rates: [MEMGRID, IOREDIS, { ...REDIS, end: 'died' }] },
  { problem: 'nobody to compare with', rates: [MEMGRID, MEMCACHED] },
  { problem: 'nothing of its own', rates: [IOREDIS] },
  { problem: 'no round at all', rates: [{ ...MEMGRID, perSecond: [] }, IOREDIS] },
] as const)('a bar is not met: $problem', ({ rates }) => {
  expect(measuredBar(BAR, comparisonOf(rates)).met).toBe(false);
});

test('a system that died is named with its reason, and the row is marked as partial', () => {
  const rates = [MEMGRID, IOREDIS, { ...REDIS, end: 'died' }] as const;
  const { partial, measured } = measuredBar(BAR, comparisonOf(rates));
  expect(partial).toBe('Redis (redis) died: It hung up.');
  expect(measured).toMatch(/^partial; .*died: It hung up\./);
  expect(measuredBar(BAR, comparisonOf([MEMGRID, IOREDIS])).partial).toBeUndefined();
});

test('a peer that is not installed is named, with what to do', () => {
  const missing = [{ subject: 'Redis', reason: 'not installed: apt-get install redis-server' }];
  const { measured, met } = measuredBar(BAR, comparisonOf([MEMGRID], missing));
  expect(measured).toContain('Redis: not installed: apt-get install redis-server');
  expect(met).toBe(false);
});

test('partial numbers say so', () => {
  const { measured } = measuredBar(BAR, comparisonOf([{ ...MEMGRID, end: 'died' }, IOREDIS]));
  expect(measured).toMatch(/^partial; /);
});

test.each([
  { p99: 1.4, met: true },
  { p99: 1.6, met: false },
])('a bar on latency is about p99, and less is better: $p99', ({ p99, met }) => {
  const bar: Bar = { ...BAR, kind: 'atMost', ratio: 1.5 };
  const slow = { ...IOREDIS, p99: 3 };
  const rows = comparisonOf([{ ...MEMGRID, p99 }, slow, { ...REDIS, p99: 1 }]);
  expect(measuredBar(bar, rows).met).toBe(met);
});

const OPEN_BAR: Bar = { ...BAR, kind: 'atMost', ratio: 1.5 };

test('a rate that memgrid did not hold is no met bar, and the row says so', () => {
  const held = { ...IOREDIS, perSecond: [1_000], p99: 2 };
  const behind = { ...MEMGRID, perSecond: [400], p99: 1 };
  const { met, measured } = measuredBar(OPEN_BAR, comparisonOf([behind, held], [], 1_000));
  expect(measured).toContain('memgrid, one node 1.00 ms, did not hold the rate: 400 a second');
  expect(met).toBe(false);
});

test('a peer that did not hold the rate is nobody to be compared with', () => {
  const behind = { ...IOREDIS, perSecond: [400], p99: 100 };
  const own = { ...MEMGRID, perSecond: [1_000], p99: 4 };
  const alone = measuredBar(OPEN_BAR, comparisonOf([own, behind], [], 1_000));
  expect(alone.met).toBe(false);
  expect(alone.measured).toContain(
    'Redis (ioredis) 100.00 ms, did not hold the rate: 400 a second',
  );
  const held = { ...REDIS, perSecond: [1_000], p99: 3 };
  const beside = measuredBar(OPEN_BAR, comparisonOf([own, behind, held], [], 1_000));
  expect(beside.measured).toMatch(/^1\.33 x; .* against Redis \(redis\)/);
  expect(beside.met).toBe(true);
});

test('failed operations are said beside the number that they are not part of', () => {
  const { measured } = measuredBar(BAR, comparisonOf([{ ...MEMGRID, failed: 4 }, IOREDIS]));
  expect(measured).toContain('memgrid, one node 400 (380–420) a second, 12 failed against');
});

test('where nothing was asked for there is no verdict', () => {
  const { met, bar } = measuredBar({ ...BAR, ratio: undefined }, comparisonOf([MEMGRID, REDIS]));
  expect(met).toBeUndefined();
  expect(bar).toBe('recorded');
});
