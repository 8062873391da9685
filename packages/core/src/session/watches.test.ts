import { expect, test } from 'vitest';
import { shardOfEntry } from '@memgrid/protocol';
import type { FeedFilter, ShardId } from '@memgrid/protocol';
import { CALL_DEFAULTS, NOBODY, putOf, SessionRig } from '../testing/session-rig.ts';
import type { SessionRigOptions } from '../testing/session-rig.ts';
import type { SessionEffect } from './session-io.ts';

const WHOLE: FeedFilter = { scope: NOBODY, key: '' };

function shardOf(key: string): ShardId {
  return shardOfEntry({ ...NOBODY, key }, 8);
}

function oneKey(key: string): FeedFilter {
  return { scope: NOBODY, key };
}

/** Values of the changes of one watch, in order, with gaps as `gap`. */
function seen(rig: SessionRig, watch: number): (number | string)[] {
  return rig.effects.flatMap((effect): (number | string)[] => {
    if (effect.kind === 'changes' && effect.watch === watch) {
      return effect.changes.map(({ kind, entry }) => (kind === 'put' ? (entry[0] ?? -1) : kind));
    }
    return effect.kind === 'gap' && effect.watch === watch ? [`gap ${effect.reason}`] : [];
  });
}

function lastChanges(rig: SessionRig, watch: number): Extract<SessionEffect, { kind: 'changes' }> {
  const effect = rig.effects.findLast((it) => it.kind === 'changes' && it.watch === watch);
  if (effect?.kind !== 'changes') throw new Error('There were no changes.');
  return effect;
}

function readyRig(options: SessionRigOptions = {}): SessionRig {
  const rig = new SessionRig(options);
  for (let at = 0; at < 40; at += 1) rig.put(`warm${at}`, 1);
  rig.advance(1_000);
  return rig;
}

test('a watch of one id sees its changes and no others, from when it is ready', () => {
  const rig = readyRig();
  rig.put('a', 1);
  rig.advance(10);
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  expect(rig.effects).toContainEqual({ kind: 'watchReady', watch: 1 });
  rig.put('a', 2);
  rig.put('b', 3);
  rig.advance(10);
  rig.call({ kind: 'delete', namespace: 'ns', key: 'a', condition: { kind: 'always' } });
  rig.advance(10);
  expect(seen(rig, 1)).toEqual([2, 'delete']);
});

test('a watch from now on shows nothing that this session has seen, whatever replica it is at', () => {
  const rig = readyRig();
  for (const node of rig.grid.nodes) node.lag = 2;
  for (let value = 1; value <= 3; value += 1) rig.put('a', value);
  rig.advance(10);
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  for (const node of rig.grid.nodes) node.lag = 0;
  rig.put('a', 4);
  rig.advance(10);
  expect(seen(rig, 1)).toEqual([4]);
});

test('a watch that was asked for before any node was reached begins when there is one', () => {
  const rig = new SessionRig();
  rig.watch(1, WHOLE);
  rig.advance(1_000);
  expect(rig.effects).toContainEqual({ kind: 'watchReady', watch: 1 });
});

test('Q14: a whole namespace is watched in every shard, and resumed from its position', () => {
  const rig = readyRig();
  rig.watch(1, WHOLE);
  rig.advance(500);
  for (let at = 0; at < 30; at += 1) rig.put(`w${at}`, at);
  rig.advance(100);
  expect([...seen(rig, 1)].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 30 }, (_, at) => at),
  );
  const { text } = lastChanges(rig, 1).position;
  rig.push({ kind: 'unwatch', watch: 1 });
  expect(rig.effects).toContainEqual({ kind: 'watchEnded', watch: 1, problem: undefined });
  for (let at = 30; at < 60; at += 1) rig.put(`w${at}`, at);
  rig.advance(100);
  rig.watch(2, WHOLE, text);
  rig.advance(500);
  expect([...seen(rig, 2)].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 30 }, (_, at) => 30 + at),
  );
  expect(seen(rig, 1)).toHaveLength(30);
});

test('Q14: a position between two changes resumes between them', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'), undefined);
  rig.advance(10);
  const calls = [1, 2, 3, 4, 5].map((value) => ({
    call: 9_000 + value,
    body: putOf('a', value),
    scope: NOBODY,
    options: CALL_DEFAULTS,
  }));
  rig.push({ kind: 'calls', calls });
  rig.advance(10);
  const { changes, position } = lastChanges(rig, 1);
  const third = changes.find(({ entry }) => entry[0] === 3);
  expect(third).toBeDefined();
  if (third === undefined) return;
  rig.watch(2, oneKey('a'), position.after(third).text);
  rig.advance(10);
  expect(seen(rig, 2)).toEqual([4, 5]);
});

test('Q14: after a broken connection a feed goes on elsewhere, with nothing missing and nothing twice', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  const expected: number[] = [];
  for (let value = 0; value < 60; value += 1) {
    rig.put('a', value);
    expected.push(value);
    rig.advance(50);
    const holder = rig.grid.nodes.findIndex((node) => node.feeds.size > 0);
    if (value % 10 === 5 && holder >= 0) for (const link of rig.linksTo(holder)) rig.cut(link);
  }
  rig.advance(5_000);
  expect(seen(rig, 1)).toEqual(expected);
});

test('Q14: what a node forgot is told as a gap, and the watch goes on behind it', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  rig.put('a', 1);
  rig.advance(10);
  const { text } = lastChanges(rig, 1).position;
  rig.push({ kind: 'unwatch', watch: 1 });
  for (let value = 2; value <= 5; value += 1) rig.put('a', value);
  rig.advance(10);
  rig.grid.trimBelow(shardOf('a'), rig.grid.shard(shardOf('a')).log.length);
  rig.watch(2, oneKey('a'), text);
  rig.advance(10);
  rig.put('a', 6);
  rig.advance(10);
  expect(seen(rig, 2)).toEqual(['gap trimmed', 6]);
});

test('Q14: a message that does not follow on the one before is asked for again', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  const holder = rig.grid.nodes.findIndex((node) => node.feeds.size > 0);
  const node = rig.grid.node(holder);
  const [feed] = [...node.feeds.values()];
  rig.put('a', 1);
  // The node skips the first change by mistake.
  if (feed !== undefined) feed.told += 1;
  rig.put('a', 2);
  rig.advance(1_500);
  expect(seen(rig, 1)).toEqual([1, 2]);
});

test('Q14: a replica that lost the shard is left for another one', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  const shard = shardOf('a');
  const holder = rig.grid.nodes.findIndex((node) => node.feeds.size > 0);
  const [feed] = [...rig.grid.node(holder).feeds.values()];
  if (feed === undefined) throw new Error('There is no feed.');
  rig.grid.shard(shard).replicas = rig.grid
    .shard(shard)
    .replicas.filter((place) => place !== holder);
  rig.grid.node(holder).feeds.clear();
  const message = {
    type: 'feedGap',
    feed: feed.open.feed,
    shard,
    reason: 'moved',
    resumesAfter: -1,
  } as const;
  rig.say([{ node: holder, link: feed.link, message }]);
  rig.advance(10);
  rig.put('a', 1);
  rig.advance(3_000);
  expect(seen(rig, 1)).toEqual([1]);
});

test('Q15: a slow consumer gets nothing more than its buffer, and then everything', () => {
  const rig = readyRig({ config: { watchBytesMax: 2_000 } });
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  for (let value = 0; value < 100; value += 1) {
    rig.put('a', value);
    rig.advance(5);
  }
  const held = seen(rig, 1).length;
  expect(held).toBeGreaterThan(3);
  expect(held).toBeLessThan(20);
  expect(rig.grid.nodes.reduce((sum, node) => sum + node.feeds.size, 0)).toBe(0);
  for (let given = 0; seen(rig, 1).length < 100; given += 1) {
    expect(given).toBeLessThan(100);
    rig.push({ kind: 'watchTaken', watch: 1, bytes: 2_000 });
    rig.advance(10);
  }
  rig.advance(1_000);
  expect(seen(rig, 1)).toEqual(Array.from({ length: 100 }, (_, at) => at));
});

test('Q15: credit is given back as changes come, whoever reads them', () => {
  const rig = readyRig();
  rig.watch(1, oneKey('a'));
  rig.advance(10);
  const entry = new Uint8Array(60_000);
  for (let at = 0; at < 10; at += 1) {
    rig.call({ kind: 'put', namespace: 'ns', key: 'a', entry, condition: { kind: 'always' } });
    rig.advance(5);
  }
  const credit = rig.grid.nodes
    .flatMap((node) => node.received)
    .reduce((sum, message) => sum + (message.type === 'feedCredit' ? message.bytes : 0), 0);
  expect(credit).toBeGreaterThan(256 * 1024);
});

test('Q13: more watches than a session may have are refused', () => {
  const rig = readyRig({ config: { watchesMax: 2 } });
  for (const watch of [1, 2, 3]) rig.watch(watch, oneKey('a'));
  expect(rig.effects).toContainEqual({
    kind: 'watchEnded',
    watch: 3,
    problem: expect.objectContaining({ code: 'OVERLOADED' }),
  });
});

test.each([
  ['of nothing', 'nonsense'],
  ['of a session', 'session'],
  ['of another watch', 'other'],
])('a position %s is refused', (_what, which) => {
  const rig = readyRig();
  rig.watch(1, oneKey('b'));
  rig.advance(10);
  rig.put('b', 1);
  rig.advance(10);
  const texts: Record<string, string> = {
    nonsense: 'nonsense',
    session: rig.session.token,
    other: lastChanges(rig, 1).position.text,
  };
  rig.watch(2, oneKey('a'), texts[which]);
  expect(rig.effects.at(-1)).toMatchObject({
    kind: 'watchEnded',
    watch: 2,
    problem: { code: 'BAD_CURSOR' },
  });
});
