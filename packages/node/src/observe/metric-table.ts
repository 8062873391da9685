import { EVENT_NAMES } from './event-levels.ts';

/** One metric: all its series exist from the start, so a rate never begins with a jump. */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** Each label with all values it can have. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

const CHANNELS = ['control', 'bulk', 'client'] as const;

const OPERATION_KINDS = ['put', 'update', 'delete', 'get', 'history', 'list'] as const;

/** Everything under `/metrics`, described for people in `docs/operations/metrics.md`. */
export const METRICS = {
  memgrid_build_info: {
    type: 'gauge',
    help: 'Always 1; the label tells the version.',
    labels: { version: [] },
  },
  memgrid_clients: { type: 'gauge', help: 'Connected clients that were let in.' },
  memgrid_clock_remote_ahead_total: {
    type: 'counter',
    help: 'Messages whose clock was more than 500 ms ahead of this one.',
  },
  memgrid_clock_suspect: {
    type: 'gauge',
    help: '1 while the wall clock of this node is too far off to coordinate writes.',
  },
  memgrid_connections_refused_total: {
    type: 'counter',
    help: 'Connections turned away before they could speak.',
    labels: { reason: ['path', 'token', 'browser', 'strangers', 'admissionTimeout'] },
  },
  memgrid_control_index: {
    type: 'gauge',
    help: 'Last control log index this node has applied, as a voter or from a peer.',
  },
  memgrid_dials_failed_total: {
    type: 'counter',
    help: 'Connections to peers that could not be made.',
    labels: { problem: ['refused', 'unreachable', 'timeout'] },
  },
  memgrid_disk_bytes_written_total: {
    type: 'counter',
    help: 'Bytes of keys and values handed to the disk and accepted.',
  },
  memgrid_disk_stores_total: {
    type: 'counter',
    help: 'Stored batches of the machine; several share one write.',
  },
  memgrid_disk_sync_seconds: {
    type: 'histogram',
    help: 'Duration of a synchronous write. Each vote and each control change waits for one.',
  },
  memgrid_disk_used_bytes: {
    type: 'gauge',
    help: 'What the database takes on disk, about. Compare with storageBytesMax.',
  },
  memgrid_disk_waiting_bytes: { type: 'gauge', help: 'Bytes that wait for a write.' },
  memgrid_disk_writes_total: {
    type: 'counter',
    help: 'Writes to the database.',
    labels: { sync: ['yes', 'no'] },
  },
  memgrid_elections_started_total: {
    type: 'counter',
    help: 'Times this node asked for votes. More than a few an hour: look at loop lag and network.',
  },
  memgrid_entries: { type: 'gauge', help: 'Entries in the copies of shards that are held here.' },
  memgrid_entries_memory_bytes: {
    type: 'gauge',
    help: 'Bytes of entries in memory. At memoryBytesMax values that are on disk are dropped.',
  },
  memgrid_entries_paged: {
    type: 'gauge',
    help: 'Entries whose values are only on disk. Many and rising: give memoryBytesMax more.',
  },
  memgrid_events_total: {
    type: 'counter',
    help: 'Everything that happened, by event name; see docs/operations/events.md.',
    labels: { event: EVENT_NAMES },
  },
  memgrid_feeds: { type: 'gauge', help: 'Feeds of changes that clients have open here.' },
  memgrid_frame_bytes_total: {
    type: 'counter',
    help: 'Bytes of frames.',
    labels: { direction: ['sent', 'received'], channel: CHANNELS },
  },
  memgrid_frames_refused_total: {
    type: 'counter',
    help: 'Messages of peers that changed nothing because something about them was wrong.',
    labels: {
      reason: [
        'garbage',
        'unknownType',
        'wrongCluster',
        'wrongSource',
        'wrongGeneration',
        'outOfOrder',
        'unexpected',
      ],
    },
  },
  memgrid_frames_total: {
    type: 'counter',
    help: 'Frames; one holds everything that one turn had to say to one peer.',
    labels: { direction: ['sent', 'received'], channel: CHANNELS },
  },
  memgrid_health_score: {
    type: 'gauge',
    help: '0 (well) to 7: how much this node doubts itself. Its waiting times grow with it.',
  },
  memgrid_heap_used_ratio: { type: 'gauge', help: 'Used share of the heap limit, 0 to 1.' },
  memgrid_inbox_inputs: { type: 'gauge', help: 'Inputs that wait for the machine.' },
  memgrid_inbox_refused_total: {
    type: 'counter',
    help: 'Inputs refused because the inbox was full. Each costs a connection.',
  },
  memgrid_is_coordinator: { type: 'gauge', help: '1 at the coordinator, 0 elsewhere.' },
  memgrid_link_buffered_bytes: {
    type: 'gauge',
    help: 'Bytes that wait to be sent to peers, over all links.',
  },
  memgrid_links: {
    type: 'gauge',
    help: 'Open connections to peers.',
    labels: { channel: CHANNELS },
  },
  memgrid_log_bytes: { type: 'gauge', help: "Bytes of the shards' logs in memory." },
  memgrid_operation_bytes: { type: 'gauge', help: 'Bytes of remembered outcomes in memory.' },
  memgrid_loop_lag_p99_seconds: {
    type: 'gauge',
    help: 'How late the event loop was, 99th percentile of the last second.',
  },
  memgrid_loop_stalled_seconds_total: {
    type: 'counter',
    help: 'Time in which this process stood still for more than 300 ms at once.',
  },
  memgrid_loop_stalls_total: {
    type: 'counter',
    help: 'Times this process stood still for more than 300 ms.',
  },
  memgrid_member_deaths_total: {
    type: 'counter',
    help: 'Members that this node came to believe dead.',
    labels: { evidence: ['silence', 'refused', 'gossip'] },
  },
  memgrid_member_suspicions_total: { type: 'counter', help: 'Members that became suspect here.' },
  memgrid_members: {
    type: 'gauge',
    help: 'Members as gossip sees them, this node included.',
    labels: { liveness: ['alive', 'suspect', 'dead', 'left'] },
  },
  memgrid_node_phase: {
    type: 'gauge',
    help: '1 for the phase this node is in, 0 for the others.',
    labels: { phase: ['starting', 'discovering', 'joining', 'member', 'leaving', 'halted'] },
  },
  memgrid_operation_seconds: {
    type: 'histogram',
    help: 'What clients of this node waited for an answer, wherever it came from.',
    labels: { kind: OPERATION_KINDS },
  },
  memgrid_operations_total: {
    type: 'counter',
    help: 'Answers to clients of this node. unknown: the caller cannot tell what happened.',
    labels: { kind: OPERATION_KINDS, result: ['ok', 'failed', 'unknown'] },
  },
  memgrid_operations_waiting: {
    type: 'gauge',
    help: 'Operations that wait for an answer in this node, of clients and of peers.',
  },
  memgrid_peers_connected: {
    type: 'gauge',
    help: 'Peers with a control link that works, this node excluded.',
  },
  memgrid_process_cpu_seconds_total: {
    type: 'counter',
    help: 'Processor time of this process, user and system.',
  },
  memgrid_process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory of this process that is in RAM.',
  },
  memgrid_raft_applied_index: { type: 'gauge', help: 'Last log index applied by the voter here.' },
  memgrid_raft_commit_index: { type: 'gauge', help: 'Last log index known to be committed.' },
  memgrid_raft_last_index: { type: 'gauge', help: 'Last log index stored here.' },
  memgrid_raft_role: {
    type: 'gauge',
    help: '1 for the role in the control group, 0 for the others.',
    labels: { role: ['follower', 'preCandidate', 'candidate', 'leader', 'learner', 'outsider'] },
  },
  memgrid_raft_term: { type: 'gauge', help: 'Term of the control group. It grows per election.' },
  memgrid_registered_members: {
    type: 'gauge',
    help: 'Members in the committed registry.',
    labels: { status: ['joining', 'normal', 'draining', 'left', 'expelled'] },
  },
  memgrid_sends_dropped_total: {
    type: 'counter',
    help: 'Messages that were not sent.',
    labels: { reason: ['pressure', 'noLink'] },
  },
  memgrid_shards: {
    type: 'gauge',
    help: 'Shards held here. inactive: this node is to be the primary and does not serve yet.',
    labels: { role: ['primary', 'inactive', 'replica'] },
  },
  memgrid_shards_incomplete: {
    type: 'gauge',
    help: 'Copies of shards here that are not whole yet.',
  },
  memgrid_uptime_seconds: { type: 'gauge', help: 'Time since this process became a node.' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];
