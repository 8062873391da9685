import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardId } from '../ids.ts';
import { SHARD_COUNT_MAX, type ShardAddress, shardKeyOf, shardOf, sliceOf } from './shard.ts';

function address(overrides: Partial<ShardAddress> = {}): ShardAddress {
  return { namespace: 'acme', key: 'k', ...overrides };
}

test.each([
  { owner: 'team:{42}:ada', tag: '42' },
  { owner: '{a}{b}', tag: 'a' },
  { owner: 'x{{a}}', tag: '{a' },
  { owner: '}{a}', tag: 'a' },
])('R2: the owner $owner lives where its tag "$tag" does, whatever it is', ({ owner, tag }) => {
  expect(shardKeyOf(address({ userId: owner, agentId: 'bot' }))).toBe(tag);
  expect(shardKeyOf(address({ agentId: owner }))).toBe(tag);
  expect(shardKeyOf(address({ runId: owner, namespace: 'other' }))).toBe(tag);
});

test.each(['plain', '{}', '{}{a}', '{open', 'closed}', '}{'])(
  'R2: the owner "%s" has no tag, so all of it counts',
  (owner) => {
    expect(shardKeyOf(address({ userId: owner }))).toBe(`acme\0u\0${owner}`);
  },
);

test.each([
  { owners: { userId: 'x', agentId: 'y', appId: 'z', runId: 'w' }, key: 'acme\0u\0x' },
  { owners: { agentId: 'x', appId: 'y', runId: 'z' }, key: 'acme\0a\0x' },
  { owners: { appId: 'x', runId: 'y' }, key: 'acme\0p\0x' },
  { owners: { runId: 'x' }, key: 'acme\0r\0x' },
  { owners: { userId: '' }, key: 'acme\0k' },
])('R2: of $owners the first decides, and its kind is part of it', ({ owners, key }) => {
  expect(shardKeyOf(address(owners))).toBe(key);
});

test('R2: all entries of one owner share a shard key, and other owners have other keys', () => {
  const part = fc.stringMatching(/^[a-z:}]{1,6}$/);
  const kind = fc.constantFrom('userId', 'agentId', 'appId', 'runId');
  const owner = fc.record({ namespace: part, kind, id: part });
  const key = fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0'));
  const of = (a: { namespace: string; kind: string; id: string }, entry: string): string => {
    return shardKeyOf({ namespace: a.namespace, [a.kind]: a.id, key: entry });
  };
  fc.assert(
    fc.property(owner, owner, key, key, (a, b, first, second) => {
      expect(of(a, first)).toBe(of(a, second));
      const same = a.namespace === b.namespace && a.kind === b.kind && a.id === b.id;
      expect(of(a, first) === of(b, first)).toBe(same);
      expect(of(a, first)).not.toBe(shardKeyOf({ namespace: a.namespace, key: first }));
    }),
  );
});

test('R3: a shard is the top bits of the hash, so twice as many shards split each in two', () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const fine = shardOf(key, 4096);
      expect(shardOf(key, 2048)).toBe(fine >>> 1);
      expect(shardOf(key, 1024)).toBe(fine >>> 2);
      expect(shardOf(key, 8)).toBe(fine >>> 9);
      expect(sliceOf(key)).toBe(fine);
    }),
  );
});

test('R1: these keys have lived in these shards since the first version', () => {
  const shards = ['', 'a', 'acme\0alice\0', 'acme\0\0bot', '42', 'π'].map((key) =>
    shardOf(key, SHARD_COUNT_MAX),
  );
  expect(shards).toEqual([312, 820, 1405, 3969, 3281, 2057]);
});

test('R3: keys that differ little are spread evenly', () => {
  const counts = new Array<number>(1024).fill(0);
  for (let user = 0; user < 102_400; user++) {
    const shard = shardOf(shardKeyOf(address({ userId: `user-${user}` })), 1024);
    counts[shard] = (counts[shard] as number) + 1;
  }
  // Chi-squared with 1,023 degrees of freedom: mean 1,023, standard deviation 45.
  const chiSquared = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
  expect(chiSquared).toBeGreaterThan(1023 - 5 * 45);
  expect(chiSquared).toBeLessThan(1023 + 5 * 45);
});

test.each([0, -1024, 4, 1000, 1025, 1024.5, 8192, 2 ** 42, Number.NaN, Infinity])(
  'R3: %d is no shard count',
  (shardCount) => {
    expect(() => shardOf('a', shardCount)).toThrow(RangeError);
  },
);

test.each([-1, 0.5, 1024, Number.NaN])('R3: %d is no shard of 1,024', (value) => {
  expect(() => shardId(value, 1024)).toThrow(RangeError);
});
