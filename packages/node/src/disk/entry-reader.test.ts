import type { LoadResult } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { EntryReader } from './entry-reader.ts';
import type { EntryPlace } from './entry-reader.ts';

interface Read {
  readonly keys: readonly string[];
  readonly finish: (error?: Error) => Promise<void>;
}

/** A reader over a disk whose reads end when the test says so. */
function readerOf() {
  const reads: Read[] = [];
  const log: string[] = [];
  const reader = new EntryReader({
    load: (places) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly LoadResult[]>();
      const finish = async (error?: Error): Promise<void> => {
        if (error === undefined) resolve(places.map(resultOf));
        else reject(error);
        await settled();
      };
      reads.push({ keys: places.map((one) => one.key), finish });
      return promise;
    },
    onLoaded: (ticket, result) =>
      log.push(`${ticket} ${result.kind}${result.kind === 'damaged' ? `: ${result.problem}` : ''}`),
  });
  return { reader, reads, log };
}

function resultOf({ key }: EntryPlace): LoadResult {
  if (key !== 'there') return { kind: 'absent' };
  return { kind: 'loaded', entry: { at: { epoch: 1, index: 1 }, state: new Uint8Array(1) } };
}

function at(key: string): EntryPlace {
  return { shard: 1 as ShardId, slot: 0, key };
}

async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

test('what one turn asks for is one read, answered in order and not within the turn', async () => {
  const { reader, reads, log } = readerOf();
  reader.load(7, at('there'));
  reader.load(8, at('gone'));
  reader.flush();
  reader.load(9, at('there'));
  reader.flush();
  expect(log).toEqual([]);
  expect(reads.map((read) => read.keys)).toEqual([['there', 'gone']]);
  await reads[0]?.finish();
  expect(log).toEqual(['7 loaded', '8 absent']);
  expect(reads.map((read) => read.keys)).toEqual([['there', 'gone'], ['there']]);
  await reads[1]?.finish();
  expect(log).toEqual(['7 loaded', '8 absent', '9 loaded']);
});

test('a thousand are read in pieces', async () => {
  const { reader, reads, log } = readerOf();
  for (let ticket = 1; ticket <= 1000; ticket += 1) reader.load(ticket, at('there'));
  reader.flush();
  for (let i = 0; i < 4; i += 1) await reads[i]?.finish();
  expect(reads.map((read) => read.keys.length)).toEqual([256, 256, 256, 232]);
  expect(log).toEqual(Array.from({ length: 1000 }, (_, i) => `${i + 1} loaded`));
});

test('a disk that can not be read damages what was asked of it, and no more', async () => {
  const { reader, reads, log } = readerOf();
  reader.load(1, at('there'));
  reader.flush();
  await reads[0]?.finish(new Error('EIO'));
  reader.load(2, at('there'));
  reader.flush();
  await reads[1]?.finish();
  expect(log).toEqual(['1 damaged: The disk can not be read: EIO', '2 loaded']);
});

test('a reader that was closed answers nothing', async () => {
  const { reader, reads, log } = readerOf();
  reader.load(1, at('there'));
  reader.flush();
  reader.load(2, at('there'));
  const closed = reader.close();
  await reads[0]?.finish();
  await closed;
  reader.load(3, at('there'));
  reader.flush();
  await settled();
  expect(log).toEqual([]);
  expect(reads).toHaveLength(1);
});
