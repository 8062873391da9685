import {
  clusterId,
  encodeCommand,
  generation,
  groupEpoch,
  logIndex,
  nodeId,
  term,
  type ControlCommand,
  type LogEntry,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { HISTORY } from './command-history.ts';
import type { ControlFeedEffect, ControlFeedInput } from './control-feed-io.ts';
import { ControlFeed } from './control-feed.ts';
import { encodeControlImage } from './control-image.ts';
import { ControlState, type ControlImage } from './control-state.ts';

const GIVER = nodeId('1'.repeat(32));
const TAKER = nodeId('2'.repeat(32));
const EPOCH = groupEpoch(1);
const NOW = 0 as Instant;

function imageOf(overrides: Partial<ControlImage> = {}): ControlImage {
  return {
    clusterId: clusterId('c'.repeat(32)),
    groupEpoch: EPOCH,
    index: logIndex(1),
    term: term(1),
    members: [],
    targetVoters: 1,
    features: [],
    level: 'normal',
    shards: undefined,
    schemas: undefined,
    ...overrides,
  };
}

function entryOf(index: number, command?: ControlCommand): LogEntry {
  return {
    index: logIndex(index),
    term: term(1),
    payload:
      command === undefined
        ? { kind: 'blank' }
        : { kind: 'command', command: encodeCommand(command) },
  };
}

const registration = (digit: number): ControlCommand => ({
  kind: 'register',
  member: {
    nodeId: nodeId(digit.toString(16).padStart(32, '0')),
    generation: generation(1),
    address: `host${digit}:7700`,
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: digit,
  },
});

/** Lets two feeds answer each other until they are silent; returns how many messages passed. */
function converse(
  giver: ControlFeed,
  taker: ControlFeed,
  first: readonly ControlFeedEffect[],
): number {
  const queue = first.map((effect) => ({ at: TAKER, effect }));
  let count = 0;
  while (queue.length > 0) {
    const { at, effect } = queue.shift() as { at: typeof TAKER; effect: ControlFeedEffect };
    if (effect.kind !== 'send') continue;
    count += 1;
    const input: ControlFeedInput = { kind: 'message', from: at, body: effect.body };
    const other = at === TAKER ? giver : taker;
    const next = other.step(NOW, input);
    queue.push(...next.map((effect) => ({ at: at === TAKER ? GIVER : TAKER, effect })));
  }
  return count;
}

function groupOf(commands: number): ControlFeed {
  const feed = new ControlFeed(new ControlState(imageOf()));
  for (let at = 0; at < commands; at += 1) {
    feed.step(NOW, { kind: 'committed', entries: [entryOf(at + 2, registration(at + 1))] });
  }
  return feed;
}

const news = (index: number, epoch = EPOCH): ControlFeedInput => ({
  kind: 'news',
  peer: GIVER,
  index,
  groupEpoch: epoch,
});

test('C5: entries at or below the applied index are skipped', () => {
  const feed = groupOf(3);
  const before = feed.state?.image();
  feed.step(NOW, { kind: 'committed', entries: [entryOf(2, registration(9)), entryOf(4)] });
  expect(feed.state?.image()).toEqual(before);
});

test('C6: a node that knows nothing pulls the whole state', () => {
  const giver = groupOf(5);
  const taker = new ControlFeed(undefined);
  converse(giver, taker, taker.step(NOW, news(6)));
  expect(taker.state?.image()).toEqual(giver.state?.image());
});

test('C6: a node a little behind pulls the difference only', () => {
  const giver = groupOf(5);
  const taker = groupOf(2);
  const [pull] = taker.step(NOW, news(6));
  expect(pull).toMatchObject({ kind: 'send', body: { type: 'configPull', after: 3 } });
  expect(converse(giver, taker, pull === undefined ? [] : [pull])).toBe(2);
  expect(taker.state?.image()).toEqual(giver.state?.image());
});

test('C6: a node that fell out of the history gets a snapshot', () => {
  const giver = groupOf(HISTORY.commandsMax + 10);
  const taker = groupOf(2);
  converse(giver, taker, taker.step(NOW, news(HISTORY.commandsMax + 11)));
  expect(taker.state?.image()).toEqual(giver.state?.image());
});

test('C6: nothing is accepted that was not asked for', () => {
  const taker = groupOf(0);
  const image = imageOf({ index: logIndex(9), level: 'readOnly' });
  const bytes = encodeControlImage(image);
  taker.step(NOW, {
    kind: 'message',
    from: GIVER,
    body: {
      type: 'configSnapshot',
      groupEpoch: EPOCH,
      index: logIndex(9),
      term: term(1),
      offset: 0,
      totalBytes: bytes.length,
      bytes,
    },
  });
  expect(taker.state?.index).toBe(1);
});

test('C6: junk that was asked for is no state', () => {
  const taker = new ControlFeed(undefined);
  taker.step(NOW, news(9));
  const bytes = new Uint8Array([1, 2, 3]);
  taker.step(NOW, {
    kind: 'message',
    from: GIVER,
    body: {
      type: 'configSnapshot',
      groupEpoch: EPOCH,
      index: logIndex(9),
      term: term(1),
      offset: 0,
      totalBytes: 3,
      bytes,
    },
  });
  expect(taker.state).toBeUndefined();
});

test('C6: a member of the group does not pull, unless the group was recovered without it', () => {
  const feed = groupOf(1);
  feed.step(NOW, { kind: 'inGroup', inGroup: true });
  expect(feed.step(NOW, news(50))).toEqual([]);
  const recovered = new ControlFeed(
    new ControlState(imageOf({ groupEpoch: groupEpoch(2), index: logIndex(9) })),
  );
  const effects = feed.step(NOW, news(9, groupEpoch(2)));
  expect(effects).toHaveLength(1);
  converse(recovered, feed, effects);
  expect(feed.state?.groupEpoch).toBe(2);
});

test('C6: an unanswered pull is given up, and the next news asks again', () => {
  const taker = groupOf(0);
  taker.step(NOW, news(5));
  expect(taker.step(NOW, news(6))).toEqual([]);
  taker.wake(1_000 as Instant);
  expect(taker.step(1_000 as Instant, news(7))).toHaveLength(1);
});
