import { expect, test } from 'vitest';
import { benchReport, type BenchReport } from './bench-report.ts';
import type { LatencyMs } from './load-result.ts';
import { markdownReport, markdownTable } from './markdown-report.ts';
import { msText, noteOf } from './report-cells.ts';
import type { BenchRow } from './rounds.ts';
import type { RowNumbers } from './row-numbers.ts';
import { svgPlot } from './svg-plot.ts';

function latencyOf(p50: number): LatencyMs {
  return { p50, p90: 2 * p50, p99: 4 * p50, p999: 8 * p50, max: 16 * p50 };
}

function numbersOf(perSecond: number, overrides: Partial<RowNumbers> = {}): RowNumbers {
  return {
    rounds: 3,
    perSecond,
    perSecondRange: { min: perSecond * 0.9, max: perSecond * 1.1 },
    latencyMs: latencyOf(0.5),
    p99MsRange: { min: 1, max: 3 },
    clientCpuUs: 2.5,
    serverCpuUs: undefined,
    failed: 0,
    watch: undefined,
    ...overrides,
  };
}

function rowOf(overrides: Partial<BenchRow> = {}): BenchRow {
  return {
    subject: 'memgrid',
    version: 'memgrid 0.1.0',
    plan: { workload: 'set', loop: { kind: 'closed', inFlight: 256 } },
    numbers: numbersOf(100_000),
    end: 'complete',
    problem: undefined,
    rounds: [],
    ...overrides,
  };
}

const died = rowOf({
  subject: 'redis (ioredis)',
  version: 'redis 7.0.15',
  end: 'died',
  problem: 'read ECONNRESET',
});
const empty = rowOf({ subject: 'other | <b>', end: 'notOffered', numbers: undefined });

function reportOf(rows: readonly BenchRow[]): BenchReport {
  return benchReport({
    title: 'memgrid & others',
    at: '2026-05-08T13:56:07.000Z',
    machine: { cpu: 'A CPU', cores: 2, memoryBytes: 24 * 2 ** 30, system: 'Linux 6' },
    commit: '1a2b3c4',
    versions: { memgrid: '0.1.0', node: '24.0.0' },
    configuration: { entries: 10_000, sync: 'memory', watchers: null },
    rows,
    missing: [{ subject: 'nats', reason: 'not installed: apt-get install nats-server' }],
  });
}

test('a report with a subject that died is partial, in every form', () => {
  const report = reportOf([rowOf(), died]);
  expect(report.partial).toBe(true);
  expect(markdownReport(report)).toContain('## memgrid & others (partial)');
  expect(svgPlot(report)).toContain('memgrid &amp; others (partial)');
  expect(reportOf([rowOf(), empty]).partial).toBe(false);
});

test('the Markdown says what was measured, where, and with what', () => {
  expect(markdownReport(reportOf([rowOf(), died]))).toBe(
    [
      '## memgrid & others (partial)',
      '',
      '| workload | subject | per second | range | p50 ms | p90 | p99 | p99.9 | max | client µs | note |',
      '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|',
      '| set, 256 in flight | memgrid | 100,000 | 90,000–110,000 | 0.500 | 1.00 | 2.00 | 4.00 | 8.00 | 2.5 |  |',
      '| set, 256 in flight | redis (ioredis) | 100,000 | 90,000–110,000 | 0.500 | 1.00 | 2.00 | 4.00 | 8.00 | 2.5 | partial: it died (read ECONNRESET) |',
      '|  | nats | not installed: apt-get install nats-server |  |  |  |  |  |  |  |  |',
      '',
      'Medians over the rounds, latencies in milliseconds, processor time in microseconds for each operation.',
      '',
      '- 2 x A CPU, 24 GiB, Linux 6',
      '- memgrid 0.1.0 (1a2b3c4), redis 7.0.15, Node 24.0.0, 2026-05-08 13:56 UTC',
      '- entries 10,000, sync memory',
      '',
    ].join('\n'),
  );
});

test('columns that nobody needs are not there, and those that somebody needs are', () => {
  const watch = {
    watchers: 10,
    deliveriesPerSecond: 5_000,
    lagMs: latencyOf(1),
    missing: 3,
    gaps: 0,
  };
  const numbers = numbersOf(500, { serverCpuUs: 7.25, failed: 2, watch });
  const plan = { workload: 'watch', loop: { kind: 'open', rate: 500 } } as const;
  const [titles = '', , row = ''] = markdownTable([rowOf({ plan, numbers })], []);
  for (const title of ['servers µs', 'heard/s', 'lag p50', 'lag p99', 'missed', 'failed']) {
    expect(titles).toContain(`| ${title} |`);
  }
  expect(row).toContain('| watch, 500/s, 10 watchers |');
  expect(row).toContain('| 7.3 | 5,000 | 1.00 | 4.00 | 3 | 2 |');
});

test('what a subject is called cannot break a table or a picture', () => {
  const report = reportOf([rowOf(), empty]);
  expect(markdownReport(report)).toContain('| other \\| <b> |');
  expect(svgPlot(report)).toContain('other | &lt;b&gt;');
  expect(svgPlot(report)).not.toContain('<b>');
});

test('the picture has a bar for what was measured, and words for what was not', () => {
  const svg = svgPlot(reportOf([rowOf(), died, empty]));
  expect(svg.match(/<rect /g)).toHaveLength(3);
  expect(svg.match(/<polyline /g)).toHaveLength(2);
  expect(svg).toContain('>not offered<');
  expect(svg).toContain('nats: not installed: apt-get install nats-server');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('a long name has the room that it needs, and the scale of latencies says that it is logarithmic', () => {
  const subject = 'NATS KV, memory, not synced at all, and slow (@nats-io/kv)';
  const [short, long] = [[rowOf()], [rowOf({ subject })]].map((rows) => svgPlot(reportOf(rows)));
  const widthOf = (svg = ''): number => Number(/<svg [^>]*width="(\d+)"/.exec(svg)?.[1]);
  expect(widthOf(long)).toBeGreaterThan(widthOf(short) + 200);
  expect(long).toContain('latency (logarithmic scale)');
});

test.each([
  ['nothing at all', []],
  ['no operation', [rowOf({ numbers: numbersOf(0, { latencyMs: latencyOf(0) }) })]],
  ['a single latency', [rowOf({ numbers: numbersOf(1, { latencyMs: latencyOf(10) }) })]],
  [
    'a microsecond to an hour',
    [
      rowOf({ numbers: numbersOf(1, { latencyMs: latencyOf(225_000) }) }),
      rowOf({ numbers: numbersOf(1, { latencyMs: latencyOf(0.001) }) }),
    ],
  ],
] as const)('a picture of %s can be drawn', (_, rows) => {
  expect(svgPlot(reportOf(rows))).not.toMatch(/NaN|Infinity|undefined/);
});

test('a rate that was not held is told', () => {
  const plan = { workload: 'get', loop: { kind: 'open', rate: 1_000 } } as const;
  expect(noteOf(rowOf({ plan, numbers: numbersOf(999) }))).toBe('');
  expect(noteOf(rowOf({ plan, numbers: numbersOf(900) }))).toBe('the rate was not held');
});

test.each([
  [0, '0.000'],
  [0.1234, '0.123'],
  [1.234, '1.23'],
  [12.34, '12.3'],
  [1_234.5, '1,235'],
])('%d ms is written %s', (ms, text) => {
  expect(msText(ms)).toBe(text);
});
