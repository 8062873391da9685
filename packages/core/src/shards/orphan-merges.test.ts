import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import { decodeState } from './entry-view.ts';

const [A, B] = [labNode(1), labNode(2)];

test('F20: a merge that a later primary cut off does not count as taken', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.advance(100);
  // Node 2 takes a write while it does not hear of the primary.
  lab.alive(2, 3);
  lab.put(2, 'k', 'island', { durability: 'one' });
  // The primary hears the offer, and nobody hears what it logs because of it.
  lab.drop = ({ from, body }) => from === A && body.type === 'replicate';
  lab.alive(1, 2, 3);
  lab.advance(1000);
  const merged = lab.status(1).last.index;
  expect(merged).toBe(2);
  // Another primary settles other records there before node 1 hears of its configuration.
  lab.drop = ({ from, body }) => {
    return body.type === 'offerOrphan' || (from === A && body.type === 'promiseAck');
  };
  lab.assign({ primary: labNode(3) }, [3]);
  lab.put(3, 'other', 'v');
  lab.advance(1000);
  expect(lab.status(1).last).toMatchObject({ epoch: 2 });
  expect(lab.sent.some(({ body }) => body.type === 'orphanTaken')).toBe(false);
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: labNode(3) }, [1, 2]);
  lab.advance(10_000);
  const read = lab.answers.get(lab.get(3, 'k', { read: 'strong' }))?.result;
  expect(read).toMatchObject({ kind: 'found', found: { version: { dot: { actor: `${B}.1` } } } });
});

function activeLab(): ShardLab {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

/** Lets node 2 and node 1 not hear each other while `act` runs. */
function apart(lab: ShardLab, act: () => void): void {
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === A || from === A;
  act();
}

function together(lab: ShardLab): void {
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
}

function resultOf(lab: ShardLab, token: number): unknown {
  return lab.answers.get(token)?.result;
}

function siblings(lab: ShardLab, number: number): number {
  const found = lab.entries(number).get(SHARD, lab.status(number).slot, 'n\0k');
  if (found === 'absent' || found === 'paged') throw new Error('The entry is not in memory.');
  return decodeState(found.state).siblings.length;
}

test('F16: an orphan is merged under its id, so a repetition changes nothing', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  const other = lab.operationId();
  apart(lab, () => {
    lab.put(2, 'k', 'island', { durability: 'one', operationId });
    // Replaces the first one before that is merged: its id is remembered all the same.
    lab.put(2, 'k', 'again', { durability: 'one', operationId: other });
  });
  // The later one is merged first.
  lab.drop = ({ body }) => body.type === 'offerOrphan' && body.operationId === operationId;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  together(lab);
  expect(resultOf(lab, lab.put(1, 'k', 'between'))).toMatchObject({ kind: 'written' });
  const index = lab.status(1).last.index;
  for (const [id, content, counter] of [
    [operationId, 'island', 1],
    [other, 'again', 2],
  ] as const) {
    const repeated = lab.put(1, 'k', content, { durability: 'one', operationId: id });
    const version = { dot: { actor: `${B}.1`, counter } };
    expect(resultOf(lab, repeated)).toMatchObject({ kind: 'written', repeated: true, version });
  }
  expect(lab.status(1).last.index).toBe(index);
});

test('F16: an orphan whose repetition was carried out is not merged beside it', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  lab.drop = ({ from }) => from === A;
  lab.put(1, 'k', 'v', { durability: 'one', operationId });
  lab.assign({ primary: B }, [2, 3]);
  const again = lab.put(2, 'k', 'v', { operationId });
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: B }, [1]);
  lab.advance(20_000);
  expect(resultOf(lab, again)).toMatchObject({ kind: 'written', repeated: false });
  expect(lab.sent.some(({ body }) => body.type === 'orphanTaken' && !body.parked)).toBe(true);
  expect(siblings(lab, 2)).toBe(1);
});

test('F16: another request under the id of an orphan does not make it vanish', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  apart(lab, () => {
    lab.put(2, 'k', 'island', { durability: 'one', operationId });
    lab.put(1, 'other', 'mainland', { durability: 'one', operationId });
  });
  together(lab);
  const read = lab.get(1, 'k', { read: 'strong' });
  expect(resultOf(lab, read)).toMatchObject({ kind: 'found' });
});

test('F20: orphans that cannot be taken do not hold up the others', () => {
  const lab = activeLab();
  apart(lab, () => {
    for (let number = 0; number < 40; number += 1) {
      lab.put(2, `k${number}`, 'v', { durability: 'one' });
    }
  });
  lab.drop = ({ body }) => body.type === 'offerOrphan' && Number(body.key.slice(1)) < 20;
  lab.alive(1, 2, 3);
  lab.advance(10_000);
  const found = (key: string): unknown => resultOf(lab, lab.get(1, key, { read: 'strong' }));
  expect(found('k39')).toMatchObject({ kind: 'found' });
  expect(found('k20')).toMatchObject({ kind: 'found' });
  lab.drop = () => false;
  lab.advance(10_000);
  expect(found('k0')).toMatchObject({ kind: 'found' });
  expect([...lab.disk(2).keys()].filter((key) => key.includes('/r/'))).toEqual([]);
});

test('F16: an island that started again knows what it took', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  apart(lab, () => lab.put(2, 'k', 'v', { durability: 'one', operationId }));
  lab.crash(2);
  lab.start(2);
  lab.alive(2, 3);
  const again = lab.put(2, 'k', 'v', { durability: 'one', operationId });
  expect(resultOf(lab, again)).toMatchObject({ repeated: true, autonomous: true });
  const other = lab.put(2, 'k', 'w', { durability: 'one', operationId });
  expect(resultOf(lab, other)).toMatchObject({ code: 'OPERATION_REUSED' });
});

test('F16: an island knows what the log has carried out', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  lab.put(1, 'k', 'v', { operationId });
  lab.advance(500);
  apart(lab, () => {
    const again = lab.put(2, 'k', 'v', { durability: 'one', operationId });
    const about = { repeated: true, autonomous: false, acknowledged: 'quorum' };
    expect(resultOf(lab, again)).toMatchObject(about);
  });
});

test('F16, F20: a repetition waits for the disk with the write that it repeats', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  apart(lab, () => {
    lab.holdDisk(2);
    const more = { durability: 'one', operationId } as const;
    const tokens = [lab.put(2, 'k', 'island', more), lab.put(2, 'k', 'island', more)];
    const reused = lab.put(2, 'k', 'other', more);
    expect(tokens.map((token) => resultOf(lab, token))).toEqual([undefined, undefined]);
    lab.releaseDisk(2);
    const version = { dot: { actor: `${B}.1`, counter: 1 } };
    expect(tokens.map((token) => resultOf(lab, token))).toMatchObject([
      { kind: 'written', repeated: false, version },
      { kind: 'written', repeated: true, version },
    ]);
    expect(resultOf(lab, reused)).toMatchObject({ code: 'OPERATION_REUSED' });
  });
});
