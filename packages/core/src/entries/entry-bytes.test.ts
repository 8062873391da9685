import { decodeValue, encodeValue, entryBodyField, type EntryBody } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainBody } from '../testing/plain-body.ts';
import { EntryBytes, schemaNamedIn } from './entry-bytes.ts';

const part = fc.constantFrom('', 'u', 'ünïcode', 'x'.repeat(40), 'ß'.repeat(60), 'long'.repeat(60));
const moment = fc.oneof(
  fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffffff, 2 ** 32, 2 ** 48),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
const body: fc.Arbitrary<EntryBody> = fc
  .record({
    userId: part,
    agentId: part,
    appId: part,
    runId: part,
    content: fc.constantFrom('', 'text', 'ü'.repeat(300), 'y'.repeat(60_000)),
    category: fc.constantFrom('', 'food', 'ü'.repeat(32)),
    categories: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
    metadata: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
    ),
    createdAt: moment,
    updatedAt: moment,
    expiresAt: moment,
    immutable: fc.boolean(),
    schemaVersion: fc.nat(),
    superseded: fc.array(fc.constant({ content: 's', timestamp: { ms: 5, counter: 6 } }), {
      maxLength: 2,
    }),
  })
  .map((overrides) => plainBody(overrides));

test('the bytes of an entry tell what a decoder tells', () => {
  fc.assert(
    fc.property(body, body, (one, other) => {
      const bytes = new EntryBytes(encodeValue(entryBodyField, one));
      const { createdAt, expiresAt, immutable } = bytes;
      expect({ createdAt, expiresAt, immutable }).toEqual({
        createdAt: one.createdAt,
        expiresAt: one.expiresAt,
        immutable: one.immutable,
      });
      const isSame =
        one.userId === other.userId &&
        one.agentId === other.agentId &&
        one.appId === other.appId &&
        one.runId === other.runId;
      expect(bytes.hasScopeOf(new EntryBytes(encodeValue(entryBodyField, other)))).toBe(isSame);
    }),
  );
});

test('the bytes of an entry name its schema', () => {
  const schema = fc.record({
    name: fc.constantFrom('', 'note', 'memory', 'n'.repeat(31), 'n'.repeat(40)),
    version: fc.oneof(fc.nat(300), fc.nat()),
  });
  fc.assert(
    fc.property(body, schema, (one, { name, version }) => {
      const bytes = encodeValue(entryBodyField, { ...one, schema: name, schemaVersion: version });
      expect(schemaNamedIn(bytes)).toEqual({ name, version });
    }),
  );
  expect(schemaNamedIn(encodeValue(entryBodyField, plainBody({ schema: 'é' })))).toBeUndefined();
  expect(schemaNamedIn(Uint8Array.from([0x91, 7]))).toBeUndefined();
});

/** With something around it, as a state has. */
function stampedOf(
  one: EntryBody,
  dates: { readonly createdAt: number; readonly updatedAt: number },
): Uint8Array {
  const bytes = new EntryBytes(encodeValue(entryBodyField, one));
  const size = bytes.stampedBytes(dates.createdAt, dates.updatedAt);
  const room = new Uint8Array(size + 2);
  bytes.stampInto(room, 1, dates);
  expect([room[0], room.at(-1)]).toEqual([0, 0]);
  return room.subarray(1, 1 + size);
}

test('other dates make the bytes that an encoder makes', () => {
  fc.assert(
    fc.property(body, moment, moment, (one, createdAt, updatedAt) => {
      const stamped = stampedOf(one, { createdAt, updatedAt });
      expect(stamped).toEqual(encodeValue(entryBodyField, { ...one, createdAt, updatedAt }));
    }),
  );
});

test('what a newer version appended stays', () => {
  const newer = { ...plainBody(), unknownFields: ['of a newer version', [1, 2]] };
  const stamped = stampedOf(newer, { createdAt: 7, updatedAt: 8 });
  expect(decodeValue(entryBodyField, stamped)).toEqual({ ...newer, createdAt: 7, updatedAt: 8 });
});

test.each([
  { name: 'nothing', bytes: [] },
  { name: 'a number', bytes: [7] },
  { name: 'a short list', bytes: [0x91, 7] },
  { name: 'a list of 19', bytes: [0xdc, 0, 19] },
  { name: 'a map among the values', bytes: [0xdc, 0, 20, 0x80] },
])('$name is no entry', ({ bytes }) => {
  expect(() => new EntryBytes(Uint8Array.from(bytes))).toThrow();
});
