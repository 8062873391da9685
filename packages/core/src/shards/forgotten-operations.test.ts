import { makeOperationId, operationIdMs } from '@memgrid/protocol';
import type { Operation, ShardId } from '@memgrid/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { Random } from '../random.ts';
import { breakRule, mendRules } from '../testing/breaks.ts';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';

// What the build condition "memgrid-breaks" does for the simulator.
vi.mock('#breaks', () => import('../testing/breaks.ts'));

afterEach(mendRules);

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];
const OTHER = (SHARD + 1) as ShardId;
const MINUTE_MS = 60_000;

/** The first shard is everybody's; of the other one only `busy` has a copy. Room for two periods. */
function busyLab(busy: number): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { operationBytesMax: 2_500 } });
  lab.assign({ primary: A, replicas: [A, B, C] });
  lab.assign({ shard: OTHER, primary: labNode(busy), replicas: [labNode(busy)] });
  lab.advance(100);
  return lab;
}

/** Writes to the other shard until its node has forgotten what is older. */
function press(lab: ShardLab, busy: number): void {
  for (let number = 0; number < 5; number += 1) {
    lab.advance(300);
    lab.put(busy, `x${number}`, 'v', { shard: OTHER });
  }
  lab.advance(300);
}

function again(lab: ShardLab, number: number, operationId: string): unknown {
  const token = lab.put(number, 'k', 'v', { operationId });
  lab.advance(1000);
  return lab.answers.get(token)?.result;
}

/** Outcomes of a shard on a node's disk. */
function stored(lab: ShardLab, number: number, shard = SHARD): number {
  const prefix = `shard/${shard.toString(16).padStart(4, '0')}/`;
  return [...lab.disk(number).keys()].filter((key) => {
    return key.startsWith(prefix) && key.includes('/o/');
  }).length;
}

/** How often the log of the first shard changed `key`, at whichever replica. */
function timesApplied(lab: ShardLab, key: string): number {
  const records = lab.changes.filter(({ change }) => change.key === `n\0${key}`);
  return new Set(records.map(({ change }) => `${change.shard}:${change.index}`)).size;
}

test('F16: a replica with room answers what a primary without had forgotten', () => {
  const lab = busyLab(1);
  const operationId = lab.operationId();
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: false });
  press(lab, 1);
  expect(again(lab, 1, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
  lab.assign({ primary: B });
  lab.advance(1000);
  expect(again(lab, 2, operationId)).toMatchObject({ kind: 'written', repeated: true });
  expect(timesApplied(lab, 'k')).toBe(1);
});

test('F16: a replica that had forgotten refuses as a primary, also after a restart', () => {
  const lab = busyLab(2);
  const operationId = lab.operationId();
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: false });
  press(lab, 2);
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: true });
  lab.assign({ primary: B });
  lab.advance(1000);
  expect(again(lab, 2, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
  lab.crash(2);
  lab.start(2);
  lab.assign({ primary: B });
  lab.advance(1000);
  expect(again(lab, 2, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
  expect(timesApplied(lab, 'k')).toBe(1);
});

test('F16: an idle shard forgets by age, in memory and on disk', () => {
  const lab = busyLab(1);
  const operationId = lab.operationId();
  again(lab, 1, operationId);
  expect([1, 2, 3].map((number) => stored(lab, number))).toEqual([1, 1, 1]);
  lab.advance(9 * MINUTE_MS);
  expect(again(lab, 1, operationId)).toMatchObject({ repeated: true });
  lab.advance(2 * MINUTE_MS);
  expect([1, 2, 3].map((number) => stored(lab, number))).toEqual([0, 0, 0]);
  expect(again(lab, 1, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
});

test('F16: ages count by the wall clock, when the hybrid clock is hours ahead of it', () => {
  // As after somebody has set right a clock that was wrong everywhere.
  const lab = new ShardLab({ nodes: 3, aheadMs: 6 * 60 * MINUTE_MS });
  lab.assign({ primary: A, replicas: [A, B, C] });
  lab.advance(100);
  const operationId = lab.operationId();
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: false });
  lab.advance(9 * MINUTE_MS);
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: true });
  lab.advance(2 * MINUTE_MS);
  expect(again(lab, 1, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
});

test('F16: what is too old already at a start is forgotten soon after', () => {
  const lab = busyLab(1);
  again(lab, 1, lab.operationId());
  lab.crash(3);
  lab.advance(11 * MINUTE_MS);
  expect(stored(lab, 3)).toBe(1);
  lab.start(3);
  lab.advance(2_000);
  expect(stored(lab, 3)).toBe(0);
});

test('F16: the disk keeps no more than memory does', () => {
  const lab = busyLab(1);
  again(lab, 1, lab.operationId());
  for (let round = 0; round < 4; round += 1) press(lab, 1);
  expect(stored(lab, 1)).toBe(0);
  // Two periods at most, and one write each.
  expect(stored(lab, 1, OTHER)).toBeLessThanOrEqual(2);
});

test('F16, F24: a shard that is given up leaves no outcome on disk, forgotten or not', () => {
  const lab = busyLab(1);
  for (let number = 0; number < 3; number += 1) {
    lab.put(1, `k${number}`, 'v');
    lab.advance(300);
  }
  lab.put(1, 'k3', 'v');
  // Some are forgotten in memory alone when the shard goes.
  lab.assign({ primary: B, replicas: [B, C] });
  lab.advance(2_000);
  expect(stored(lab, 1)).toBe(0);
});

test('F16, F20: what the log brings is not offered, though its primary has forgotten it', () => {
  const lab = busyLab(1);
  const operationId = lab.operationId();
  // Node 2 and the primary do not hear each other, and both take the write.
  lab.drop = ({ from, to }) => (from === A && to === B) || (from === B && to === A);
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', autonomous: false });
  lab.alive(2, 3);
  const token = lab.put(2, 'k', 'v', { operationId, durability: 'one' });
  expect(lab.answers.get(token)?.result).toMatchObject({ kind: 'written', autonomous: true });
  lab.alive(1, 2, 3);
  press(lab, 1);
  expect(again(lab, 1, operationId)).toMatchObject({ code: 'OPERATION_EXPIRED' });
  lab.drop = () => false;
  lab.advance(10_000);
  expect(lab.status(2).applied).toBe(lab.status(1).applied);
  expect(timesApplied(lab, 'k')).toBe(1);
  expect([...lab.disk(2).keys()].filter((key) => key.includes('/r/'))).toEqual([]);
});

test('F16, F20: what no log has is merged, though its primary may have forgotten it', () => {
  const lab = busyLab(3);
  lab.drop = ({ from, to }) => (from === A && to === B) || (from === B && to === A);
  lab.alive(2, 3);
  const token = lab.put(2, 'k', 'island', { durability: 'one' });
  expect(lab.answers.get(token)?.result).toMatchObject({ kind: 'written', autonomous: true });
  lab.alive(1, 2, 3);
  lab.put(1, 'other', 'v');
  lab.advance(11 * MINUTE_MS);
  lab.drop = () => false;
  lab.advance(20_000);
  const read = lab.get(1, 'k', { read: 'strong' });
  expect(lab.answers.get(read)?.result).toMatchObject({ kind: 'found' });
  expect(timesApplied(lab, 'k')).toBe(1);
});

test('F25: nothing wakes a node that has forgotten everything', () => {
  const lab = busyLab(1);
  again(lab, 1, lab.operationId());
  lab.advance(12 * MINUTE_MS);
  const before = lab.sent.length;
  lab.advance(60 * MINUTE_MS);
  expect(lab.sent.length).toBe(before);
});

/** Writes that are repeated until the end, while nodes forget, crash and take over. */
function forgetfulDay(seed: number): readonly string[] {
  const random = Random.of(seed);
  const lab = busyLab(1 + random.below(3));
  const writes: { readonly key: string; readonly more: Partial<Operation> }[] = [];
  let primary = 1;
  for (let step = 0; step < 60; step += 1) {
    const luck = random.unit();
    if (luck < 0.35) {
      const write = { key: `k${step}`, more: { operationId: lab.operationId() } };
      writes.push(write);
      lab.put(primary, write.key, 'v', write.more);
    } else if (luck < 0.65) {
      const write = random.pick(writes);
      if (write !== undefined) lab.put(primary, write.key, 'v', write.more);
    } else if (luck < 0.75) {
      const number = 1 + random.below(3);
      lab.crash(number);
      lab.start(number);
      lab.assign({ primary: labNode(primary) });
    } else if (luck < 0.85) {
      primary = 1 + random.below(3);
      lab.assign({ primary: labNode(primary) });
    }
    for (const number of [1, 2, 3]) lab.put(number, 'x', 'v', { shard: OTHER });
    lab.advance(random.below(400));
  }
  return writes.filter(({ key }) => timesApplied(lab, key) > 1).map(({ key }) => key);
}

test('F16: nothing is carried out twice, whoever forgets and whoever takes over', () => {
  for (let seed = 1; seed <= 60; seed += 1) expect([seed, ...forgetfulDay(seed)]).toEqual([seed]);
});

test.each(['shards.operation-once', 'shards.forgotten-is-refused'] as const)(
  'F16: a forgetful day finds out who breaks %s',
  (rule) => {
    breakRule(rule);
    let found: readonly string[] = [];
    for (let seed = 1; seed <= 60 && found.length === 0; seed += 1) found = forgetfulDay(seed);
    expect(found).not.toEqual([]);
  },
);

test('F16: however many ids one quarter of a second has, what is remembered of it is bounded', () => {
  const lab = new ShardLab({ nodes: 1, config: { operationBytesMax: 20_000 } });
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(100);
  const ms = operationIdMs(lab.operationId()) as number;
  const tokens = Array.from({ length: 2_000 }, (_, number) => {
    const operationId = makeOperationId(ms, [number, 7, 7]);
    return lab.put(1, `k${number}`, 'v', { operationId });
  });
  lab.advance(100);
  const results = tokens.map((token) => lab.answers.get(token)?.result);
  const refused = results.filter((it) => it?.kind === 'failed' && it.code === 'OVERLOADED');
  expect(refused.length).toBeGreaterThan(1_000);
  expect(lab.machine(1).operationBytes).toBeLessThan(60_000);
  lab.advance(300);
  expect(again(lab, 1, lab.operationId())).toMatchObject({ kind: 'written', repeated: false });
});

test('F16: an id of now is taken where the clock was set back', () => {
  // The hybrid clock knows better, and so do the other nodes, by which clients make their ids.
  const lab = new ShardLab({ nodes: 1, aheadMs: 60 * MINUTE_MS });
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(100);
  const operationId = lab.operationId(lab.wallMs + 60 * MINUTE_MS);
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: false });
  expect(again(lab, 1, operationId)).toMatchObject({ kind: 'written', repeated: true });
  const far = lab.operationId(lab.wallMs + 62 * MINUTE_MS);
  expect(again(lab, 1, far)).toMatchObject({ code: 'BAD_REQUEST' });
});

test('F16, F26: ids of the future do not push out what others did just now', () => {
  const lab = new ShardLab({ nodes: 1, config: { operationBytesMax: 40_000 } });
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(100);
  const present = lab.operationId();
  expect(again(lab, 1, present)).toMatchObject({ repeated: false });
  const codes = new Set<unknown>();
  for (let number = 0; number < 100; number += 1) {
    const operationId = lab.operationId(lab.wallMs + 5_000 + number * 500);
    const token = lab.put(1, 'k', 'v', { operationId });
    const result = lab.answers.get(token)?.result;
    codes.add(result?.kind === 'failed' ? result.code : result?.kind);
  }
  expect([...codes]).toEqual(['written', 'OVERLOADED']);
  expect(again(lab, 1, present)).toMatchObject({ kind: 'written', repeated: true });
  // A client whose clock is right is served as ever, and the others once their time has come.
  expect(again(lab, 1, lab.operationId())).toMatchObject({ kind: 'written' });
  lab.advance(MINUTE_MS);
  const later = lab.operationId(lab.wallMs + 5_000);
  expect(again(lab, 1, later)).toMatchObject({ kind: 'written' });
});
