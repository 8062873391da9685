import type { NodeStatus } from '@memgrid/core';
import { expect, test } from 'vitest';
import { EVENT_NAMES } from './event-levels.ts';
import { METRIC_NAMES, METRICS } from './metric-table.ts';
import type { MetricDefinition } from './metric-table.ts';
import { Metrics } from './metrics.ts';
import { FrameTraffic } from './frame-traffic.ts';

/** Every series as `name{labels}`, with its value. */
async function scrape(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => /^memgrid_/.test(line));
  return new Map(
    lines.map((line) => {
      const split = line.lastIndexOf(' ');
      return [line.slice(0, split), Number(line.slice(split + 1))];
    }),
  );
}

function seriesOf(name: string, labels: Readonly<Record<string, readonly string[]>>): string[] {
  const sets = Object.entries(labels).reduce<string[][]>(
    (all, [label, values]) =>
      all.flatMap((one) => values.map((value) => [...one, `${label}="${value}"`])),
    [[]],
  );
  return sets.map((set) => (set.length === 0 ? name : `${name}{${set.join(',')}}`));
}

test('all series exist from the start', async () => {
  const series = await scrape(new Metrics('1.2.3'));
  for (const name of METRIC_NAMES) {
    const { type, labels = {} }: MetricDefinition = METRICS[name];
    if (type === 'histogram') {
      for (const one of seriesOf(`${name}_count`, labels)) expect(series.get(one), one).toBe(0);
    }
    if (type === 'histogram') continue;
    if (name === 'memgrid_build_info') expect(series.get(`${name}{version="1.2.3"}`)).toBe(1);
    else for (const one of seriesOf(name, labels)) expect(series.has(one), one).toBe(true);
  }
});

test('names have the prefix, counters end in _total, and units are base units', () => {
  for (const name of METRIC_NAMES) {
    expect(name).toMatch(/^memgrid_[a-z0-9_]+$/);
    expect(name.endsWith('_total'), name).toBe(METRICS[name].type === 'counter');
    expect(name).not.toMatch(/_ms|_millis|_kb|_mb|_percent/);
  }
});

test('events are counted under their name, and under the metric of their own', async () => {
  const metrics = new Metrics('1');
  metrics.count({ name: 'frame.refused', reason: 'garbage', detail: 'x' });
  metrics.count({ name: 'frame.refused', reason: 'garbage', detail: 'y' });
  metrics.count({ name: 'loop.stalled', stalledMs: 1_500 });
  metrics.count({ name: 'dial.failed', address: 'a:1', problem: 'timeout', detail: '' });
  const series = await scrape(metrics);
  expect(series.get('memgrid_frames_refused_total{reason="garbage"}')).toBe(2);
  expect(series.get('memgrid_events_total{event="frame.refused"}')).toBe(2);
  expect(series.get('memgrid_loop_stalled_seconds_total')).toBe(1.5);
  expect(series.get('memgrid_loop_stalls_total')).toBe(1);
  expect(series.get('memgrid_dials_failed_total{problem="timeout"}')).toBe(1);
  const counted = [...series].filter(([name]) => name.startsWith('memgrid_events_total'));
  expect(counted).toHaveLength(EVENT_NAMES.length);
  expect(counted.reduce((sum, [, value]) => sum + value, 0)).toBe(4);
});

test('only synchronous writes enter the histogram', async () => {
  const metrics = new Metrics('1');
  metrics.written({ durationMs: 3, ticketCount: 2, bytes: 100, synced: true });
  metrics.written({ durationMs: 9, ticketCount: 1, bytes: 50, synced: false });
  const series = await scrape(metrics);
  expect(series.get('memgrid_disk_sync_seconds_sum')).toBeCloseTo(0.003);
  expect(series.get('memgrid_disk_sync_seconds_count')).toBe(1);
  expect(series.get('memgrid_disk_writes_total{sync="no"}')).toBe(1);
  expect(series.get('memgrid_disk_stores_total')).toBe(3);
  expect(series.get('memgrid_disk_bytes_written_total')).toBe(150);
});

test('state is measured when it is scraped, and totals never count twice', async () => {
  const metrics = new Metrics('1');
  const traffic = new FrameTraffic();
  traffic.sent('control', 100);
  metrics.observe({
    traffic,
    status: () => quietStatus,
    linkCount: (channel) => (channel === 'control' ? 2 : 1),
    inboxCount: () => 4,
    inboxRefusedCount: () => 5,
    linkBufferedBytes: () => 6,
    diskWaitingBytes: () => 7,
    entryMemoryBytes: () => 9,
    entryPagedCount: () => 10,
    diskUsedBytes: () => 11,
    uptimeMs: () => 8_000,
  });
  await scrape(metrics);
  const series = await scrape(metrics);
  expect(series.get('memgrid_links{channel="control"}')).toBe(2);
  expect(series.get('memgrid_inbox_refused_total')).toBe(5);
  expect(series.get('memgrid_frames_total{direction="sent",channel="control"}')).toBe(1);
  expect(series.get('memgrid_frame_bytes_total{direction="sent",channel="control"}')).toBe(100);
  expect(series.get('memgrid_uptime_seconds')).toBe(8);
  expect(series.get('memgrid_entries_paged')).toBe(10);
  expect(series.get('memgrid_disk_used_bytes')).toBe(11);
  expect(series.get('memgrid_node_phase{phase="discovering"}')).toBe(1);
  expect(series.get('memgrid_node_phase{phase="member"}')).toBe(0);
  expect(series.get('memgrid_raft_role{role="outsider"}')).toBe(1);
  expect(series.get('memgrid_members{liveness="alive"}')).toBe(0);
  for (const role of ['primary', 'inactive', 'replica']) {
    expect(series.get(`memgrid_shards{role="${role}"}`), role).toBe(1);
  }
  expect(series.get('memgrid_shards_incomplete')).toBe(1);
  expect(series.get('memgrid_entries')).toBe(7);
  expect(series.get('memgrid_entries_memory_bytes')).toBe(9);
  expect(series.get('memgrid_log_bytes')).toBe(50);
  expect(series.get('memgrid_operation_bytes')).toBe(60);
  expect(series.get('memgrid_operations_waiting')).toBe(2);
  expect(series.get('memgrid_clients')).toBe(1);
  expect(series.get('memgrid_feeds')).toBe(6);
});

test('operations are counted by kind and result, and timed by kind', async () => {
  const metrics = new Metrics('1');
  metrics.operations({ kind: 'put', outcome: 'ok', seconds: 0.004, count: 3 });
  metrics.operations({ kind: 'put', outcome: 'unknown', seconds: 1, count: 1 });
  metrics.operations({ kind: 'put', outcome: 'ok', seconds: 60, count: 1 });
  const series = await scrape(metrics);
  expect(series.get('memgrid_operations_total{kind="put",result="ok"}')).toBe(4);
  expect(series.get('memgrid_operations_total{kind="put",result="unknown"}')).toBe(1);
  expect(series.get('memgrid_operations_total{kind="get",result="ok"}')).toBe(0);
  expect(series.get('memgrid_operation_seconds_sum{kind="put"}')).toBeCloseTo(61.012);
  const bucket = (le: string) =>
    series.get(`memgrid_operation_seconds_bucket{le="${le}",kind="put"}`);
  expect(['0.002', '0.005', '0.5', '1', '5', '+Inf'].map(bucket)).toEqual([0, 3, 3, 4, 4, 5]);
  expect(series.get('memgrid_operation_seconds_count{kind="put"}')).toBe(5);
  expect(series.get('memgrid_operation_seconds_count{kind="get"}')).toBe(0);
});

const quietStatus = {
  nodeId: 'a',
  phase: 'discovering',
  control: undefined,
  election: undefined,
  coordinator: undefined,
  members: [],
  healthScore: 0,
  shardTotals: { active: 1, inactive: 1, replicas: 1, incomplete: 1, entries: 7 },
  logBytes: 50,
  operationBytes: 60,
  waitingOperations: 2,
  clients: { count: 1, feeds: 6 },
  connectedPeers: [],
  clock: { suspect: false, remoteAheadCount: 0 },
} as unknown as NodeStatus;
