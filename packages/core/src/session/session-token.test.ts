import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { ClusterId, ShardId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { SessionToken, TOKEN_CHARS_MAX } from './session-token.ts';

const CLUSTER = 'c'.repeat(32) as ClusterId;
const NOW = 5 as Instant;

function tokenOf(places: readonly (readonly [number, number, number])[], shards = 8): SessionToken {
  const token = new SessionToken(CLUSTER, shards);
  for (const [shard, epoch, index] of places) token.raise(shard as ShardId, { epoch, index }, NOW);
  return token;
}

test.each([
  { seen: [[0, 1, 5]], later: [0, 1, 4], floor: 5, why: 'an older answer changes nothing' },
  { seen: [[0, 1, 5]], later: [0, 1, 6], floor: 6, why: 'a newer one raises it' },
  { seen: [[0, 1, 9]], later: [0, 2, 7], floor: 7, why: 'a newer epoch lost what the old one had' },
  { seen: [[0, 2, 7]], later: [0, 1, 9], floor: 7, why: 'an older epoch says nothing' },
  { seen: [[0, 1, 5]], later: [0, 3, 0], floor: 5, why: 'index 0 says nothing' },
] as const)('Q1: $why', ({ seen, later, floor }) => {
  expect(tokenOf([...seen, later]).indexOf(0 as ShardId)).toBe(floor);
});

const place = fc.tuple(
  fc.nat({ max: 1023 }),
  fc.integer({ min: 1, max: 2 ** 31 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);

test('Q1, Q2: whoever merges a token sees at least what its session saw, or knows that it does not know', () => {
  fc.assert(
    fc.property(fc.array(place, { maxLength: 400 }), fc.array(place, { maxLength: 40 }), (a, b) => {
      const first = tokenOf(a, 1024);
      const text = first.text();
      expect(text.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX);
      const second = tokenOf(b, 1024);
      expect(second.problemWith(text)).toBeUndefined();
      second.merge(text, NOW);
      const joined = tokenOf([...b, ...a], 1024);
      for (let at = 0; at < 1024; at += 1) {
        const shard = at as ShardId;
        if (second.isUnknown(shard)) continue;
        expect(second.indexOf(shard)).toBe(joined.indexOf(shard));
      }
    }),
    { numRuns: 30 },
  );
});

test('Q2: a token of many shards stays short, names the latest, and stays partial when passed on', () => {
  const all = Array.from({ length: 1024 }, (_, shard) => [shard, 3, 1_000_000 + shard] as const);
  const text = tokenOf(all, 1024).text();
  expect(text.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX);
  const reader = tokenOf([], 1024);
  reader.merge(text, NOW);
  expect(reader.isUnknown(1023 as ShardId)).toBe(false);
  expect(reader.isUnknown(0 as ShardId)).toBe(true);
  const third = tokenOf([], 1024);
  third.merge(reader.text(), NOW);
  expect(third.isUnknown(0 as ShardId)).toBe(true);
  third.settle(0 as ShardId);
  expect(third.isUnknown(0 as ShardId)).toBe(false);
});

test.each([
  ['', 'it is no text that memgrid made'],
  ['hello', 'it is no text that memgrid made'],
  ['A'.repeat(2000), 'it is longer than 1024 characters'],
])('a text that is no token is refused: %j', (text, problem) => {
  expect(tokenOf([]).problemWith(text)).toContain(problem);
});

test('a token that was cut, changed, or made elsewhere is refused and changes nothing', () => {
  const text = tokenOf([[1, 2, 300]]).text();
  const token = tokenOf([]);
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === 'A' ? 'B' : 'A';
    const forged = text.slice(0, at) + other + text.slice(at + 1);
    expect(token.problemWith(forged)).toBeDefined();
    token.merge(forged, NOW);
  }
  expect(token.indexOf(1 as ShardId)).toBe(0);
  expect(token.problemWith(text.slice(0, -3))).toBeDefined();
  expect(token.problemWith(tokenOf([], 16).text())).toContain('16 shards');
  const foreign = new SessionToken('d'.repeat(32) as ClusterId, 8).text();
  expect(token.problemWith(foreign)).toBe('it is of another cluster');
});

test('no text makes reading a token throw', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 64 }), (text) => {
      tokenOf([]).merge(text, NOW);
    }),
  );
});
