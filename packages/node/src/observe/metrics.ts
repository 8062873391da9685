import process from 'node:process';
import type { NodeStatus } from '@memgrid/core';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import type { ObservedEvent } from './event-levels.ts';
import { METRICS, METRIC_NAMES } from './metric-table.ts';
import type { MetricDefinition, MetricName } from './metric-table.ts';
import type { FrameTraffic, TrafficKind } from './frame-traffic.ts';

/** What a scrape reads, beside what the events counted. */
export interface MetricsSource {
  status(): NodeStatus;
  readonly traffic: FrameTraffic;
  inboxCount(): number;
  inboxRefusedCount(): number;
  linkBufferedBytes(): number;
  linkCount(channel: TrafficKind): number;
  diskWaitingBytes(): number;
  entryMemoryBytes(): number;
  entryPagedCount(): number;
  diskUsedBytes(): number;
  uptimeMs(): number;
}

/** Operations of one kind that ended in the same way after the same time. */
export interface MeasuredOperations {
  readonly kind: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly count: number;
}

type Labels = Readonly<Record<string, string>>;

/** From an answer out of memory to one that a fail-over held up. */
const OPERATION_SECONDS = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

/** From a memory-backed disk to one that is as good as broken. */
const SYNC_SECONDS = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/**
 * Counts events and measures state for Prometheus, in a registry of its own: two nodes in one
 * process, as in tests, do not mix.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #syncSeconds: Histogram;
  readonly #operationSeconds: DurationHistogram;
  /** Totals of counters that are counted elsewhere, as last seen. */
  readonly #reached = new Map<string, number>();
  #source: MetricsSource | undefined;

  constructor(version: string) {
    for (const name of METRIC_NAMES) this.#define(name, METRICS[name]);
    this.#syncSeconds = new Histogram({
      name: 'memgrid_disk_sync_seconds',
      help: METRICS.memgrid_disk_sync_seconds.help,
      buckets: SYNC_SECONDS,
      registers: [this.#registry],
    });
    const { help, labels } = METRICS.memgrid_operation_seconds;
    this.#operationSeconds = new DurationHistogram({
      name: 'memgrid_operation_seconds',
      help,
      label: 'kind',
      values: labels.kind,
      bounds: OPERATION_SECONDS,
    });
    this.#set('memgrid_build_info', 1, { version });
  }

  /** Where a scrape finds the present state. Without one only the counters are shown. */
  observe(source: MetricsSource): void {
    this.#source = source;
  }

  /** Counts one event. */
  count(event: ObservedEvent): void {
    this.#add('memgrid_events_total', 1, { event: event.name });
    switch (event.name) {
      case 'election.started':
        return this.#add('memgrid_elections_started_total');
      case 'member.suspected':
        return this.#add('memgrid_member_suspicions_total');
      case 'member.died':
        return this.#add('memgrid_member_deaths_total', 1, { evidence: event.evidence });
      case 'frame.refused':
        return this.#add('memgrid_frames_refused_total', 1, { reason: event.reason });
      case 'send.dropped':
        return this.#add('memgrid_sends_dropped_total', 1, { reason: event.reason });
      case 'connection.refused':
        return this.#add('memgrid_connections_refused_total', 1, { reason: event.reason });
      case 'dial.failed':
        return this.#add('memgrid_dials_failed_total', 1, { problem: event.problem });
      case 'loop.stalled':
        this.#add('memgrid_loop_stalled_seconds_total', event.stalledMs / 1000);
        return this.#add('memgrid_loop_stalls_total');
      default:
        return undefined;
    }
  }

  /** Counts one write to the disk. */
  written(write: {
    readonly durationMs: number;
    readonly ticketCount: number;
    readonly bytes: number;
    readonly synced: boolean;
  }): void {
    this.#add('memgrid_disk_writes_total', 1, { sync: write.synced ? 'yes' : 'no' });
    this.#add('memgrid_disk_stores_total', write.ticketCount);
    this.#add('memgrid_disk_bytes_written_total', write.bytes);
    if (write.synced) this.#syncSeconds.observe(write.durationMs / 1000);
  }

  /** Counts answered operations of a client, each of which took as long. */
  operations({ kind, outcome, seconds, count }: MeasuredOperations): void {
    this.#add('memgrid_operations_total', count, { kind, result: outcome });
    this.#operationSeconds.observe(kind, seconds, count);
  }

  load(load: { readonly loopLagP99Ms: number; readonly heapPercent: number }): void {
    this.#set('memgrid_loop_lag_p99_seconds', load.loopLagP99Ms / 1000);
    this.#set('memgrid_heap_used_ratio', load.heapPercent / 100);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    const source = this.#source;
    if (source !== undefined) {
      this.#measureStatus(source.status());
      this.#measureShell(source);
    }
    return `${await this.#registry.metrics()}\n${this.#operationSeconds.text()}\n`;
  }

  #measureStatus(status: NodeStatus): void {
    const { election } = status;
    this.#set('memgrid_is_coordinator', status.coordinator === status.nodeId ? 1 : 0);
    this.#set('memgrid_health_score', status.healthScore);
    this.#set('memgrid_peers_connected', status.connectedPeers.length);
    this.#set('memgrid_control_index', status.control?.index ?? 0);
    this.#set('memgrid_clock_suspect', status.clock.suspect ? 1 : 0);
    this.#reach('memgrid_clock_remote_ahead_total', status.clock.remoteAheadCount);
    this.#set('memgrid_raft_term', election?.term ?? 0);
    this.#set('memgrid_raft_commit_index', election?.commit ?? 0);
    this.#set('memgrid_raft_applied_index', election?.applied ?? 0);
    this.#set('memgrid_raft_last_index', election?.lastIndex ?? 0);
    this.#mark('memgrid_raft_role', 'role', election?.role ?? 'outsider');
    this.#mark('memgrid_node_phase', 'phase', status.phase);
    for (const liveness of METRICS.memgrid_members.labels.liveness) {
      const count = status.members.filter((member) => member.liveness === liveness).length;
      this.#set('memgrid_members', count, { liveness });
    }
    this.#measureData(status);
    const registered = status.control?.members ?? [];
    for (const standing of METRICS.memgrid_registered_members.labels.status) {
      const count = registered.filter((member) => member.status === standing).length;
      this.#set('memgrid_registered_members', count, { status: standing });
    }
  }

  #measureData(status: NodeStatus): void {
    const { clients, logBytes, operationBytes, shardTotals, waitingOperations } = status;
    const { active, inactive, replicas, incomplete, entries } = shardTotals;
    this.#set('memgrid_shards', active, { role: 'primary' });
    this.#set('memgrid_shards', inactive, { role: 'inactive' });
    this.#set('memgrid_shards', replicas, { role: 'replica' });
    this.#set('memgrid_shards_incomplete', incomplete);
    this.#set('memgrid_entries', entries);
    this.#set('memgrid_log_bytes', logBytes);
    this.#set('memgrid_operation_bytes', operationBytes);
    this.#set('memgrid_clients', clients.count);
    this.#set('memgrid_feeds', clients.feeds);
    this.#set('memgrid_operations_waiting', waitingOperations);
  }

  #measureShell(source: MetricsSource): void {
    this.#set('memgrid_inbox_inputs', source.inboxCount());
    this.#reach('memgrid_inbox_refused_total', source.inboxRefusedCount());
    this.#set('memgrid_link_buffered_bytes', source.linkBufferedBytes());
    this.#set('memgrid_disk_waiting_bytes', source.diskWaitingBytes());
    this.#set('memgrid_disk_used_bytes', source.diskUsedBytes());
    this.#set('memgrid_entries_paged', source.entryPagedCount());
    this.#set('memgrid_entries_memory_bytes', source.entryMemoryBytes());
    this.#set('memgrid_uptime_seconds', source.uptimeMs() / 1000);
    this.#set('memgrid_process_resident_memory_bytes', process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    this.#reach('memgrid_process_cpu_seconds_total', (user + system) / 1e6);
    for (const channel of METRICS.memgrid_links.labels.channel) {
      this.#set('memgrid_links', source.linkCount(channel), { channel });
      for (const direction of METRICS.memgrid_frames_total.labels.direction) {
        const { frames, bytes } = source.traffic.read(direction, channel);
        this.#reach('memgrid_frames_total', frames, { direction, channel });
        this.#reach('memgrid_frame_bytes_total', bytes, { direction, channel });
      }
    }
  }

  #define(name: MetricName, definition: MetricDefinition): void {
    const { type, help, labels = {} } = definition;
    const options = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
    if (type === 'counter') this.#counters.set(name, new Counter(options));
    for (const series of combinations(labels)) {
      this.#gauges.get(name)?.set(series, 0);
      this.#counters.get(name)?.inc(series, 0);
    }
  }

  #set(name: MetricName, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #add(name: MetricName, value = 1, labels: Labels = {}): void {
    this.#counters.get(name)?.inc(labels, value);
  }

  /** Brings a counter to a total that is counted elsewhere. */
  #reach(name: MetricName, total: number, labels: Labels = {}): void {
    const key = `${name}${JSON.stringify(labels)}`;
    const before = this.#reached.get(key) ?? 0;
    if (total <= before) return;
    this.#reached.set(key, total);
    this.#add(name, total - before, labels);
  }

  /** 1 for one value of the label, 0 for all others. */
  #mark(name: 'memgrid_raft_role' | 'memgrid_node_phase', label: string, value: string): void {
    const values = Object.values(METRICS[name].labels)[0] as readonly string[];
    for (const one of values) this.#set(name, one === value ? 1 : 0, { [label]: one });
  }
}

/** Every combination of label values; one empty one when there are no labels. */
function combinations(labels: Readonly<Record<string, readonly string[]>>): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (series, [label, values]) =>
      series.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}
