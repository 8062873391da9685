import { expect, test } from 'vitest';
import { shardOfEntry } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import { NOBODY, SessionRig } from '../testing/session-rig.ts';
import type { SessionRigOptions } from '../testing/session-rig.ts';
import { SessionToken } from './session-token.ts';

/** A session with a near cache, and another one without, in front of the same nodes. */
function nearRig(options: SessionRigOptions = {}): SessionRig {
  const rig = new SessionRig({ nearCache: true, ...options });
  for (let at = 0; at < 40; at += 1) rig.put(`warm${at}`, 1);
  rig.advance(1_000);
  return rig;
}

function read(rig: SessionRig, key: string): { value: number | undefined; near: boolean } {
  const call = rig.get(key);
  const near = rig.outcomes.get(call)?.kind === 'near';
  rig.advance(10);
  return { value: rig.valueOf(call), near };
}

test('an entry that was read is served from this process', () => {
  const rig = nearRig();
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: false });
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: true });
  expect(rig.session.near('ns', 'warm1', rig.now)?.found.key).toBe('warm1');
  expect(rig.session.near('other', 'warm1', rig.now)).toBeUndefined();
});

test('a change by somebody else is heard of, and the new value is kept again', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  rig.writeElsewhere('warm1', 9);
  rig.advance(10);
  expect(read(rig, 'warm1')).toEqual({ value: 9, near: false });
  expect(read(rig, 'warm1')).toEqual({ value: 9, near: true });
});

test('Q1, Q16: the own write is read back, not what was kept before it', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  rig.put('warm1', 5);
  rig.advance(2);
  expect(read(rig, 'warm1').value).toBe(5);
});

test('Q1, Q16: nothing older than another answer is served', () => {
  const rig = nearRig();
  // The replica of the feed lags; the session has seen more elsewhere.
  for (const node of rig.grid.nodes) node.lag = 3;
  read(rig, 'warm1');
  read(rig, 'warm1');
  const shard = shardOfEntry({ ...NOBODY, key: 'warm1' }, rig.grid.shardCount);
  rig.writeElsewhere('warm1', 7);
  const strong = rig.get('warm1', { read: 'strong' });
  rig.advance(10);
  expect(rig.valueOf(strong)).toBe(7);
  expect(read(rig, 'warm1').value).toBe(7);
  expect(rig.grid.shard(shard).log.length).toBeGreaterThan(0);
});

test('Q16: without a word from the node, nothing is served for longer than the bound', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  read(rig, 'warm1');
  for (let place = 0; place < 3; place += 1)
    for (const link of rig.linksTo(place)) rig.mute.add(link);
  rig.advance(500);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeDefined();
  rig.advance(1_000);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeUndefined();
});

test('Q16: an idle node is asked for a sign of life, so that what is unchanged stays servable', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  for (let at = 0; at < 600; at += 1) {
    rig.advance(100);
    const hit = rig.session.near('ns', 'warm1', rig.now);
    expect(hit).toBeDefined();
    if (hit !== undefined) expect(rig.session.nearStalenessMs(hit, rig.now)).toBeLessThan(500);
  }
});

test('Q16: a caller who wants fresher than that asks a node', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  rig.advance(150);
  const call = rig.get('warm1', { maxStalenessMs: 0 });
  expect(rig.outcomes.get(call)).toBeUndefined();
  for (const level of ['quorum', 'strong'] as const) {
    const other = rig.get('warm1', { read: level });
    expect(rig.outcomes.get(other)).toBeUndefined();
  }
});

test('Q16: after a broken connection the feed goes on, and what did not change is served again', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  read(rig, 'warm2');
  for (let place = 0; place < 3; place += 1) for (const link of rig.linksTo(place)) rig.cut(link);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeUndefined();
  rig.writeElsewhere('warm2', 8);
  rig.advance(2_000);
  expect(read(rig, 'warm2').value).toBe(8);
  expect(read(rig, 'warm1').value).toBe(1);
});

/** A token of somebody who has seen every shard at this place. */
function tokenAt(rig: SessionRig, shards: readonly number[], index: number): string {
  const token = new SessionToken(rig.grid.clusterId, rig.grid.shardCount);
  for (const shard of shards) token.raise(shard as ShardId, { epoch: 1, index }, rig.now);
  return token.text();
}

test('Q1, Q16: a token ends at once what was permitted in front of it, and the feed begins it again', () => {
  const rig = nearRig();
  read(rig, 'warm1');
  read(rig, 'warm2');
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeDefined();
  const shard = shardOfEntry({ ...NOBODY, key: 'warm1' }, rig.grid.shardCount);
  const { length } = rig.grid.shard(shard).log;
  rig.session.atLeast(tokenAt(rig, [shard], length + 1), rig.now);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeUndefined();
  // The change that the other session saw is told: it was about something else.
  const other = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].find(
    (at) => shardOfEntry({ ...NOBODY, key: `warm${at}` }, rig.grid.shardCount) === shard,
  );
  rig.writeElsewhere(`warm${other}`, 2);
  rig.advance(10);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeDefined();
});

test('Q2, Q16: what another session saw and could not name is not served from this process', () => {
  const rig = nearRig({ shardCount: 1024 });
  read(rig, 'warm1');
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeDefined();
  const shard = shardOfEntry({ ...NOBODY, key: 'warm1' }, rig.grid.shardCount);
  const others = Array.from({ length: 1024 }, (_, at) => at).filter((at) => at !== shard);
  rig.session.atLeast(tokenAt(rig, [shard, ...others], 1), rig.now);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeUndefined();
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: false });
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: true });
});

test('Q17: an answer that was overtaken by its invalidation is not kept', () => {
  const rig = nearRig({ nodes: 1 });
  read(rig, 'warm1');
  read(rig, 'warm2');
  const { latencyMs } = rig;
  rig.writeElsewhere('warm2', 5);
  rig.advance(10);
  // The answer is on its way for long; the invalidation is quick.
  latencyMs[0] = 40;
  const call = rig.get('warm2');
  rig.advance(45);
  latencyMs[0] = 1;
  rig.writeElsewhere('warm2', 6);
  rig.advance(200);
  expect(rig.valueOf(call)).toBe(5);
  expect(read(rig, 'warm2').value).toBe(6);
});

test('Q18: after a gap nothing from before it is served', () => {
  const rig = nearRig({ nodes: 1 });
  read(rig, 'warm1');
  expect(read(rig, 'warm1').near).toBe(true);
  const feeds = [...rig.grid.node(0).feeds.values()];
  const shard = shardOfEntry({ ...NOBODY, key: 'warm1' }, rig.grid.shardCount);
  const feed = feeds.find(({ open }) => open.shard === shard);
  if (feed === undefined) throw new Error('There is no feed.');
  const to = rig.grid.shard(shard).log.length;
  rig.say([
    {
      node: 0,
      link: feed.link,
      message: { type: 'feedGap', feed: feed.open.feed, shard, reason: 'slow', resumesAfter: to },
    },
  ]);
  rig.advance(2);
  expect(rig.session.near('ns', 'warm1', rig.now)).toBeUndefined();
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: false });
  expect(read(rig, 'warm1')).toEqual({ value: 1, near: true });
});

test('Q16: an entry that has expired is not served, though nobody tells of it', () => {
  const rig = nearRig();
  const entry = new Uint8Array([7, 60]);
  rig.call({ kind: 'put', namespace: 'ns', key: 'brief', entry, condition: { kind: 'always' } });
  rig.advance(10);
  read(rig, 'brief');
  expect(read(rig, 'brief')).toEqual({ value: 7, near: true });
  rig.advance(58_000 - rig.now);
  expect(rig.session.near('ns', 'brief', rig.now)).toBeDefined();
  rig.advance(3_000);
  expect(rig.session.near('ns', 'brief', rig.now)).toBeUndefined();
});
