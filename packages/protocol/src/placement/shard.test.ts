import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardId } from '../ids.ts';
import { SHARD_COUNT_MAX, type ShardAddress, shardKeyOf, shardOf } from './shard.ts';

function address(overrides: Partial<ShardAddress> = {}): ShardAddress {
  return { namespace: 'acme', key: 'k', ...overrides };
}

test.each([
  { key: 'order:{42}:lines', tag: '42' },
  { key: '{a}{b}', tag: 'a' },
  { key: 'x{{a}}', tag: '{a' },
  { key: '}{a}', tag: 'a' },
])('R2: $key lives where its tag "$tag" does, whoever it belongs to', ({ key, tag }) => {
  expect(shardKeyOf(address({ key }))).toBe(tag);
  expect(shardKeyOf(address({ key, userId: 'alice', agentId: 'bot' }))).toBe(tag);
});

test.each(['', 'plain', '{}', '{}{a}', '{open', 'closed}', '}{'])(
  'R2: "%s" has no tag, so its scope or the whole key counts',
  (key) => {
    expect(shardKeyOf(address({ key }))).toBe(`acme\0${key}`);
    expect(shardKeyOf(address({ key, userId: 'alice' }))).toBe('acme\0alice\0');
  },
);

test('R2: all entries of one user and agent share a shard, and other people have other keys', () => {
  const part = fc.string({ minLength: 1, maxLength: 6 }).filter((text) => !text.includes('\0'));
  const person = fc.record({ namespace: part, userId: part, agentId: part });
  const key = fc.stringMatching(/^[a-z:}]{0,8}$/);
  fc.assert(
    fc.property(person, person, key, key, (a, b, first, second) => {
      expect(shardKeyOf({ ...a, key: first })).toBe(shardKeyOf({ ...a, key: second }));
      const same = a.namespace === b.namespace && a.userId === b.userId && a.agentId === b.agentId;
      expect(shardKeyOf({ ...a, key: first }) === shardKeyOf({ ...b, key: first })).toBe(same);
    }),
  );
});

test('R3: a shard is the top bits of the hash, so twice as many shards split each in two', () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const fine = shardOf(key, 4096);
      expect(shardOf(key, 2048)).toBe(fine >>> 1);
      expect(shardOf(key, 1024)).toBe(fine >>> 2);
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

test.each([0, -1024, 512, 1000, 1025, 1024.5, 8192, 2 ** 42, Number.NaN, Infinity])(
  'R3: %d is no shard count',
  (shardCount) => {
    expect(() => shardOf('a', shardCount)).toThrow(RangeError);
  },
);

test.each([-1, 0.5, 1024, Number.NaN])('R3: %d is no shard of 1,024', (value) => {
  expect(() => shardId(value, 1024)).toThrow(RangeError);
});
