import { expect, test } from 'vitest';
import type { Operation, SyncClass } from '@memgrid/protocol';
import type { StoredEntry } from '../entries/entry-table.ts';
import { decodeStoredEntry } from '../entries/stored-entry.ts';
import { labEntry, labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import type { ShardsEffect, ShardsInput } from './shards-io.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

/** Three nodes that have just forgotten a deleted entry, one of them only in memory. */
function collectedLab(logRecordsMax: number): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000, logRecordsMax } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.put(1, 'k', 'v');
  lab.delete(1, 'k');
  lab.advance(500);
  lab.put(1, 'x', 'v');
  lab.advance(500);
  const isCollected = (): boolean => {
    return lab.events.some(({ node, event }) => node === C && event.name === 'shard.collected');
  };
  while (!isCollected()) lab.advance(5);
  expect([...lab.disk(3).keys()].some((key) => key.endsWith('/e/n\0k'))).toBe(true);
  return lab;
}

function entriesOf(lab: ShardLab): readonly number[] {
  return [1, 2, 3].map((number) => lab.status(number).entries);
}

test('F23, F18: a tombstone that was collected is not mended from the log', () => {
  const lab = collectedLab(4096);
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  lab.advance(1000);
  expect(entriesOf(lab)).toEqual([1, 1, 1]);
  expect([...lab.disk(3).keys()].some((key) => key.endsWith('/e/n\0k'))).toBe(false);
});

test('F23, F18: nor from a replica that has not collected it yet', () => {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000, logRecordsMax: 1 } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.delete(1, 'k');
  lab.advance(500);
  lab.put(1, 'x', 'v');
  lab.advance(300);
  // Node 2 hears nothing of the collection.
  lab.drop = ({ to, body }) => to === B && body.type === 'replicate';
  const isCollected = (): boolean => {
    return lab.events.some(({ node, event }) => node === C && event.name === 'shard.collected');
  };
  while (!isCollected()) lab.advance(5);
  expect(entriesOf(lab)).toEqual([1, 2, 1]);
  lab.drop = ({ to, body }) => {
    return (to === B && body.type === 'replicate') || (to === A && body.type === 'streamOpen');
  };
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  lab.advance(1500);
  expect(lab.status(3).entries).toBe(1);
  lab.drop = () => false;
  lab.advance(10_000);
  expect(entriesOf(lab)).toEqual([1, 1, 1]);
});

/** A write with this number, for a machine that the lab does not look after. */
function numberedPut(lab: ShardLab, id: number, key: string, sync: SyncClass): ShardsInput {
  const operation: Operation = {
    id,
    shard: SHARD,
    operationId: lab.operationId(),
    read: 'one',
    durability: 'quorum',
    sync,
    timeoutMs: 2000,
    noAutonomous: false,
    atLeast: 0,
    body: {
      kind: 'put',
      namespace: 'n',
      key,
      entry: labEntry(`write ${id}`),
      condition: { kind: 'always' },
    },
  };
  return { kind: 'operations', operations: [{ token: id, operation }] };
}

test('F5, F23: what waited for a damaged entry does not overtake what commits with its record', () => {
  const lab = new ShardLab({ nodes: 1, entryBytesMax: 1, config: { logRecordsMax: 1 } });
  lab.assign({});
  lab.advance(100);
  // Written, flushed and synced: the log does not have the first one any more.
  for (const key of ['x', 'y', 'z']) {
    lab.put(1, key, 'v');
    lab.advance(500);
  }
  expect(lab.entries(1).get(SHARD, 0, 'n\0x')).toBe('paged');
  const [, stored] = [...lab.disk(1)].find(([name]) => name.endsWith('/e/n\0x')) ?? [];
  const entry = decodeStoredEntry(stored as Uint8Array) as StoredEntry;

  const effects: ShardsEffect[] = [];
  const step = (input: ShardsInput): void => {
    effects.push(...lab.machine(1).step(lab.now, input));
  };
  // One write waits for the disk, the next one for an entry that another look at it found damaged.
  step(numberedPut(lab, 9001, 'x', 'disk'));
  step({ kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0x', problem: 'Torn.' });
  step(numberedPut(lab, 9002, 'x', 'memory'));
  for (const effect of [...effects]) {
    if (effect.kind !== 'load') continue;
    step({ kind: 'loaded', ticket: effect.ticket, result: { kind: 'loaded', entry } });
  }
  // Behind the first one, so that both commit together.
  step(numberedPut(lab, 9003, 'new', 'memory'));
  for (const effect of [...effects]) {
    if (effect.kind === 'store') step({ kind: 'stored', ticket: effect.ticket });
  }

  const written = effects.flatMap((effect) => {
    return effect.kind === 'answer' && effect.answer.result.kind === 'written'
      ? [effect.token]
      : [];
  });
  expect(written.toSorted((a, b) => a - b)).toEqual([9001, 9002, 9003]);
  const told = effects.flatMap((effect) => {
    return effect.kind === 'applied' ? effect.changes.map(({ index }) => index) : [];
  });
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told).toHaveLength(3);
});
