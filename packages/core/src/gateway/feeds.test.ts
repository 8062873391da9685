import { encodeValue, entryBodyField, type ClientMessage } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { AppliedChange } from '../shards/shards-io.ts';
import {
  A,
  C,
  OWN,
  OTHERS,
  EVERYTHING,
  configOf,
  GatewayDoor,
  entryOf,
  messagesTo,
} from '../testing/gateway-door.ts';
import type { GatewayEffect } from './gateway-io.ts';
import { GATEWAY_LIMITS } from './gateway-limits.ts';

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
  door: GatewayDoor,
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

function applying(
  door: GatewayDoor,
  ...changes: readonly AppliedChange[]
): readonly GatewayEffect[] {
  for (const change of changes) {
    door.log.push(change);
    door.applied.set(change.shard, change.index);
  }
  return door.input({ kind: 'applied', changes });
}

test('H9: a feed begins where the replica is and brings what follows, in order', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  const link = door.client();
  applying(door, changeOf(1), changeOf(2), changeOf(3));
  expect(watching(door, link, { after: 1 })).toMatchObject([
    { previous: 1, to: 1 },
    { previous: 1, to: 3, changes: [{ index: 2 }, { index: 3 }] },
  ]);
});

test('H10: a feed is given what it missed while another one had begun later', () => {
  const door = new GatewayDoor().open();
  const [first, second] = [door.client(-1), door.client(-2)];
  applying(door, changeOf(1), changeOf(2));
  watching(door, first);
  applying(door, changeOf(3));
  expect(watching(door, second, { after: 1 })).toMatchObject([
    { previous: 1, to: 1 },
    { previous: 1, to: 3, changes: [{ index: 2 }, { index: 3 }] },
  ]);
  const effects = applying(door, changeOf(4));
  for (const link of [first, second]) {
    expect(messagesTo(link, effects)).toMatchObject([{ previous: 3, to: 4 }]);
  }
});

test('H10: nothing is told while there is no feed, and nothing of it is missed', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  watching(door, link);
  applying(door, changeOf(1));
  door.says(link, { type: 'feedClose', feed: 1 });
  door.log.push(changeOf(2), changeOf(3));
  door.applied.set(OWN, 3);
  expect(watching(door, link, { after: 1 })).toMatchObject([
    { previous: 1, to: 1 },
    { previous: 1, to: 3, changes: [{ index: 2 }, { index: 3 }] },
  ]);
});

test('H9: a feed is told what the node no longer remembers', () => {
  const door = new GatewayDoor({ recentChanges: 2 }).open();
  const link = door.client();
  applying(door, changeOf(1), changeOf(2), changeOf(3), changeOf(4));
  expect(watching(door, link, { after: 0 })).toMatchObject([
    { type: 'feedGap', reason: 'trimmed', resumesAfter: 2 },
    { previous: 2, to: 4, changes: [{ index: 3 }, { index: 4 }] },
  ]);
});

test('H9: a replica that took the shard over from another tells of the gap', () => {
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
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
  const door = new GatewayDoor().open();
  const link = door.client();
  watching(door, link, { filter });
  const messages = messagesTo(link, applying(door, changeOf(1)));
  const changes = messages.flatMap((one) => (one.type === 'feedChanges' ? one.changes : []));
  expect(changes).toHaveLength(count);
});

test('H9: a feed that nothing matches still says how far it is, now and then', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  watching(door, link, { filter: { scope: EVERYTHING, key: 'other' } });
  const changes = Array.from({ length: 600 }, (_, at) => changeOf(at + 1));
  const messages = messagesTo(link, applying(door, ...changes));
  expect(messages).toMatchObject([{ previous: 0, changes: [] }]);
});

test('H10: a feed without credit waits, goes on with it, and is told of what it missed', () => {
  const door = new GatewayDoor({ feedCreditBytes: 1, recentChanges: 2 }).open();
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

test('H10: the feed of a near cache needs no credit, and no pong overtakes it', () => {
  const door = new GatewayDoor({ feedCreditBytes: 1 }).open();
  const link = door.client();
  watching(door, link, { keysOnly: true });
  expect(messagesTo(link, applying(door, changeOf(1)))).toMatchObject([{ previous: 0, to: 1 }]);
  door.input({ kind: 'clientPressure', link, bufferedBytes: GATEWAY_LIMITS.resumeBytes });
  applying(door, changeOf(2));
  expect(door.says(link, { type: 'clientPing', token: 7 })).toEqual([]);
  const room = door.input({ kind: 'clientPressure', link, bufferedBytes: 0 });
  expect(messagesTo(link, room)).toMatchObject([
    { type: 'feedChanges', to: 2 },
    { type: 'clientPong', token: 7 },
  ]);
});

test('H10: keys alone are told without the entries', () => {
  const door = new GatewayDoor().open();
  const link = door.client();
  watching(door, link, { keysOnly: true });
  const [message] = messagesTo(link, applying(door, changeOf(1)));
  const changes = message?.type === 'feedChanges' ? message.changes : [];
  expect(changes.map(({ key, entry }) => [key, entry.length])).toEqual([['k', 0]]);
});

test('H10: a closed feed is silent, and what it held is free', () => {
  const door = new GatewayDoor({ clientFeedsMax: 1 }).open();
  const link = door.client();
  watching(door, link);
  expect(watching(door, link, { feed: 2 })).toMatchObject([{ reason: 'slow', resumesAfter: -1 }]);
  door.says(link, { type: 'feedClose', feed: 1 });
  expect(applying(door, changeOf(1))).toEqual([]);
  expect(watching(door, link, { feed: 2 })).toMatchObject([{ previous: 1, to: 1 }]);
});
