import { encodeCommand } from '../codec.ts';
import type { Envelope } from '../envelope.ts';
import {
  clusterId,
  generation,
  groupEpoch,
  incarnation,
  logIndex,
  nodeId,
  shardId,
  shortId,
  term,
} from '../ids.ts';
import type {
  ControlCommand,
  FoundingPeer,
  FoundingPlan,
  MemberRecord,
} from '../messages/control.ts';
import type { GroupConfig, LogEntry } from '../messages/election.ts';
import type { Hello } from '../messages/handshake.ts';
import type { MemberMeta, MemberUpdate } from '../messages/membership.ts';
import type { Message } from '../messages/message.ts';
import type { ShardConfig } from '../messages/shards.ts';
import { DATA_EXAMPLES } from './data-examples.ts';

const CLUSTER = clusterId('c1057e4200112233445566778899aabb');
const A = nodeId('0a000000000000000000000000000001');
const B = nodeId('0b000000000000000000000000000002');
const C = nodeId('0c000000000000000000000000000003');
const D = nodeId('0d000000000000000000000000000004');

export const hello: Hello = {
  type: 'hello',
  channel: 'control',
  protocolMin: 1,
  protocolMax: 1,
  features: ['siblings', 'zones'],
  clusterId: CLUSTER,
  groupEpoch: groupEpoch(1),
  nodeId: A,
  generation: generation(7),
  instance: 4_503_599_627_370_497,
  address: '10.0.0.1:7400',
};

export const meta: MemberMeta = {
  address: '10.0.0.1:7400',
  httpAddress: '10.0.0.1:7401',
  zone: 'eu-1',
  weight: 100,
  protocolMin: 1,
  protocolMax: 1,
  features: ['siblings', 'zones'],
  leaveLock: Uint8Array.from({ length: 16 }, (_, i) => i),
  clusterId: CLUSTER,
  raftTerm: term(3),
  raftLeader: B,
  raftCommit: logIndex(70_000),
  loopLagP99Ms: 12,
  heapPercent: 41,
  clockOffsetMs: -250,
  clockSuspect: false,
};

export const alive: MemberUpdate = {
  nodeId: A,
  generation: generation(7),
  incarnation: incarnation(2),
  liveness: 'alive',
  by: A,
  meta,
  leaveKey: undefined,
};
export const suspect: MemberUpdate = { ...alive, liveness: 'suspect', by: B, meta: undefined };
export const dead: MemberUpdate = { ...alive, liveness: 'dead', by: C, meta };
export const left: MemberUpdate = {
  ...alive,
  liveness: 'left',
  meta: undefined,
  leaveKey: Uint8Array.from({ length: 16 }, (_, i) => 255 - i),
};
const newcomer: MemberUpdate = {
  ...alive,
  meta: { ...meta, httpAddress: '', zone: '', clusterId: undefined, raftLeader: undefined },
};

const simple: GroupConfig = { voters: [A, B, C], votersOutgoing: [], learners: [] };
export const joint: GroupConfig = { voters: [A, B, D], votersOutgoing: [A, B, C], learners: [] };

export const member: MemberRecord = {
  nodeId: A,
  generation: generation(7),
  address: '10.0.0.1:7400',
  zone: 'eu-1',
  weight: 100,
  protocolMin: 1,
  protocolMax: 1,
  features: ['siblings', 'zones'],
  instance: 4_503_599_627_370_497,
};

const stableShard: ShardConfig = {
  shard: shardId(0, 1024),
  epoch: 1,
  stage: 'stable',
  primary: B,
  primaryGeneration: generation(7),
  replicas: [A, B, C],
  next: [],
  session: 0,
};

const movingShard: ShardConfig = {
  ...stableShard,
  shard: shardId(1023, 1024),
  epoch: 300,
  stage: 'dual',
  next: [D, A, B],
  session: 299,
};

export const commands: readonly ControlCommand[] = [
  { kind: 'register', member },
  { kind: 'setStatus', nodeId: B, status: 'draining' },
  { kind: 'setTargetVoters', count: 3 },
  { kind: 'setFeature', name: 'siblings', state: 'on' },
  { kind: 'setLevel', level: 'readOnly' },
  { kind: 'createShards', shardCount: 1024, replicationFactor: 3 },
  { kind: 'assignShards', changes: [stableShard, movingShard] },
  {
    kind: 'defineSchema',
    definition: { name: 'note', version: 1, body: { type: 'object' } },
  },
  { kind: 'commitSchema', schema: 'note', version: 2 },
  { kind: 'bindNamespace', namespace: 'notes', schema: 'note' },
  { kind: 'reviveShards' },
];

export const plan: FoundingPlan = {
  clusterId: CLUSTER,
  founder: A,
  attempt: 2,
  members: [member, { ...member, nodeId: B, address: '10.0.0.2:7400', features: [] }],
  config: { voters: [A, B], votersOutgoing: [], learners: [] },
  targetVoters: 3,
};

const header = { groupEpoch: groupEpoch(1), term: term(4) };
const last = { lastIndex: logIndex(300), lastTerm: term(3) };
const digest = { count: 5, hashHigh: 0xffffffff, hashLow: 1 };
const entry = (index: number, payload: LogEntry['payload']): LogEntry => {
  return { index: logIndex(index), term: term(4), payload };
};
const founding: FoundingPeer = { member, expect: 3, unreachedSeeds: ['10.0.0.3:7400'] };

/** What can be said: by the file and the name of its golden bytes. */
export const EXAMPLES: Readonly<Record<string, Readonly<Record<string, Message>>>> = {
  handshake: {
    'hello of a member': hello,
    'hello of an unfounded node, bulk': {
      ...hello,
      channel: 'bulk',
      features: [],
      clusterId: undefined,
      groupEpoch: groupEpoch(0),
      generation: generation(1),
    },
    'hello with text beyond ASCII': { ...hello, address: 'knotenpunkt-süd.例え:7400' },
    helloAck: {
      type: 'helloAck',
      version: 1,
      features: ['zones'],
      clusterId: CLUSTER,
      groupEpoch: groupEpoch(1),
      nodeId: B,
      generation: generation(3),
      instance: 77,
      address: '10.0.0.2:7400',
    },
    ...Object.fromEntries(
      (
        [
          'self',
          'wrongCluster',
          'protocolMismatch',
          'identityInUse',
          'staleGeneration',
          'expelled',
          'duplicate',
          'shuttingDown',
          'badMessage',
        ] as const
      ).map((reason) => [`reject, ${reason}`, { type: 'reject', reason, detail: 'Why.' } as const]),
    ),
    bye: { type: 'bye', reason: 'The node is shutting down.' },
    wrongGeneration: { type: 'wrongGeneration', generation: generation(8) },
  },
  membership: {
    'ping without news': { type: 'ping', probe: 1, updates: [] },
    'ping with every liveness': { type: 'ping', probe: 70_000, updates: [alive, suspect, dead, left] },
    ack: { type: 'ack', probe: 1, stalledMs: 0, updates: [] },
    'ack after a stall': { type: 'ack', probe: 2, stalledMs: 412, updates: [suspect] },
    pingReq: { type: 'pingReq', probe: 3, target: C, targetAddress: '10.0.0.3:7400', updates: [] },
    indirectAck: { type: 'indirectAck', probe: 3, target: C, updates: [] },
    nack: { type: 'nack', probe: 3, target: C },
    'gossip of an unfounded newcomer': { type: 'gossip', updates: [newcomer] },
    pushPullReq: { type: 'pushPullReq', exchange: 9, digest },
    pushPullResp: { type: 'pushPullResp', exchange: 9, digest, wanted: true, updates: [left] },
    refused: { type: 'refused', target: C, generation: generation(5) },
  },
  reachability: {
    'rows, none': { type: 'rows', rows: [] },
    'rows, healthy and not': {
      type: 'rows',
      rows: [
        {
          owner: A,
          generation: generation(7),
          version: 12,
          knownCount: 4,
          unreached: [],
          silent: [],
        },
        {
          owner: B,
          generation: generation(3),
          version: 900,
          knownCount: 4,
          unreached: [C, D],
          silent: [D],
        },
      ],
    },
  },
  election: {
    preVote: { type: 'preVote', ...header, ...last },
    'preVoteResp, granted': { type: 'preVoteResp', ...header, granted: true },
    vote: { type: 'vote', ...header, ...last, transfer: false },
    'vote for a transfer': { type: 'vote', ...header, ...last, transfer: true },
    'voteResp, refused': { type: 'voteResp', ...header, granted: false },
    'append, empty': {
      type: 'append',
      ...header,
      previousIndex: logIndex(0),
      previousTerm: term(0),
      commit: logIndex(0),
      entries: [],
    },
    'append with every payload': {
      type: 'append',
      ...header,
      previousIndex: logIndex(300),
      previousTerm: term(3),
      commit: logIndex(299),
      entries: [
        entry(301, { kind: 'blank' }),
        entry(302, { kind: 'config', config: simple }),
        entry(303, { kind: 'config', config: joint }),
        entry(304, { kind: 'command', command: Uint8Array.of(1, 2, 3) }),
      ],
    },
    'appendResp, accepted': {
      type: 'appendResp',
      ...header,
      accepted: true,
      index: logIndex(304),
      hintIndex: logIndex(0),
      hintTerm: term(0),
    },
    'appendResp, refused': {
      type: 'appendResp',
      ...header,
      accepted: false,
      index: logIndex(300),
      hintIndex: logIndex(255),
      hintTerm: term(2),
    },
    heartbeat: { type: 'heartbeat', ...header, commit: logIndex(2 ** 40), readRound: 5 },
    heartbeatResp: { type: 'heartbeatResp', ...header, readRound: 5 },
    snapshotChunk: {
      type: 'snapshotChunk',
      ...header,
      ...last,
      config: { ...joint, learners: [C] },
      offset: 131_072,
      totalBytes: 131_080,
      bytes: Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1),
    },
    snapshotResp: {
      type: 'snapshotResp',
      ...header,
      lastIndex: logIndex(300),
      nextOffset: 131_080,
      installed: true,
    },
    readIndex: { type: 'readIndex', ...header, request: 6 },
    'readIndexResp of the leader': {
      type: 'readIndexResp',
      ...header,
      request: 6,
      index: logIndex(304),
    },
    'readIndexResp of a follower': { type: 'readIndexResp', ...header, request: 6, index: undefined },
    timeoutNow: { type: 'timeoutNow', ...header },
    ...Object.fromEntries(
      commands.map((command) => [
        `propose, ${command.kind}`,
        { type: 'propose', ...header, request: 8, command: encodeCommand(command) } as const,
      ]),
    ),
    ...Object.fromEntries(
      (
        [
          ['committed', { kind: 'committed', index: logIndex(305) }],
          ['leader elsewhere', { kind: 'notLeader', leader: B }],
          ['no leader', { kind: 'notLeader', leader: undefined }],
          ['overloaded', { kind: 'overloaded' }],
          ['unknown', { kind: 'unknown' }],
        ] as const
      ).map(([name, outcome]) => [
        `proposeResp, ${name}`,
        { type: 'proposeResp', ...header, request: 8, outcome } as const,
      ]),
    ),
  },
  control: {
    configPull: { type: 'configPull', groupEpoch: groupEpoch(1), after: logIndex(300) },
    configDelta: {
      type: 'configDelta',
      groupEpoch: groupEpoch(1),
      from: logIndex(300),
      to: logIndex(305),
      commands: commands.map((command, i) => {
        return { index: logIndex(301 + i), term: term(4), command: encodeCommand(command) };
      }),
    },
    configSnapshot: {
      type: 'configSnapshot',
      groupEpoch: groupEpoch(2),
      index: logIndex(300),
      term: term(3),
      offset: 0,
      totalBytes: 4,
      bytes: Uint8Array.of(4, 3, 2, 1),
    },
    epochNack: { type: 'epochNack', shard: 1023, current: 17 },
    discover: { type: 'discover', peers: [founding, { ...founding, unreachedSeeds: [] }] },
    foundRequest: { type: 'foundRequest', plan },
    'foundResp, promised': { type: 'foundResp', clusterId: CLUSTER, promised: true, detail: '' },
    'foundResp, refused': {
      type: 'foundResp',
      clusterId: CLUSTER,
      promised: false,
      detail: 'Node 0b000000 has promised another plan.',
    },
    foundCommit: { type: 'foundCommit', plan },
  },
  ...DATA_EXAMPLES,
};

/** All of them in one list. */
export const CASES = Object.entries(EXAMPLES).flatMap(([file, examples]) => {
  return Object.entries(examples).map(([name, message]) => ({ file, name, message }));
});

/** The message in an envelope that suits it; the same one each time. */
export function enveloped(message: Message): Envelope {
  const unfounded = message.type === 'hello' && message.clusterId === undefined;
  return {
    version: 1,
    flags: 0,
    cluster32: unfounded ? 0 : Number.parseInt(shortId(CLUSTER), 16),
    source: A,
    sourceGeneration: generation(7),
    targetGeneration: generation(message.type === 'hello' ? 0 : 3),
    sequence: 1,
    timestamp: { ms: 1_790_000_000_123, counter: 5 },
    controlIndex: 305,
    message,
  };
}
