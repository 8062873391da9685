import {
  shardId,
  shardOfEntry,
  type NodeId,
  type Operation,
  type OperationBody,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import {
  B,
  C,
  SHARD_COUNT,
  OWN,
  OTHERS,
  HELD,
  configOf,
  GatewayDoor,
  operationOf,
  DELETE,
  entryOf,
  putOf,
  answerTo,
  messagesTo,
  answersTo,
  EVERYTHING,
  failureOf,
  localTokens,
  kinds,
} from '../testing/gateway-door.ts';
import type { GatewayEffect, GatewayInput, GatewayLimits } from './gateway-io.ts';
import { GATEWAY_LIMITS } from './gateway-limits.ts';

// Clients.

test('H6: a client that greets is welcomed and told who owns what', () => {
  const door = new GatewayDoor().open();
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

test('H8: who comes later is told what has changed meanwhile', () => {
  const door = new GatewayDoor().open();
  door.client(-1);
  door.placed([configOf(1, { primary: C, replicas: [C], epoch: 2 })], 2);
  door.nodes({ [B]: false });
  door.client(-2);
  const placement = messagesTo(-2, door.seen).find((message) => message.type === 'placement');
  expect(placement).toMatchObject({ whole: true, controlIndex: 2 });
  expect(placement?.shards[1]).toMatchObject({ epoch: 2 });
  expect(placement?.nodes.find(({ nodeId }) => nodeId === B)?.alive).toBe(false);
});

test.each([
  ['protocol', 3, 4, (door: GatewayDoor) => door.open()],
  ['notFounded', 1, 1, (door: GatewayDoor) => door],
  [
    'shuttingDown',
    1,
    1,
    (door: GatewayDoor) => {
      door.open().input({ kind: 'drain', reason: 'draining' });
      return door;
    },
  ],
] as const)('H6: a client is refused with %s', (reason, protocolMin, protocolMax, prepare) => {
  const door = prepare(new GatewayDoor());
  door.input({ kind: 'clientAccepted', link: -1, remote: 'here' });
  const hello = { type: 'clientHello', protocolMin, protocolMax, name: 't', version: '1' } as const;
  const effects = door.says(-1, hello);
  expect(messagesTo(-1, effects)).toMatchObject([
    { type: 'clientRefused', reason, protocolMin: 1, protocolMax: 2 },
  ]);
  expect(effects.at(-1)).toEqual({ kind: 'clientHangUp', link: -1 });
});

test('H6: a client that never greets is hung up on', () => {
  const door = new GatewayDoor().open();
  door.input({ kind: 'clientAccepted', link: -1, remote: 'here' });
  expect(door.gateway.wakeAt).toBe(GATEWAY_LIMITS.helloMsMax);
  expect(kinds(door.wakeUp())).toContain('clientHangUp');
  expect(door.gateway.wakeAt).toBeUndefined();
});

test.each<[string, GatewayInput]>([
  ['garbage', { kind: 'clientGarbage', link: -1, problem: 'Not a frame.' }],
  ['an answer', { kind: 'clientReceived', link: -1, message: { type: 'answers', answers: [] } }],
])('H7: %s is refused, and its connection closed', (_what, input) => {
  const door = new GatewayDoor().open();
  door.client();
  const effects = door.input(input);
  expect(messagesTo(-1, effects)).toMatchObject([{ type: 'clientRefused', reason: 'badMessage' }]);
  expect(kinds(effects)).toContain('clientHangUp');
  expect(door.asks(-1, operationOf(1))).toEqual([]);
});

test('H4: more clients than a node takes are refused', () => {
  const door = new GatewayDoor({ clientsMax: 1 }).open();
  door.client(-1);
  const effects = door.input({ kind: 'clientAccepted', link: -2, remote: 'here' });
  expect(messagesTo(-2, effects)).toMatchObject([{ reason: 'overloaded' }]);
});

test('H5: a client that does not read is paused, read again, and hung up on at last', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  const press = (bufferedBytes: number): readonly GatewayEffect[] =>
    door.input({ kind: 'clientPressure', link, bufferedBytes });
  const { pauseBytes, resumeBytes, hangUpBytes } = GATEWAY_LIMITS;
  expect(press(pauseBytes)).toEqual([{ kind: 'clientPause', link, paused: true }]);
  expect(press(resumeBytes)).toEqual([]);
  expect(press(resumeBytes - 1)).toEqual([{ kind: 'clientPause', link, paused: false }]);
  expect(kinds(press(hangUpBytes))).toContain('clientHangUp');
});

test('H5: when all clients together leave too much unread, the slowest has to go', () => {
  const door = new GatewayDoor({ unreadBytes: 3_000_000 }).open();
  for (const link of [-1, -2, -3]) door.client(link);
  const press = (link: number, bufferedBytes: number): readonly GatewayEffect[] =>
    door.input({ kind: 'clientPressure', link, bufferedBytes });
  press(-1, 1_100_000);
  press(-2, 1_600_000);
  const effects = press(-3, 1_200_000);
  expect(messagesTo(-2, effects)).toMatchObject([{ reason: 'overloaded' }]);
  expect(effects.filter(({ kind }) => kind === 'clientHangUp')).toHaveLength(1);
  // What the one left unread counts no more, and what was read meanwhile does not either.
  expect(kinds(press(-1, 0))).not.toContain('clientHangUp');
  expect(kinds(press(-3, 2_900_000))).not.toContain('clientHangUp');
});

test('H8: changed owners and nodes are told to every open client, once', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  door.nodes(alive);
  const [effect] = door.asks(door.client(), operationOf(1, { shard: HELD, ...overrides }));
  expect(effect?.kind === 'forward' ? effect.to : effect?.kind).toBe(expected);
});

test('H3: without its primary an operation goes to a living replica, and without any nowhere', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  door.nodes({ [B]: false });
  expect(door.asks(link, operationOf(1, { shard: OTHERS }))).toMatchObject([{ to: C }]);
  door.nodes({ [B]: false, [C]: false });
  const effects = door.asks(link, operationOf(2, { shard: OTHERS }));
  const failure = failureOf(answersTo(link, effects)[0]);
  expect(failure).toMatchObject({ code: 'SHARD_UNAVAILABLE', applied: 'no', hint: B });
});

test('H3: nothing is forwarded over a link that is not there', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  door.input({ kind: 'peerReset', peer: B });
  expect(door.asks(link, operationOf(1, { shard: OTHERS }))).toMatchObject([{ to: C }]);
  door.input({ kind: 'peerReset', peer: C });
  const effects = door.asks(link, operationOf(2, { shard: OTHERS, body: DELETE }));
  const failure = failureOf(answersTo(link, effects)[0]);
  expect(failure).toMatchObject({ code: 'SHARD_UNAVAILABLE', applied: 'no' });
  door.input({ kind: 'peerUp', peer: B });
  expect(door.asks(link, operationOf(3, { shard: OTHERS }))).toMatchObject([{ to: B }]);
});

test('H3: a forwarded operation is answered here or refused with a hint, never forwarded', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1, { shard: shardId(shard, 4_096) }));
  expect(failureOf(answersTo(link, effects)[0])).toMatchObject({ code, applied: 'no' });
});

test('H1: an answer counts once, and only from where the operation was sent', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  const effects = door.input({ kind: 'request', request: 77, operation: operationOf(1) });
  const [token = 0] = localTokens(effects);
  const answers = [{ token, answer: answerTo(token) }];
  expect(door.input({ kind: 'local', answers })).toMatchObject([{ kind: 'reply', request: 77 }]);
});

test.each([
  ['a read', {}, 'no'],
  ['a write', { body: DELETE }, 'unknown'],
])('H2: %s without an answer ends at its deadline', (_what, overrides, applied) => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  door.asks(door.client(), operationOf(1, { timeoutMs: Number.MAX_SAFE_INTEGER }));
  expect(door.gateway.wakeAt).toBeLessThan(60_010);
});

test('H2: what was forwarded over a link that is gone is answered at once', () => {
  const door = new GatewayDoor().open();
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
  ['bytes of one client', { windowBytes: 2_700 }],
  ['operations in all', { totalOperations: 2 }],
  ['bytes in all', { totalBytes: 2_700 }],
])('H4: %s are bounded, and there is room again when one is answered', (_what, limits) => {
  const door = new GatewayDoor(limits).open();
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

test('H1: what the shards can answer at once is answered once, and waits for nothing', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  door.atOnce = ({ id }) => answerTo(id);
  const effects = door.asks(link, operationOf(1), operationOf(2));
  expect(kinds(effects)).toEqual(['clientSend']);
  expect(answersTo(link, effects).map(({ id }) => id)).toEqual([1, 2]);
  expect(door.gateway.operationCount).toBe(0);
  expect(door.gateway.wakeAt).toBeUndefined();
});

test('H1: a read does not overtake the write before it in the same message', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  door.atOnce = ({ id }) => answerTo(id);
  const write = operationOf(2, { body: DELETE, operationId: 'x' });
  const elsewhere = operationOf(4, { shard: HELD, read: 'one' });
  const effects = door.asks(link, operationOf(1), write, operationOf(3), elsewhere);
  expect(localTokens(effects)).toHaveLength(2);
  expect(answersTo(link, effects).map(({ id }) => id)).toEqual([1, 4]);
});

test('H4: what is answered at once counts until the end of its step', () => {
  const door = new GatewayDoor({ windowOperations: 2 }).open();
  const link = door.client();
  door.atOnce = ({ id }) => answerTo(id);
  const three = [operationOf(1), operationOf(2), operationOf(3)];
  for (let round = 0; round < 2; round += 1) {
    const answers = answersTo(link, door.asks(link, ...three));
    expect(answers.map(({ result }) => result.kind)).toEqual(['absent', 'absent', 'failed']);
    expect(failureOf(answers[2])).toMatchObject({ code: 'OVERLOADED', applied: 'no' });
  }
});

test('H4: room is kept for the answers of lists, and little for their counts', () => {
  const door = new GatewayDoor({ windowBytes: 2 * 1024 * 1024 }).open();
  const link = door.client();
  const listing = { kind: 'list', scope: { ...EVERYTHING, namespace: 'n' }, after: '' } as const;
  const lists = (countOnly: boolean): readonly Operation[] =>
    Array.from({ length: 100 }, (_, id) =>
      operationOf(id, { body: { ...listing, limit: 1_000, countOnly } as OperationBody }),
    );
  expect(localTokens(door.asks(link, ...lists(false)))).toHaveLength(3);
  expect(localTokens(door.asks(link, ...lists(true)))).toHaveLength(100);
});

test('H4: what a client asked is forgotten with its connection', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  const effects = door.asks(link, operationOf(1));
  door.input({ kind: 'clientClosed', link });
  expect(door.gateway.operationCount).toBe(0);
  const [token = 0] = localTokens(effects);
  const answers = [{ token, answer: answerTo(token) }];
  expect(door.input({ kind: 'local', answers })).toEqual([]);
});

test('H12: an entry that belongs where it is sent goes on', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  const link = door.client();
  door.asks(link, operationOf(1), operationOf(2, { body: DELETE }));
  const answers = answersTo(link, door.gateway.abandon());
  expect(answers.map((answer) => failureOf(answer).applied)).toEqual(['no', 'unknown']);
});
