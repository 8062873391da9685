import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupCommit } from './group-commit.ts';
import type { RecordOperation } from './group-commit.ts';

interface Write {
  readonly keys: readonly string[];
  readonly sync: boolean;
  readonly finish: (error?: Error) => Promise<void>;
}

/** A commit over a disk whose writes end when the test says so. */
function commitOf(waitingBytesMax?: number) {
  const writes: Write[] = [];
  const log: string[] = [];
  const commit = new GroupCommit({
    write: (operations, sync) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const finish = async (error?: Error): Promise<void> => {
        if (error === undefined) resolve();
        else reject(error);
        await settled();
      };
      writes.push({ keys: operations.map((one) => one.key), sync, finish });
      return promise;
    },
    onStored: (ticket) => log.push(`stored ${ticket}`),
    onFailed: (ticket, problem) => log.push(`failed ${ticket}: ${problem}`),
    ...(waitingBytesMax === undefined ? {} : { waitingBytesMax }),
  });
  return { commit, writes, log };
}

/** Lets every promise that can go on do so. */
async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

function put(key: string, bytes = 1): RecordOperation[] {
  return [{ kind: 'put', key, value: new Uint8Array(bytes) }];
}

test('what is handed in during a sync becomes one batch with one sync', async () => {
  const { commit, writes, log } = commitOf();
  commit.append(1, put('a'), true);
  commit.flush();
  await settled();
  commit.append(2, put('b'), true);
  commit.append(3, put('c'), false);
  commit.append(4, put('d'), true);
  commit.flush();
  expect(writes.map((write) => write.keys)).toEqual([['a']]);
  await writes[0]?.finish();
  expect(log).toEqual(['stored 1']);
  expect(writes.map(({ keys, sync }) => ({ keys, sync }))).toEqual([
    { keys: ['a'], sync: true },
    { keys: ['b', 'c', 'd'], sync: true },
  ]);
  await writes[1]?.finish();
  expect(log).toEqual(['stored 1', 'stored 2', 'stored 3', 'stored 4']);
});

test('all batches of one turn are one write, and none is answered within the turn', async () => {
  const { commit, writes, log } = commitOf();
  commit.append(1, put('a'), true);
  commit.append(2, put('b'), true);
  commit.flush();
  expect(log).toEqual([]);
  expect(writes).toEqual([]);
  await settled();
  expect(writes.map((write) => write.keys)).toEqual([['a', 'b']]);
});

test('a batch without durable tickets is written without a sync', async () => {
  const { commit, writes } = commitOf();
  commit.append(1, put('a'), false);
  commit.flush();
  await settled();
  expect(writes.map((write) => write.sync)).toEqual([false]);
});

test('after the first error nothing is written any more and every ticket fails', async () => {
  const { commit, writes, log } = commitOf();
  commit.append(1, put('a'), true);
  commit.flush();
  await settled();
  commit.append(2, put('b'), true);
  commit.flush();
  await writes[0]?.finish(new Error('fsync failed', { cause: new Error('EIO') }));
  commit.append(3, put('c'), false);
  commit.flush();
  await settled();
  expect(writes).toHaveLength(1);
  expect(log).toEqual([1, 2, 3].map((ticket) => `failed ${ticket}: fsync failed (EIO)`));
});

test('a large ticket does not take the small ones behind it into its write', async () => {
  const { commit, writes } = commitOf();
  commit.append(1, put('big', 7 * 1024 * 1024), true);
  commit.append(2, put('bigger', 9 * 1024 * 1024), true);
  commit.append(3, put('small'), true);
  commit.flush();
  await settled();
  for (let at = 0; at < 3; at += 1) await writes[at]?.finish();
  expect(writes.map((write) => write.keys)).toEqual([['big'], ['bigger'], ['small']]);
});

test('a disk that falls too far behind counts as failed', async () => {
  const { commit, writes, log } = commitOf(10);
  commit.append(1, put('a', 5), true);
  commit.flush();
  await settled();
  commit.append(2, put('b', 20), true);
  await writes[0]?.finish();
  expect(log[0]).toBe('stored 1');
  expect(log[1]).toMatch(/^failed 2: 21 bytes wait for the disk/);
});

test('closing writes what waits and refuses the rest', async () => {
  const { commit, writes, log } = commitOf();
  commit.append(1, put('a'), true);
  const closed = commit.close();
  await settled();
  await writes[0]?.finish();
  await closed;
  commit.append(2, put('b'), true);
  commit.flush();
  await settled();
  expect(log).toEqual(['stored 1']);
  expect(writes).toHaveLength(1);
});

test('tickets are answered in order, each once, and operations reach the disk in order', async () => {
  const step = fc.oneof(
    fc.record({ durable: fc.boolean(), bytes: fc.nat(3_000_000) }),
    fc.constant('flush' as const),
    fc.constant('finish' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { commit, writes, log } = commitOf();
      let ticket = 0;
      let finished = 0;
      const finishOne = async (): Promise<void> => {
        await settled();
        await writes[finished]?.finish();
        if (finished < writes.length) finished += 1;
      };
      for (const one of steps) {
        if (one === 'flush') commit.flush();
        else if (one === 'finish') await finishOne();
        else commit.append((ticket += 1), put(`k${ticket}`, one.bytes), one.durable);
      }
      commit.flush();
      await settled();
      while (finished < writes.length) await finishOne();
      const all = Array.from({ length: ticket }, (_, at) => at + 1);
      expect(log).toEqual(all.map((one) => `stored ${one}`));
      expect(writes.flatMap((write) => write.keys)).toEqual(all.map((one) => `k${one}`));
      expect(commit.waitingBytes).toBe(0);
    }),
    { numRuns: 50 },
  );
});
