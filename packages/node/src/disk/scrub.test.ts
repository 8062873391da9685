import { entryKey } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Inspection } from './node-store.ts';
import { Scrub } from './scrub.ts';

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;
const MIB = 1024 * 1024;

/** A scrub over so many bytes of records, of which some are damaged or unreadable. */
function scrubOf(bytes: number, found: (after: string) => Partial<Inspection> = () => ({})) {
  const reads: { readonly after: string; readonly bytes: number }[] = [];
  const log: string[] = [];
  let left = bytes;
  let busy = false;
  const scrub = new Scrub({
    inspect: async (after, wanted) => {
      if (after === '') left = bytes;
      reads.push({ after, bytes: wanted });
      const readBytes = Math.min(left, wanted);
      left -= readBytes;
      const last = left === 0 ? undefined : `key ${bytes - left}`;
      return { damaged: [], last, readBytes, problem: undefined, ...found(after) };
    },
    bytesUsed: () => bytes,
    isBusy: () => busy,
    onDamaged: (key) => log.push(`damaged ${key}`),
    onUnreadable: (problem) => log.push(`unreadable ${problem}`),
  });
  return { scrub, reads, log, setBusy: (value: boolean) => (busy = value) };
}

test('a large disk is read once a day, evenly', async () => {
  const bytes = 20_000 * MIB;
  const { scrub, reads } = scrubOf(bytes);
  for (let at = 0; at < DAY / 2; at += 60 * SECOND) await scrub.step(at);
  // A minute's share is 14 MiB; one step reads 1 MiB, so it takes many steps to keep up.
  expect(Math.max(...reads.map((read) => read.bytes))).toBeLessThanOrEqual(MIB);
  const { scrub: second, reads: some } = scrubOf(bytes);
  for (let at = 0; at < DAY / 100; at += SECOND) await second.step(at);
  const total = some.reduce((sum, read) => sum + read.bytes, 0);
  expect(total / bytes).toBeCloseTo(1 / 100, 3);
  expect(some.filter((read) => read.bytes > 0.3 * MIB)).toEqual([]);
});

test('a small disk is read at once, and again a day later', async () => {
  const { scrub, reads } = scrubOf(1000);
  await scrub.step(5 * SECOND);
  expect(reads).toHaveLength(1);
  for (let at = 6 * SECOND; at < DAY; at += 600 * SECOND) await scrub.step(at);
  expect(reads).toHaveLength(1);
  await scrub.step(DAY + 5 * SECOND);
  expect(reads).toHaveLength(2);
  expect(reads[1]?.after).toBe('');
});

test('while the process is busy nothing is read', async () => {
  const { scrub, reads, setBusy } = scrubOf(1000);
  setBusy(true);
  await scrub.step(0);
  expect(reads).toEqual([]);
  setBusy(false);
  await scrub.step(SECOND);
  expect(reads).toHaveLength(1);
});

test('what is damaged is told, once a round', async () => {
  const { scrub, log } = scrubOf(1000, () => ({ damaged: ['a', 'b'] }));
  for (let at = 0; at < DAY; at += 600 * SECOND) await scrub.step(at);
  expect(log).toEqual(['damaged a', 'damaged b']);
});

test('behind what can not be read it goes on with the next shard', async () => {
  const last = entryKey(7 as ShardId, 0, 'acme\0x');
  const { scrub, reads, log } = scrubOf(10_000 * MIB, (after) =>
    after === '' ? { last, problem: 'bad block' } : {},
  );
  await scrub.step(0);
  await scrub.step(10 * SECOND);
  expect(log).toEqual(['unreadable bad block']);
  expect(reads.map((read) => read.after)).toEqual(['', 'shard/0008/']);
});

test('a scrub that was closed tells nothing more', async () => {
  const { scrub, log } = scrubOf(1000, () => ({ damaged: ['a'] }));
  const step = scrub.step(0);
  await scrub.close();
  await step;
  expect(log).toEqual([]);
});
