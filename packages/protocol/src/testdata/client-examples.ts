import type { ClientMessage } from '../messages/client.ts';
import { actorId, clusterId, generation, logIndex, nodeId, shardId } from '../ids.ts';
import { answers, operations, scope } from './data-examples.ts';

const A = nodeId('0a000000000000000000000000000001');
const B = nodeId('0b000000000000000000000000000002');
const SHARD = shardId(1023, 4096);
const everything = { namespace: '', userId: '', agentId: '', appId: '', runId: '' };
const version = {
  dot: { actor: actorId(A, 3), counter: 70_001 },
  timestamp: { ms: 1_790_000_000_123, counter: 5 },
};

/** What a client and a node say to each other. */
export const CLIENT_EXAMPLES: Readonly<Record<string, ClientMessage>> = {
  clientHello: {
    type: 'clientHello',
    protocolMin: 1,
    protocolMax: 1,
    name: 'notes',
    version: '0.1.0',
  },
  clientWelcome: {
    type: 'clientWelcome',
    protocol: 1,
    clusterId: clusterId('c1057e4200112233445566778899aabb'),
    nodeId: A,
    generation: generation(7),
    wallMs: 1_790_000_000_123,
    shardCount: 1024,
    windowBytes: 8_388_608,
  },
  ...Object.fromEntries(
    (['protocol', 'notFounded', 'shuttingDown', 'overloaded', 'badMessage'] as const).map(
      (reason) => [
        `clientRefused, ${reason}`,
        {
          type: 'clientRefused',
          reason,
          protocolMin: 1,
          protocolMax: 1,
          detail: 'Why.',
        } as const,
      ],
    ),
  ),
  clientPing: { type: 'clientPing', token: 77 },
  clientPong: { type: 'clientPong', token: 77, wallMs: 1_767_225_600_123 },
  ...Object.fromEntries(
    (['closed', 'shuttingDown', 'draining'] as const).map((reason) => [
      `clientBye, ${reason}`,
      { type: 'clientBye', reason } as const,
    ]),
  ),
  'placement, whole': {
    type: 'placement',
    controlIndex: logIndex(305),
    coordinator: A,
    nodes: [
      { nodeId: A, address: '10.0.0.1:7400', zone: 'eu-1', alive: true },
      { nodeId: B, address: '10.0.0.2:7400', zone: '', alive: false },
    ],
    shards: [
      { shard: SHARD, epoch: 17, stage: 'stable', primary: 0, replicas: [0, 1], next: [] },
      { shard: shardId(0, 8), epoch: 2, stage: 'admit', primary: 1, replicas: [1], next: [0] },
      { shard: shardId(1, 8), epoch: 3, stage: 'dual', primary: 1, replicas: [1], next: [0] },
      { shard: shardId(2, 8), epoch: 4, stage: 'switch', primary: 0, replicas: [1], next: [0] },
    ],
    whole: true,
  },
  'placement, nothing is known': {
    type: 'placement',
    controlIndex: logIndex(0),
    coordinator: undefined,
    nodes: [],
    shards: [],
    whole: false,
  },
  operations: { type: 'operations', operations },
  answers: { type: 'answers', answers },
  'feedOpen of a user': {
    type: 'feedOpen',
    feed: 1,
    shard: SHARD,
    filter: { scope, key: '' },
    keysOnly: false,
    after: 70_000,
  },
  'feedOpen of everything, from now on': {
    type: 'feedOpen',
    feed: 2,
    shard: SHARD,
    filter: { scope: everything, key: '' },
    keysOnly: true,
    after: -1,
  },
  feedClose: { type: 'feedClose', feed: 1 },
  'feedChanges of every kind': {
    type: 'feedChanges',
    feed: 1,
    shard: SHARD,
    epoch: 17,
    previous: 70_000,
    to: 70_009,
    changes: (['put', 'update', 'delete', 'expire'] as const).map((kind, i) => {
      return { key: `k${i}`, kind, index: 70_001 + i, version, entry: Uint8Array.of(0x90) };
    }),
  },
  ...Object.fromEntries(
    (['trimmed', 'slow', 'moved'] as const).map((reason, i) => [
      `feedGap, ${reason}`,
      { type: 'feedGap', feed: 1, shard: SHARD, reason, resumesAfter: i - 1 } as const,
    ]),
  ),
  feedCredit: { type: 'feedCredit', bytes: 65_536 },
};
