import {
  clusterId,
  encodeValue,
  entryBodyField,
  entryChecksum,
  generation,
  logIndex,
  nodeId,
  shardId,
  shardOfEntry,
  type Answer,
  type ClientMessage,
  type EntryBody,
  type FailedResult,
  type NodeId,
  type Operation,
  type OperationBody,
  type ShardConfig,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import type { AppliedChange } from '../shards/shards-io.ts';
import { Gateway } from './gateway.ts';
import type { GatewayEffect, GatewayInput, GatewayLimits } from './gateway-io.ts';
import { GATEWAY_LIMITS } from './gateway-limits.ts';

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));
const C = nodeId('c'.repeat(32));
const SHARD_COUNT = 8;
const OWN = shardId(0, SHARD_COUNT);
const OTHERS = shardId(1, SHARD_COUNT);
/** Its primary is B, and A holds a replica. */
const HELD = shardId(2, SHARD_COUNT);
const EVERYTHING = { namespace: '', userId: '', agentId: '', appId: '', runId: '' };

function configOf(shard: number, overrides: Partial<ShardConfig>): ShardConfig {
  return {
    shard: shardId(shard, SHARD_COUNT),
    epoch: 1,
    stage: 'stable',
    primary: A,
    primaryGeneration: generation(1),
    replicas: [A],
    next: [],
    session: 0,
    ...overrides,
  };
}

const CONFIGS = [
  configOf(0, { replicas: [A, B] }),
  configOf(1, { primary: B, replicas: [B, C] }),
  configOf(2, { primary: B, replicas: [A, B] }),
];

/** The gateway of node A, with whatever it says collected. */
class Door {
  readonly gateway: Gateway;
  readonly seen: GatewayEffect[] = [];
  readonly applied = new Map<number, number>([
    [0, 0],
    [2, 0],
  ]);
  now = 0 as Instant;

  constructor(limits: Partial<GatewayLimits> = {}) {
    this.gateway = new Gateway({
      self: A,
      generation: generation(1),
      protocolMin: 1,
      protocolMax: 2,
      limits: { ...GATEWAY_LIMITS, ...limits },
      rules: plainEntryRules,
      wallMs: () => 1_800_000_000_000,
      appliedIndex: (shard) => this.applied.get(shard),
    });
  }

  input(input: GatewayInput): readonly GatewayEffect[] {
    const effects = this.gateway.step(this.now, input);
    this.seen.push(...effects);
    return effects;
  }

  wakeUp(): readonly GatewayEffect[] {
    this.now = this.gateway.wakeAt ?? this.now;
    return this.gateway.wake(this.now);
  }

  open(): this {
    this.input({ kind: 'founded', clusterId: clusterId('c'.repeat(32)) });
    this.placed(CONFIGS);
    this.nodes({});
    return this;
  }

  placed(changed: readonly ShardConfig[], index = 1): readonly GatewayEffect[] {
    return this.input({
      kind: 'placement',
      index: logIndex(index),
      shardCount: SHARD_COUNT,
      changed,
    });
  }

  nodes(alive: Partial<Record<NodeId, boolean>>): readonly GatewayEffect[] {
    const nodes = [A, B, C].map((node) => ({
      nodeId: node,
      address: `${node.slice(0, 1)}:7700`,
      zone: 'z',
      alive: alive[node] ?? true,
    }));
    return this.input({ kind: 'nodes', nodes, coordinator: B });
  }

  client(link = -1): number {
    this.input({ kind: 'clientAccepted', link, remote: 'here' });
    this.says(link, {
      type: 'clientHello',
      protocolMin: 1,
      protocolMax: 1,
      name: 'test',
      version: '1',
    });
    return link;
  }

  says(link: number, message: ClientMessage): readonly GatewayEffect[] {
    return this.input({ kind: 'clientReceived', link, message });
  }

  asks(link: number, ...operations: readonly Operation[]): readonly GatewayEffect[] {
    return this.says(link, { type: 'operations', operations });
  }
}

function operationOf(id: number, overrides: Partial<Operation> = {}): Operation {
  return {
    id,
    shard: OWN,
    operationId: '',
    body: { kind: 'get', namespace: 'n', key: 'k' },
    read: 'strong',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: 1_000,
    noAutonomous: false,
    atLeast: 0,
    ...overrides,
  };
}

const DELETE: OperationBody = {
  kind: 'delete',
  namespace: 'n',
  key: 'k',
  condition: { kind: 'always' },
};

function entryOf(overrides: Partial<EntryBody> = {}): EntryBody {
  const said = { content: 'tea', category: '', categories: [], metadata: {} };
  return {
    userId: 'u',
    agentId: '',
    appId: '',
    runId: '',
    ...said,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 0,
    immutable: false,
    schema: '',
    schemaVersion: 0,
    checksum: entryChecksum(said),
    upstreamId: '',
    upstreamState: 'none',
    upstreamHash: '',
    upstreamConfirmedAt: 0,
    superseded: [],
    ...overrides,
  };
}

function putOf(id: number, entry: EntryBody, shard?: number): Operation {
  const address = { ...entry, namespace: 'n', key: 'k' };
  return operationOf(id, {
    shard: shardId(shard ?? shardOfEntry(address, SHARD_COUNT), SHARD_COUNT),
    operationId: 'o',
    body: {
      kind: 'put',
      namespace: 'n',
      key: 'k',
      entry: encodeValue(entryBodyField, entry),
      condition: { kind: 'always' },
    },
  });
}

function answerTo(id: number, shard = OWN): Answer {
  return {
    id,
    shard,
    position: { epoch: 1, index: 5 },
    result: { kind: 'absent', source: 'primary', stalenessMs: 0 },
  };
}

function messagesTo(link: number, effects: readonly GatewayEffect[]): readonly ClientMessage[] {
  return effects.flatMap((effect) =>
    effect.kind === 'clientSend' && effect.link === link ? [effect.message] : [],
  );
}

function answersTo(link: number, effects: readonly GatewayEffect[]): readonly Answer[] {
  return messagesTo(link, effects).flatMap((message) =>
    message.type === 'answers' ? message.answers : [],
  );
}

function failureOf(answer: Answer | undefined): FailedResult {
  if (answer?.result.kind !== 'failed') throw new Error('It did not fail.');
  return answer.result;
}

function localTokens(effects: readonly GatewayEffect[]): readonly number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'local' ? effect.operations.map(({ token }) => token) : [],
  );
}

function kinds(effects: readonly GatewayEffect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}

// Clients.

test('H6: a client that greets is welcomed and told who owns what', () => {
  const door = new Door().open();
  const link = door.client();
  const [welcome, placement] = messagesTo(link, door.seen);
  expect(welcome).toMatchObject({ type: 'clientWelcome', protocol: 1, shardCount: SHARD_COUNT });
  expect(placement).toMatchObject({ type: 'placement', whole: true, coordinator: B });
  const places = placement?.type === 'placement' ? placement.nodes.map((one) => one.nodeId) : [];
  expect(placement?.type === 'placement' && placement.shards[1]).toMatchObject({
    primary: places.indexOf(B),
    replicas: [places.indexOf(B), places.indexOf(C)],
  });
  expect(door.gateway.clientCount).toBe(1);
});

test.each([
  ['protocol', 3, 4, (door: Door) => door.open()],
  ['notFounded', 1, 1, (door: Door) => door],
  [
    'shuttingDown',
    1,
    1,
    (door: Door) => {
      door.open().input({ kind: 'drain', reason: 'draining' });
      return door;
    },
  ],
] as const)('H6: a client is refused with %s', (reason, protocolMin, protocolMax, prepare) => {
  const door = prepare(new Door());
  door.input({ kind: 'clientAccepted', link: -1, remote: 'here' });
  const hello = { type: 'clientHello', protocolMin, protocolMax, name: 't', version: '1' } as const;
  const effects = door.says(-1, hello);
  expect(messagesTo(-1, effects)).toMatchObject([
    { type: 'clientRefused', reason, protocolMin: 1, protocolMax: 2 },
  ]);
  expect(effects.at(-1)).toEqual({ kind: 'clientHangUp', link: -1 });
});

test('H6: a client that never greets is hung up on', () => {
  const door = new Door().open();
  door.input({ kind: 'clientAccepted', link: -1, remote: 'here' });
  expect(door.gateway.wakeAt).toBe(GATEWAY_LIMITS.helloMsMax);
  expect(kinds(door.wakeUp())).toContain('clientHangUp');
  expect(door.gateway.wakeAt).toBeUndefined();
});

test.each<[string, GatewayInput]>([
  ['garbage', { kind: 'clientGarbage', link: -1, problem: 'Not a frame.' }],
  ['an answer', { kind: 'clientReceived', link: -1, message: { type: 'answers', answers: [] } }],
])('H7: %s is refused, and its connection closed', (_what, input) => {
  const door = new Door().open();
  door.client();
  const effects = door.input(input);
  expect(messagesTo(-1, effects)).toMatchObject([{ type: 'clientRefused', reason: 'badMessage' }]);
  expect(kinds(effects)).toContain('clientHangUp');
  expect(door.asks(-1, operationOf(1))).toEqual([]);
});

test('H4: more clients than a node takes are refused', () => {
  const door = new Door({ clientsMax: 1 }).open();
  door.client(-1);
  const effects = door.input({ kind: 'clientAccepted', link: -2, remote: 'here' });
  expect(messagesTo(-2, effects)).toMatchObject([{ reason: 'overloaded' }]);
});

test('H5: a client that does not read is paused, read again, and hung up on at last', () => {
  const door = new Door().open();
  const link = door.client();
  const press = (bufferedBytes: number): readonly GatewayEffect[] =>
    door.input({ kind: 'clientPressure', link, bufferedBytes });
  const { pauseBytes, resumeBytes, hangUpBytes } = GATEWAY_LIMITS;
  expect(press(pauseBytes)).toEqual([{ kind: 'clientPause', link, paused: true }]);
  expect(press(resumeBytes)).toEqual([]);
  expect(press(resumeBytes - 1)).toEqual([{ kind: 'clientPause', link, paused: false }]);
  expect(kinds(press(hangUpBytes))).toContain('clientHangUp');
});

test('H8: changed owners and nodes are told to every open client, once', () => {
  const door = new Door().open();
  for (const link of [-1, -2]) door.client(link);
  const moved = configOf(1, { primary: C, replicas: [C], epoch: 2 });
  const effects = door.placed([moved], 2);
  for (const link of [-1, -2]) {
    const [message] = messagesTo(link, effects);
    expect(message).toMatchObject({ type: 'placement', whole: false, controlIndex: 2 });
    expect(message?.type === 'placement' && message.shards).toMatchObject([{ shard: 1, epoch: 2 }]);
  }
  expect(door.nodes({})).toEqual([]);
  expect(messagesTo(-1, door.nodes({ [C]: false }))).toMatchObject([{ shards: [] }]);
});

// Operations.

test('H13: operations of one message go to each place together, and their answers come back so', () => {
  const door = new Door().open();
  const link = door.client();
  const effects = door.asks(
    link,
    operationOf(1),
    operationOf(2),
    operationOf(3, { shard: OTHERS }),
    operationOf(4, { shard: OTHERS }),
  );
  expect(effects).toMatchObject([
    { kind: 'local', operations: [{ operation: { id: 1 } }, { operation: { id: 2 } }] },
    { kind: 'forward', to: B, operations: [{ shard: OTHERS }, { shard: OTHERS }] },
  ]);
  const answers = localTokens(effects).map((token) => ({ token, answer: answerTo(token) }));
  const answered = door.input({ kind: 'local', answers });
  expect(answered).toHaveLength(1);
  expect(answersTo(link, answered).map(({ id }) => id)).toEqual([1, 2]);
});

test.each<[string, Partial<Operation>, Partial<Record<NodeId, boolean>>, string]>([
  ['a read by quorum to a replica of this node', { read: 'quorum' }, {}, 'local'],
  ['a read of any replica to that of this node', { read: 'one' }, {}, 'local'],
  ['a strong read to the primary', { read: 'strong' }, {}, B],
  ['a write to the primary', { body: DELETE, read: 'one' }, {}, B],
  ['a write without a primary to a replica here', { body: DELETE }, { [B]: false }, 'local'],
])('H3: %s', (_what, overrides, alive, expected) => {
  const door = new Door().open();
  door.nodes(alive);
  const [effect] = door.asks(door.client(), operationOf(1, { shard: HELD, ...overrides }));
  expect(effect?.kind === 'forward' ? effect.to : effect?.kind).toBe(expected);
});

test('H3: without its primary an operation goes to a living replica, and without any nowhere', () => {
  const door = new Door().open();
  const link = door.client();
  door.nodes({ [B]: false });
  expect(door.asks(link, operationOf(1, { shard: OTHERS }))).toMatchObject([{ to: C }]);
  door.nodes({ [B]: false, [C]: false });
  const effects = door.asks(link, operationOf(2, { shard: OTHERS }));
  const failure = failureOf(answersTo(link, effects)[0]);
  expect(failure).toMatchObject({ code: 'SHARD_UNAVAILABLE', applied: 'no', hint: B });
});

test('H3: a forwarded operation is answered here or refused with a hint, never forwarded', () => {
  const door = new Door().open();
  const operations = [operationOf(7), operationOf(8, { shard: OTHERS })];
  const effects = door.input({ kind: 'forwarded', from: C, operations });
  expect(kinds(effects)).toEqual(['local', 'answer']);
  const answer = effects.find((effect) => effect.kind === 'answer');
  expect(answer).toMatchObject({ to: C, answers: [{ id: 8 }] });
  expect(failureOf(answer?.answers[0])).toMatchObject({ code: 'NOT_PRIMARY', hint: B });
});

test.each([
  ['NO_PLACEMENT', 5],
  ['BAD_REQUEST', 4_000],
])('an operation is answered %s at once', (code, shard) => {
  const door = new Door().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1, { shard: shardId(shard, 4_096) }));
  expect(failureOf(answersTo(link, effects)[0])).toMatchObject({ code, applied: 'no' });
});

test('H1: an answer counts once, and only from where the operation was sent', () => {
  const door = new Door().open();
  const link = door.client();
  const [forward] = door.asks(link, operationOf(9, { shard: OTHERS }));
  const token = forward?.kind === 'forward' ? (forward.operations[0]?.id ?? 0) : 0;
  const answers = [answerTo(token, OTHERS)];
  expect(door.input({ kind: 'answered', from: C, answers })).toEqual([]);
  expect(
    door.input({ kind: 'local', answers: [{ token: token + 1, answer: answerTo(1) }] }),
  ).toEqual([]);
  expect(answersTo(link, door.input({ kind: 'answered', from: B, answers }))).toMatchObject([
    { id: 9 },
  ]);
  expect(door.input({ kind: 'answered', from: B, answers })).toEqual([]);
  expect(door.gateway.operationCount).toBe(0);
  expect(door.gateway.operationBytes).toBe(0);
});

test('H1: requests of this process are answered by their number', () => {
  const door = new Door().open();
  const effects = door.input({ kind: 'request', request: 77, operation: operationOf(1) });
  const [token = 0] = localTokens(effects);
  const answers = [{ token, answer: answerTo(token) }];
  expect(door.input({ kind: 'local', answers })).toMatchObject([{ kind: 'reply', request: 77 }]);
});

test.each([
  ['a read', {}, 'no'],
  ['a write', { body: DELETE }, 'unknown'],
])('H2: %s without an answer ends at its deadline', (_what, overrides, applied) => {
  const door = new Door().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1, { ...overrides, timeoutMs: 300 }));
  expect(door.gateway.wakeAt).toBeGreaterThanOrEqual(300);
  expect(door.gateway.wakeAt).toBeLessThan(310);
  const late = door.wakeUp();
  expect(failureOf(answersTo(link, late)[0])).toMatchObject({ code: 'TIMEOUT', applied });
  const answers = localTokens(effects).map((token) => ({ token, answer: answerTo(token) }));
  expect(door.input({ kind: 'local', answers })).toEqual([]);
});

test('H2: nobody waits longer than a minute, whatever was asked for', () => {
  const door = new Door().open();
  door.asks(door.client(), operationOf(1, { timeoutMs: Number.MAX_SAFE_INTEGER }));
  expect(door.gateway.wakeAt).toBeLessThan(60_010);
});

test('H2: what was forwarded over a link that is gone is answered at once', () => {
  const door = new Door().open();
  const link = door.client();
  door.asks(
    link,
    operationOf(1, { shard: OTHERS }),
    operationOf(2, { shard: OTHERS, body: DELETE }),
  );
  const answers = answersTo(link, door.input({ kind: 'peerReset', peer: B }));
  expect(answers.map((answer) => failureOf(answer).applied)).toEqual(['no', 'unknown']);
});

test.each<[string, Partial<GatewayLimits>]>([
  ['operations of one client', { windowOperations: 2 }],
  ['bytes of one client', { windowBytes: 700 }],
  ['operations in all', { totalOperations: 2 }],
  ['bytes in all', { totalBytes: 700 }],
])('H4: %s are bounded, and there is room again when one is answered', (_what, limits) => {
  const door = new Door(limits).open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1), operationOf(2), operationOf(3));
  expect(localTokens(effects)).toHaveLength(2);
  const refused = answersTo(link, effects);
  expect(refused.map(({ id }) => id)).toEqual([3]);
  expect(failureOf(refused[0])).toMatchObject({ code: 'OVERLOADED', applied: 'no' });
  const [token = 0] = localTokens(effects);
  door.input({ kind: 'local', answers: [{ token, answer: answerTo(token) }] });
  expect(localTokens(door.asks(link, operationOf(4)))).toHaveLength(1);
});

test('H4: what a client asked is forgotten with its connection', () => {
  const door = new Door().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1));
  door.input({ kind: 'clientClosed', link });
  expect(door.gateway.operationCount).toBe(0);
  const [token = 0] = localTokens(effects);
  const answers = [{ token, answer: answerTo(token) }];
  expect(door.input({ kind: 'local', answers })).toEqual([]);
});

test('H12: an entry that belongs where it is sent goes on', () => {
  const door = new Door().open();
  const put = putOf(1, entryOf({ userId: ownerWhere((shard) => shard === OWN) }));
  expect(door.asks(door.client(), put)).toMatchObject([
    { kind: 'local', operations: [{ operation: put }] },
  ]);
});

test.each<[string, (put: Operation) => Operation, string]>([
  [
    'of bytes that are none',
    (put) =>
      put.body.kind === 'put'
        ? { ...put, body: { ...put.body, entry: new Uint8Array([1, 2, 3]) } }
        : put,
    'INVALID_ENTRY',
  ],
  ['for another shard than its owner has', (put) => put, 'BAD_REQUEST'],
])('H12: an entry %s is refused', (_what, spoil, code) => {
  const door = new Door().open();
  const link = door.client();
  const owner = ownerWhere((shard) => shard !== OWN);
  const effects = door.asks(link, spoil(putOf(1, entryOf({ userId: owner }), OWN)));
  expect(failureOf(answersTo(link, effects)[0])).toMatchObject({ code, applied: 'no' });
});

function ownerWhere(fits: (shard: number) => boolean): string {
  for (let user = 0; ; user += 1) {
    const address = { namespace: 'n', userId: `u${user}`, key: 'k' };
    if (fits(shardOfEntry(address, SHARD_COUNT))) return address.userId;
  }
}

// Ending.

test('H11: a node that stops says goodbye, answers what is under way, and lets go', () => {
  const door = new Door().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1));
  const goodbye = door.input({ kind: 'drain', reason: 'shuttingDown' });
  expect(messagesTo(link, goodbye)).toEqual([{ type: 'clientBye', reason: 'shuttingDown' }]);
  const refused = answersTo(link, door.asks(link, operationOf(2)));
  expect(failureOf(refused[0]).code).toBe('SHUTTING_DOWN');
  const [token = 0] = localTokens(effects);
  const last = door.input({ kind: 'local', answers: [{ token, answer: answerTo(token) }] });
  expect(answersTo(link, last).map(({ id }) => id)).toEqual([1]);
  expect(last.at(-1)).toEqual({ kind: 'clientHangUp', link });
});

test('H11: a node that is stopped answers everybody', () => {
  const door = new Door().open();
  const link = door.client();
  door.asks(link, operationOf(1), operationOf(2, { body: DELETE }));
  const answers = answersTo(link, door.gateway.abandon());
  expect(answers.map((answer) => failureOf(answer).applied)).toEqual(['no', 'unknown']);
});

// Feeds.

function changeOf(index: number, overrides: Partial<AppliedChange> = {}): AppliedChange {
  return {
    shard: OWN,
    epoch: 1,
    index,
    key: 'n\0k',
    kind: 'put',
    version: {
      dot: { actor: `${A}.1` as never, counter: index },
      timestamp: { ms: index, counter: 0 },
    },
    entry: encodeValue(entryBodyField, entryOf()),
    ...overrides,
  };
}

function watching(
  door: Door,
  link: number,
  overrides: Partial<Extract<ClientMessage, { type: 'feedOpen' }>> = {},
): readonly ClientMessage[] {
  const filter = { scope: EVERYTHING, key: '' };
  const effects = door.says(link, {
    type: 'feedOpen',
    feed: 1,
    shard: OWN,
    filter,
    keysOnly: false,
    after: -1,
    ...overrides,
  });
  return messagesTo(link, effects);
}

function applying(door: Door, ...changes: readonly AppliedChange[]): readonly GatewayEffect[] {
  for (const { shard, index } of changes) door.applied.set(shard, index);
  return door.input({ kind: 'applied', changes });
}

test('H9: a feed begins where the replica is and brings what follows, in order', () => {
  const door = new Door().open();
  const link = door.client();
  applying(door, changeOf(1), changeOf(2));
  expect(watching(door, link)).toMatchObject([
    { type: 'feedChanges', previous: 2, to: 2, changes: [] },
  ]);
  const messages = messagesTo(link, applying(door, changeOf(3), changeOf(4)));
  expect(messages).toMatchObject([
    { previous: 2, to: 4, changes: [{ index: 3, key: 'k' }, { index: 4 }] },
  ]);
});

test('H9: a feed that comes back is given what it missed', () => {
  const door = new Door().open();
  const link = door.client();
  applying(door, changeOf(1), changeOf(2), changeOf(3));
  expect(watching(door, link, { after: 1 })).toMatchObject([
    { previous: 1, to: 1 },
    { previous: 1, to: 3, changes: [{ index: 2 }, { index: 3 }] },
  ]);
});

test('H9: a feed is told what the node no longer remembers', () => {
  const door = new Door({ recentChanges: 2 }).open();
  const link = door.client();
  applying(door, changeOf(1), changeOf(2), changeOf(3), changeOf(4));
  expect(watching(door, link, { after: 0 })).toMatchObject([
    { type: 'feedGap', reason: 'trimmed', resumesAfter: 2 },
    { previous: 2, to: 4, changes: [{ index: 3 }, { index: 4 }] },
  ]);
});

test('H9: a replica that took the shard over from another tells of the gap', () => {
  const door = new Door().open();
  const link = door.client();
  applying(door, changeOf(1));
  watching(door, link);
  const effects = applying(door, changeOf(90));
  expect(messagesTo(link, effects)).toMatchObject([
    { type: 'feedGap', reason: 'trimmed', resumesAfter: 89 },
    { previous: 89, to: 90 },
  ]);
});

test('H9: feeds of a shard that moves away are closed, and of one that is not here too', () => {
  const door = new Door().open();
  const link = door.client();
  watching(door, link);
  expect(watching(door, link, { feed: 2, shard: OTHERS })).toMatchObject([
    { type: 'feedGap', reason: 'moved', resumesAfter: -1 },
  ]);
  const effects = door.placed([configOf(0, { primary: C, replicas: [C], epoch: 2 })], 2);
  expect(messagesTo(link, effects)).toMatchObject([
    { type: 'feedGap', feed: 1, reason: 'moved', resumesAfter: -1 },
    { type: 'placement' },
  ]);
  expect(door.gateway.feedCount).toBe(0);
});

test.each([
  ['another namespace', { scope: { ...EVERYTHING, namespace: 'm' }, key: '' }, 0],
  ['its namespace', { scope: { ...EVERYTHING, namespace: 'n' }, key: '' }, 1],
  ['its user', { scope: { ...EVERYTHING, namespace: 'n', userId: 'u' }, key: '' }, 1],
  ['another user', { scope: { ...EVERYTHING, namespace: 'n', userId: 'v' }, key: '' }, 0],
  ['its key', { scope: { ...EVERYTHING, namespace: 'n' }, key: 'k' }, 1],
  ['another key', { scope: { ...EVERYTHING, namespace: 'n' }, key: 'l' }, 0],
])('H9: a feed of %s brings what matches and nothing else', (_what, filter, count) => {
  const door = new Door().open();
  const link = door.client();
  watching(door, link, { filter });
  const messages = messagesTo(link, applying(door, changeOf(1)));
  const changes = messages.flatMap((one) => (one.type === 'feedChanges' ? one.changes : []));
  expect(changes).toHaveLength(count);
});

test('H9: a feed that nothing matches still says how far it is, now and then', () => {
  const door = new Door().open();
  const link = door.client();
  watching(door, link, { filter: { scope: EVERYTHING, key: 'other' } });
  const changes = Array.from({ length: 600 }, (_, at) => changeOf(at + 1));
  const messages = messagesTo(link, applying(door, ...changes));
  expect(messages).toMatchObject([{ previous: 0, changes: [] }]);
});

test('H10: a feed without credit waits, goes on with it, and is told of what it missed', () => {
  const door = new Door({ feedCreditBytes: 1, recentChanges: 2 }).open();
  const link = door.client();
  watching(door, link);
  // The opening message took the credit.
  expect(applying(door, changeOf(1), changeOf(2))).toEqual([]);
  const paid = door.says(link, { type: 'feedCredit', bytes: 10_000 });
  expect(messagesTo(link, paid)).toMatchObject([{ previous: 0, to: 2 }]);
  door.says(link, { type: 'clientPing', token: 1 });
  const held = door.input({
    kind: 'clientPressure',
    link,
    bufferedBytes: GATEWAY_LIMITS.resumeBytes,
  });
  expect(held).toEqual([]);
  expect(applying(door, changeOf(3))).toEqual([]);
  expect(applying(door, changeOf(4), changeOf(5), changeOf(6))).toEqual([
    {
      kind: 'clientSend',
      link,
      message: { type: 'feedGap', feed: 1, shard: OWN, reason: 'slow', resumesAfter: 4 },
    },
    { kind: 'event', event: { name: 'feed.gap', link, reason: 'slow' } },
  ]);
});

test('H10: keys alone are told without the entries', () => {
  const door = new Door().open();
  const link = door.client();
  watching(door, link, { keysOnly: true });
  const [message] = messagesTo(link, applying(door, changeOf(1)));
  const changes = message?.type === 'feedChanges' ? message.changes : [];
  expect(changes.map(({ key, entry }) => [key, entry.length])).toEqual([['k', 0]]);
});

test('H10: a closed feed is silent, and what it held is free', () => {
  const door = new Door({ clientFeedsMax: 1 }).open();
  const link = door.client();
  watching(door, link);
  expect(watching(door, link, { feed: 2 })).toMatchObject([{ reason: 'slow', resumesAfter: -1 }]);
  door.says(link, { type: 'feedClose', feed: 1 });
  expect(applying(door, changeOf(1))).toEqual([]);
  expect(watching(door, link, { feed: 2 })).toMatchObject([{ previous: 1, to: 1 }]);
});
