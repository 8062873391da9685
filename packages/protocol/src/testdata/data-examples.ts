import { encodeValue } from '../codec.ts';
import type { EntryBody, EntryState, RecordBody } from '../entry/entry.ts';
import { entryBodyField, entryStateField, recordBodyField } from '../entry/entry-fields.ts';
import { storedKey } from '../entry/stored-key.ts';
import { actorId, generation, nodeId, shardId } from '../ids.ts';
import type { Message } from '../messages/message.ts';
import type {
  Answer,
  Condition,
  EntryVersion,
  Operation,
  OperationBody,
  OperationResult,
  Scope,
} from '../messages/operations.ts';
import type { LogRecord } from '../messages/replication.ts';

const A = nodeId('0a000000000000000000000000000001');
const B = nodeId('0b000000000000000000000000000002');
const C = nodeId('0c000000000000000000000000000003');
const D = nodeId('0d000000000000000000000000000004');

const SHARD = shardId(1023, 4096);
const ACTOR = actorId(A, 3);
const shardEpoch = { shard: SHARD, epoch: 17 };
const version: EntryVersion = {
  dot: { actor: ACTOR, counter: 70_001 },
  timestamp: { ms: 1_790_000_000_123, counter: 5 },
};
const position = { epoch: 17, index: 70_000 };

export const body: EntryBody = {
  userId: 'ada',
  agentId: '',
  appId: 'editor',
  runId: '',
  content: 'prefers tabs, schläft wenig, 例え',
  category: 'PATTERN',
  categories: ['user_preferences'],
  metadata: { b: [1, -2.5, 1e21, null, true], a: { 'name with "quotes"': 'x\ny' }, '10': 0 },
  createdAt: 1_790_000_000_123,
  updatedAt: 1_790_000_000_456,
  expiresAt: 0,
  immutable: false,
  schema: 'memory',
  schemaVersion: 1,
  checksum: '0123456789abcdef',
  upstreamId: '',
  upstreamState: 'none',
  upstreamHash: '',
  upstreamConfirmedAt: 0,
  superseded: [{ content: 'prefers spaces', timestamp: { ms: 1_790_000_000_000, counter: 0 } }],
};

export const state: EntryState = {
  siblings: [
    {
      dot: { actor: ACTOR, counter: 70_001 },
      value: {
        kind: 'put',
        timestamp: version.timestamp,
        expiresAt: 0,
        autonomous: false,
        entry: encodeValue(entryBodyField, body),
      },
    },
    {
      dot: { actor: actorId(B, 0), counter: 12 },
      value: {
        kind: 'delete',
        timestamp: { ms: 1_790_000_000_124, counter: 0 },
        expiresAt: 0,
        autonomous: true,
        entry: new Uint8Array(),
      },
    },
  ],
  context: [
    { actor: ACTOR, counter: 70_001 },
    { actor: actorId(B, 0), counter: 12 },
  ],
};

export const recordBodies: readonly RecordBody[] = [
  {
    kind: 'write',
    key: storedKey('default', '01980000-0000-8000-8000-000000000001'),
    state: encodeValue(entryStateField, state),
    operationId: '01980000-0000-7000-8000-000000000001',
    timestamp: version.timestamp,
    answeredEarly: false,
    fingerprint: 0xfeedface,
  },
  {
    kind: 'write',
    key: storedKey('default', '01980000-0000-8000-8000-000000000001'),
    state: encodeValue(entryStateField, state),
    operationId: '01980000-0000-7000-8000-000000000002',
    timestamp: version.timestamp,
    answeredEarly: false,
    fingerprint: 1,
    version,
  },
  { kind: 'activate' },
  { kind: 'collect', upTo: 69_000, timestamp: { ms: 1_789_999_000_000, counter: 0 } },
];

const records: readonly LogRecord[] = recordBodies.map((record, i) => {
  return {
    epoch: 17,
    index: 70_001 + i,
    sync: (['disk', 'memory', 'os'] as const)[i] ?? 'disk',
    body: encodeValue(recordBodyField, record),
  };
});

const key = '01980000-0000-8000-8000-000000000001';
const address = { namespace: 'default', key };
const entry = Uint8Array.of(0x90);
export const scope: Scope = {
  namespace: 'default',
  userId: 'ada',
  agentId: '',
  appId: '',
  runId: '',
};

const conditions: readonly Condition[] = [
  { kind: 'always' },
  { kind: 'absent' },
  { kind: 'present' },
  { kind: 'version', dot: version.dot },
];

const bodies: readonly OperationBody[] = [
  ...conditions.map((condition) => ({ kind: 'put', ...address, entry, condition }) as const),
  { kind: 'update', ...address, patch: entry, condition: { kind: 'present' } },
  { kind: 'delete', ...address, condition: { kind: 'always' } },
  { kind: 'get', ...address },
  { kind: 'history', ...address },
  { kind: 'list', scope, after: key, limit: 100, countOnly: false },
];

export const operations: readonly Operation[] = bodies.map((operationBody, i) => {
  return {
    id: i + 1,
    shard: SHARD,
    operationId: i < 6 ? '01980000-0000-7000-8000-000000000001' : '',
    body: operationBody,
    read: (['one', 'quorum', 'strong'] as const)[i % 3] ?? 'one',
    durability: i % 2 === 0 ? 'quorum' : 'one',
    sync: (['memory', 'os', 'disk'] as const)[i % 3] ?? 'disk',
    timeoutMs: 3_000,
    noAutonomous: i === 1,
    atLeast: i < 6 ? 0 : 70_000,
    schemaVersion: i < 6 ? undefined : 2,
  };
});

const found = { key, entry, version };
const results: readonly OperationResult[] = [
  {
    kind: 'written',
    version,
    acknowledged: 'quorum',
    sync: 'disk',
    autonomous: false,
    repeated: false,
    existed: undefined,
  },
  { kind: 'found', found, source: 'replica', stalenessMs: 12 },
  { kind: 'absent', source: 'quorum', stalenessMs: 0 },
  {
    kind: 'listed',
    entries: [found],
    count: 1,
    more: true,
    source: 'primary',
    stalenessMs: 0,
  },
  {
    kind: 'history',
    steps: [
      { version, kind: 'put', entry, position },
      { version, kind: 'update', entry, position },
      { version, kind: 'delete', entry: new Uint8Array(), position },
    ],
    complete: true,
  },
  {
    kind: 'failed',
    code: 'QUORUM_UNREACHABLE',
    message: '1 of 2 needed nodes answered.',
    hint: B,
    applied: 'unknown',
    current: undefined,
    details: Uint8Array.of(0x92, 1, 2),
  },
  {
    kind: 'failed',
    code: 'OVERLOADED',
    message: 'Enough.',
    hint: undefined,
    applied: 'no',
    current: version,
    details: Uint8Array.of(0x92, 65, 64),
  },
  {
    kind: 'written',
    version,
    acknowledged: 'local',
    sync: 'memory',
    autonomous: false,
    repeated: false,
    existed: true,
  },
];

export const answers: readonly Answer[] = results.map((result, i) => {
  return { id: i + 1, shard: SHARD, position, result };
});

/** What nodes say to each other about entries. */
export const DATA_EXAMPLES: Readonly<Record<string, Readonly<Record<string, Message>>>> = {
  operations: {
    'operations, none': { type: 'operations', operations: [] },
    'operations of every kind': { type: 'operations', operations },
    'answers of every kind': { type: 'answers', answers },
  },
  replication: {
    'replicate, only the commit': {
      type: 'replicate',
      shards: [{ ...shardEpoch, previous: position, commit: 70_000, records: [] }],
    },
    'replicate with every record': {
      type: 'replicate',
      shards: [{ ...shardEpoch, previous: position, commit: 69_999, records }],
    },
    replicateAck: {
      type: 'replicateAck',
      shards: [
        {
          ...shardEpoch,
          memory: 70_003,
          os: 70_002,
          disk: 70_001,
          complete: true,
          applied: 70_000,
          mismatch: false,
        },
      ],
    },
    promise: { type: 'promise', shards: [shardEpoch] },
    promiseAck: {
      type: 'promiseAck',
      shards: [{ ...shardEpoch, last: position }],
    },
    shardNack: { type: 'shardNack', shards: [{ shard: SHARD, current: 18 }] },
    logPull: { type: 'logPull', ...shardEpoch, after: position, pull: 9 },
    logSuffix: {
      type: 'logSuffix',
      ...shardEpoch,
      pull: 9,
      previous: position,
      records,
      commit: 70_000,
      gone: false,
      more: true,
    },
    epochPing: { type: 'epochPing', round: 3, shards: [shardEpoch] },
    epochPong: { type: 'epochPong', round: 3, shards: [SHARD] },
    keyQuery: { type: 'keyQuery', ...shardEpoch, query: 5, ...address },
    'keyQueryResp, present': {
      type: 'keyQueryResp',
      ...shardEpoch,
      query: 5,
      inSync: true,
      at: position,
      commit: 70_000,
      state: encodeValue(entryStateField, state),
    },
    'keyQueryResp, out of sync': {
      type: 'keyQueryResp',
      ...shardEpoch,
      query: 5,
      inSync: false,
      at: { epoch: 0, index: 0 },
      commit: 0,
      state: new Uint8Array(),
    },
    relay: { type: 'relay', ...shardEpoch, query: 5, to: C, upTo: 70_001 },
    relayResp: { type: 'relayResp', shard: SHARD, query: 5, done: true },
    offerOrphan: {
      type: 'offerOrphan',
      shard: SHARD,
      orphan: 2,
      ...address,
      state: encodeValue(entryStateField, state),
      operationId: '01980000-0000-7000-8000-000000000001',
      fingerprint: 0xfeedface,
    },
    orphanTaken: { type: 'orphanTaken', shard: SHARD, orphan: 2, parked: false },
    shardReports: {
      type: 'shardReports',
      generation: generation(7),
      reports: [
        {
          ...shardEpoch,
          active: true,
          promised: [A, B, C],
          caughtUp: [A, B],
          entries: 100_000,
          bytes: 2 ** 33,
        },
      ],
    },
    'streamOpen of a shard': {
      type: 'streamOpen',
      ...shardEpoch,
      session: 4,
      stream: 11,
      keys: [],
    },
    'streamOpen of damaged entries': {
      type: 'streamOpen',
      ...shardEpoch,
      session: 0,
      stream: 12,
      keys: [storedKey('default', key)],
    },
    streamChunk: {
      type: 'streamChunk',
      ...shardEpoch,
      stream: 11,
      chunk: 1,
      base: position,
      entries: [{ key: storedKey('default', key), state: encodeValue(entryStateField, state) }],
      operations: [
        { operationId: '01980000-0000-7000-8000-000000000001', outcome: Uint8Array.of(1) },
      ],
      doneAt: 0,
      checksum: 0xdeadbeef,
    },
    streamAck: { type: 'streamAck', shard: SHARD, stream: 11, chunk: 1, credit: 4 },
    ...Object.fromEntries(
      (['epoch', 'incomplete', 'busy', 'closed'] as const).map((reason) => [
        `streamRefused, ${reason}`,
        { type: 'streamRefused', shard: SHARD, stream: 11, reason } as const,
      ]),
    ),
  },
};
