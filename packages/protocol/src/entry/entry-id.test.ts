import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardOf, sliceOf } from '../placement/shard.ts';
import {
  entryIdOfOperation,
  entryIdProblem,
  makeEntryId,
  shardOfId,
  sliceOfId,
} from './entry-id.ts';
import { idContradictsOwner, shardOfEntry, shardOfScope, sliceOfEntry } from './entry-shard.ts';
import { makeOperationId, operationIdMs } from './operation-id.ts';
import { parseStoredKey, storedKey } from './stored-key.ts';

const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const slice = fc.integer({ min: 0, max: 4095 });

test('D4: an id is a UUID of version 8 that carries its time and its place', () => {
  expect(makeEntryId(0x0198d3c1a2b3, 0xabc, [0xffffffff, 0x12345678])).toBe(
    '0198d3c1-a2b3-8abc-bfff-ffff12345678',
  );
  expect(makeEntryId(0, 0, [0, 0])).toBe('00000000-0000-8000-8000-000000000000');
});

test('D4: the place in an id is right for any number of shards', () => {
  const count = fc.constantFrom(8, 64, 1024, 4096);
  fc.assert(
    fc.property(ms, fc.string(), word, word, count, (time, key, a, b, shardCount) => {
      const id = makeEntryId(time, sliceOf(key), [a, b]);
      expect(shardOfId(id, shardCount)).toBe(shardOf(key, shardCount));
    }),
  );
});

test('D4: ids of one millisecond differ by their random bits alone', () => {
  fc.assert(
    fc.property(slice, word, word, word, word, (place, a, b, c, d) => {
      const first = makeEntryId(5, place, [a, b]);
      const second = makeEntryId(5, place, [c, d]);
      // Two of the 64 bits say which variant of UUID it is.
      const same = (a & 0x3fffffff) === (c & 0x3fffffff) && b === d;
      expect(first === second).toBe(same);
      expect(sliceOfId(first)).toBe(place);
    }),
  );
});

test.each([-1, 2 ** 48, 0.5, Number.NaN])('D4: %d is no time of an id', (time) => {
  expect(() => makeEntryId(time, 0, [0, 0])).toThrow(RangeError);
  expect(() => makeOperationId(time, [0, 0, 0])).toThrow(RangeError);
});

test.each([-1, 4096, 0.5])('D4: %d is no place of an id', (place) => {
  expect(() => makeEntryId(0, place, [0, 0])).toThrow(RangeError);
});

test.each([
  'mine',
  '',
  '0198d3c1-a2b3-7abc-bfff-ffff12345678',
  '0198d3c1-a2b3-4abc-bfff-ffff12345678',
  '0198d3c1-a2b3-8abc-cfff-ffff12345678',
  '0198D3C1-a2b3-8abc-bfff-ffff12345678',
  '0198d3c1-a2b3-8abc-bfff-ffff12345678\n',
  'x0198d3c1-a2b3-8abc-bfff-ffff12345678',
])('D4: "%s" is a caller’s own id, and says nothing about a place', (id) => {
  expect(shardOfId(id, 1024)).toBeUndefined();
});

const scope = { namespace: 'acme', userId: '', agentId: '', appId: '', runId: '' };

test('D4: the owner decides where an entry lives, then the id, then the hash of the id', () => {
  const id = makeEntryId(1, 0xabc, [0, 0]);
  expect(sliceOfEntry({ namespace: 'acme', key: id })).toBe(0xabc);
  expect(sliceOfEntry({ namespace: 'acme', key: 'mine' })).toBe(sliceOf('acme\0mine'));
  const ada = { namespace: 'acme', userId: 'ada', key: id };
  expect(sliceOfEntry(ada)).toBe(sliceOf('acme\0u\0ada'));
  expect(idContradictsOwner(ada)).toBe(true);
  expect(idContradictsOwner({ ...ada, userId: '' })).toBe(false);
  expect(idContradictsOwner({ ...ada, key: 'mine' })).toBe(false);
  const fitting = makeEntryId(1, sliceOf('acme\0u\0ada'), [0, 0]);
  expect(idContradictsOwner({ ...ada, key: fitting })).toBe(false);
  expect(shardOfEntry({ ...ada, key: fitting }, 8)).toBe(shardOfId(fitting, 8));
});

test('D4: a user’s entries are in one shard, those of other owners may be in any', () => {
  expect(shardOfScope({ ...scope, userId: 'ada' }, 1024)).toBe(shardOf('acme\0u\0ada', 1024));
  expect(shardOfScope({ ...scope, userId: 'ada', agentId: 'bot' }, 1024)).toBe(
    shardOf('acme\0u\0ada', 1024),
  );
  expect(shardOfScope({ ...scope, agentId: 'bot' }, 1024)).toBeUndefined();
  expect(shardOfScope(scope, 1024)).toBeUndefined();
});

test.each([
  { id: 'mine', problem: undefined },
  { id: 'ü'.repeat(64), problem: undefined },
  { id: 'ü'.repeat(65), problem: 'expected at most 128 bytes, got 130' },
  { id: '', problem: 'expected at least one character' },
  { id: 'a\nb', problem: 'expected no control characters' },
  { id: 'a\0b', problem: 'expected no control characters' },
  { id: 'a\u0085b', problem: 'expected no control characters' },
  { id: '\ud800', problem: 'expected well-formed text, got half of a surrogate pair' },
  { id: '\ufeffa', problem: 'expected no byte order mark' },
  { id: 5, problem: 'expected text' },
])('D1: the id $id: $problem', ({ id, problem }) => {
  expect(entryIdProblem(id)).toBe(problem);
});

test('D8: an operation id is a UUID of version 7 and tells when it was made', () => {
  expect(makeOperationId(0x0198d3c1a2b3, [0, 1, 0xfffff])).toBe(
    '0198d3c1-a2b3-7fff-8000-000000000001',
  );
  fc.assert(
    fc.property(ms, word, word, word, (time, a, b, c) => {
      expect(operationIdMs(makeOperationId(time, [a, b, c]))).toBe(time);
    }),
  );
  expect(operationIdMs(makeEntryId(5, 0, [0, 0]))).toBeUndefined();
  expect(operationIdMs('mine')).toBeUndefined();
});

test('D5: a stored key is its namespace and its id, and nothing else is one', () => {
  const part = fc.string().filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(part, part, (namespace, id) => {
      expect(parseStoredKey(storedKey(namespace, id))).toEqual({ namespace, id });
    }),
  );
  for (const key of ['', 'acme', 'a\0b\0c']) expect(() => parseStoredKey(key)).toThrow(RangeError);
});

test('the id of an entry follows from its operation and its slice', () => {
  const operation = makeOperationId(0x0198d3c1a2b3, [0xffffffff, 0x12345678, 0x456]);
  expect(entryIdOfOperation(operation, 0xabc)).toBe(
    makeEntryId(0x0198d3c1a2b3, 0xabc, [0xffffffff, 0x12345678]),
  );
  expect(sliceOfId(entryIdOfOperation(operation, undefined))).toBe(0x456);
  expect(() => entryIdOfOperation(makeEntryId(1, 1, [0, 0]), 1)).toThrow(RangeError);
});
