import { Random } from '@memgrid/core';
import type { StoreOperation } from '@memgrid/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';
import { SimDisk } from './sim-disk.ts';
import type { DiskLoss, TornBatches } from './sim-disk.ts';

interface Rig {
  readonly queue: EventQueue;
  readonly disk: SimDisk;
  /** What each batch was answered, in the order of the answers. */
  readonly answers: [batch: number, problem: string | undefined][];
  readonly store: (batch: number, durable?: boolean) => void;
}

function rig(seed: number, tornBatches: TornBatches = 'discarded'): Rig {
  const queue = new EventQueue(Random.of(seed));
  const after = (delayUs: number, run: () => void): void => queue.after(delayUs, run);
  const disk = new SimDisk({ random: Random.of(seed).split('disk'), after, tornBatches });
  disk.open();
  const answers: [number, string | undefined][] = [];
  return {
    queue,
    disk,
    answers,
    store: (batch, durable = true) =>
      disk.store(batchOf(batch), durable, (problem) => answers.push([batch, problem])),
  };
}

function batchOf(batch: number): StoreOperation[] {
  return ['a', 'b', 'c'].map((part) => ({
    kind: 'put',
    key: `${batch}${part}`,
    value: new Uint8Array([batch]),
  }));
}

/** The batches of which at least one record is there, and whether each of them is whole. */
function survivors(disk: SimDisk): { readonly batches: number[]; readonly whole: boolean } {
  const keys = [...disk.snapshot().keys()];
  const batches = [...new Set(keys.map((key) => Number.parseInt(key, 10)))].sort((a, b) => a - b);
  return { batches, whole: keys.length === 3 * batches.length };
}

const never = (): boolean => false;
const losses: DiskLoss[] = ['killed', 'powerOff'];

test('S6: a crash keeps a prefix of the batches, whole ones, and everything it confirmed', () => {
  const day = fc.record({
    seed: fc.integer(),
    gaps: fc.array(fc.nat(3_000), { minLength: 1, maxLength: 30 }),
    loss: fc.constantFrom(...losses),
  });
  fc.assert(
    fc.property(day, ({ gaps, loss, seed }) => {
      const { answers, disk, queue, store } = rig(seed);
      gaps.forEach((gapUs, batch) => {
        store(batch);
        queue.runUntil(queue.nowUs + gapUs, never);
      });
      const confirmed = answers.map(([batch]) => batch);
      disk.crash(loss);
      const { batches, whole } = survivors(disk);
      expect(whole).toBe(true);
      expect(batches).toEqual(gaps.map((_, batch) => batch).slice(0, batches.length));
      expect(batches).toEqual(expect.arrayContaining(confirmed));
    }),
  );
});

test('S6: answers come in the order of the batches, and batches that wait share a sync', () => {
  const { answers, disk, queue, store } = rig(7);
  for (let batch = 0; batch < 20; batch += 1) store(batch);
  queue.runUntil(1_000_000, never);
  expect(answers.map(([batch]) => batch)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(disk.syncCount).toBe(2);
});

test('S6: what was only written survives a kill and can be lost with the power', () => {
  const kept = (loss: DiskLoss): Set<number> => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 50; seed += 1) {
      const { answers, disk, queue, store } = rig(seed);
      store(0, false);
      queue.runUntil(300, never);
      expect(answers).toEqual([[0, undefined]]);
      disk.crash(loss);
      counts.add(survivors(disk).batches.length);
    }
    return counts;
  };
  expect(kept('killed')).toEqual(new Set([1]));
  expect(kept('powerOff')).toEqual(new Set([0, 1]));
});

test('S6: only a disk that is broken on purpose applies a part of a batch', () => {
  let torn = 0;
  for (let seed = 0; seed < 50; seed += 1) {
    const { disk, store } = rig(seed, 'applied');
    store(0);
    store(1);
    disk.crash('powerOff');
    if (!survivors(disk).whole) torn += 1;
  }
  expect(torn).toBeGreaterThan(0);
});

test('S7: after a failed sync every batch under way fails and nothing more is accepted', () => {
  const { answers, disk, queue, store } = rig(3);
  store(0);
  queue.runUntil(100_000, never);
  disk.failNextSync();
  store(1);
  store(2);
  queue.runUntil(200_000, never);
  store(3);
  queue.runUntil(300_000, never);
  const problem = 'EIO: sync failed.';
  expect(answers).toEqual([
    [0, undefined],
    [1, problem],
    [2, problem],
    [3, problem],
  ]);
  disk.open();
  store(4);
  queue.runUntil(400_000, never);
  expect(answers.at(-1)).toEqual([4, undefined]);
});

test('a full disk says how much is used and how much was needed', () => {
  const { answers, disk, queue, store } = rig(3);
  store(0);
  queue.runUntil(100_000, never);
  disk.change({ bytesMax: disk.bytes });
  store(1);
  queue.runUntil(200_000, never);
  expect(answers[1]?.[1]).toBe('ENOSPC: 9 of 9 bytes are used and 9 more are needed.');
});
