import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NEVER_WRITTEN, writeSet, writeSetBlind } from '../causality/dotted-version-set.ts';
import { type Dot, EMPTY_VECTOR } from '../causality/version-vector.ts';
import { decodeValue, encodeValue } from '../codec.ts';
import { actorId, nodeId } from '../ids.ts';
import { WireError } from '../wire/wire-error.ts';
import type { EntryState, StoredWrite } from './entry.ts';
import { entryStateField, recordBodyField } from './entry-fields.ts';
import { winnerOf } from './entry-state.ts';
import { draftRecord, writeRecordIn } from './record-in-place.ts';
import { draftState, soleWriteIn } from './state-in-place.ts';

const actor = fc.constantFrom(
  ...['0a', '0b', 'ff'].flatMap((lead) => {
    const node = nodeId(`${lead}000000000000000000000000000001`);
    // As text "10" comes before "9".
    return [0, 9, 10, 300, 70_000, 2 ** 40].map((epoch) => actorId(node, epoch));
  }),
);
const edge = fc.constantFrom(1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffffff, 2 ** 32);
const counter = fc.oneof(edge, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const moment = fc.oneof(edge, fc.constant(0), fc.integer({ min: 0, max: 2 ** 48 - 1 }));
const dot = fc.record({ actor, counter });
const value: fc.Arbitrary<StoredWrite> = fc.record({
  kind: fc.constantFrom('put', 'update', 'delete'),
  timestamp: fc.record({ ms: moment, counter: fc.constantFrom(0, 1, 0x80, 0xffff) }),
  expiresAt: moment,
  autonomous: fc.boolean(),
  entry: fc.constantFrom(0, 1, 0xff, 0x100).map((size) => bytesOf(size)),
});
const sibling = fc.record({ dot, value });

function bytesOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at % 251);
}

/** Written by one after the other, some of whom had read nothing. */
const state: fc.Arbitrary<EntryState> = fc
  .array(fc.tuple(sibling, fc.nat(9)), { minLength: 1, maxLength: 5 })
  .map((writes) => {
    let made: EntryState = NEVER_WRITTEN;
    for (const [one, luck] of writes) {
      try {
        const seen = luck === 0 ? EMPTY_VECTOR : made.context;
        made = writeSet(made, one, seen);
      } catch {
        // This dot was there before.
      }
    }
    return made;
  });

test('D9: what is read in place is what a decoder reads', () => {
  fc.assert(
    fc.property(state, (one) => {
      const bytes = encodeValue(entryStateField, one);
      const found = soleWriteIn(bytes);
      expect(found === undefined).toBe(one.siblings.length !== 1);
      if (found !== undefined) expect(found.sibling).toEqual(winnerOf(one));
    }),
  );
});

test('D9: what was read in place stays what it was when its memory holds something else', () => {
  // An actor that no other test has read, so that it is read from these bytes.
  const made = { actor: actorId(nodeId('0c'.repeat(16)), 77), counter: 5 };
  const entry = Uint8Array.of(1);
  const kept: StoredWrite = {
    ...{ kind: 'put', timestamp: { ms: 1, counter: 0 }, expiresAt: 0 },
    ...{ autonomous: false, entry },
  };
  const set = writeSetBlind<StoredWrite>(NEVER_WRITTEN, { dot: made, value: kept });
  const bytes = encodeValue(entryStateField, set);
  const pooled = Buffer.alloc(bytes.length);
  pooled.set(bytes);
  expect(soleWriteIn(pooled)?.sibling.dot).toEqual(made);
  const other = { actor: actorId(nodeId(`0c0c${'0e'.repeat(13)}0c`), 77), counter: 5 };
  const next = writeSetBlind<StoredWrite>(NEVER_WRITTEN, { dot: other, value: kept });
  pooled.set(encodeValue(entryStateField, next));
  expect(soleWriteIn(pooled)?.sibling.dot).toEqual(other);
  expect(soleWriteIn(bytes)?.sibling.dot).toEqual(made);
});

test('D9: bytes that are read in place are those of an encoder', () => {
  const change = fc.record({ at: fc.nat(80), to: fc.nat(255), end: fc.boolean() });
  fc.assert(
    fc.property(state, fc.array(change, { maxLength: 3 }), fc.nat(3), (one, changes, cut) => {
      const bytes = encodeValue(entryStateField, one);
      for (const { at, to, end } of changes) bytes[end ? bytes.length - 1 - at : at] = to;
      const mutant = bytes.subarray(0, bytes.length - cut);
      const found = soleWriteIn(mutant);
      if (found === undefined) return;
      const read = decodeValue(entryStateField, mutant);
      expect(found.sibling).toEqual(winnerOf(read));
      expect(encodeValue(entryStateField, read)).toEqual(mutant);
    }),
    { numRuns: 2_000 },
  );
});

test('D9: bytes of any other kind are left to the decoder', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      if (soleWriteIn(bytes) === undefined) return;
      expect(() => decodeValue(entryStateField, bytes)).not.toThrow(WireError);
    }),
  );
});

test('D9: a state that is written in one piece is the one that an encoder writes', () => {
  fc.assert(
    fc.property(fc.option(state, { nil: undefined }), sibling, (before, made) => {
      const sole =
        before === undefined ? undefined : soleWriteIn(encodeValue(entryStateField, before));
      if (before !== undefined && sole === undefined) return;
      const { entry, ...write } = made.value;
      const draft = draftState(sole, { ...write, dot: made.dot, entryBytes: entry.length });
      let expected: Uint8Array | undefined;
      try {
        const written = writeSetBlind<StoredWrite>(before ?? NEVER_WRITTEN, made);
        expected = encodeValue(entryStateField, written);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      expect(draft === undefined).toBe(expected === undefined);
      draft?.state.set(entry, draft.entryAt);
      expect(draft?.state).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

const frame = fc.record({
  key: fc.constantFrom('n\0k', `n\0${'ü'.repeat(64)}`, `${'n'.repeat(64)}\0${'k'.repeat(128)}`),
  operationId: fc.constantFrom('', '01a0c450-6c7b-7005-8a00-000000000001'),
  answeredEarly: fc.boolean(),
  fingerprint: fc.oneof(edge, fc.nat()).map((number) => number >>> 0),
});

test('D9: a record that is written in one piece is the one that an encoder writes', () => {
  fc.assert(
    fc.property(fc.option(state, { nil: undefined }), sibling, frame, (before, made, around) => {
      const sole =
        before === undefined ? undefined : soleWriteIn(encodeValue(entryStateField, before));
      const { entry, ...value } = made.value;
      const write = { ...value, dot: made.dot, entryBytes: entry.length };
      const draft = draftRecord(sole, write, around);
      const alone = draftState(sole, write);
      expect(draft === undefined).toBe(alone === undefined);
      if (draft === undefined || alone === undefined) return;
      alone.state.set(entry, alone.entryAt);
      draft.record.set(entry, draft.entryAt);
      expect(draft.record.subarray(draft.stateAt, draft.stateEnd)).toEqual(alone.state);
      const { timestamp } = value;
      const body = { kind: 'write', ...around, timestamp, state: alone.state } as const;
      expect(draft.record).toEqual(encodeValue(recordBodyField, body));
    }),
    { numRuns: 500 },
  );
});

const record = fc
  .tuple(state, frame, moment, fc.option(counter, { nil: undefined }))
  .map(([set, around, ms, merged]) => {
    const timestamp = { ms, counter: 3 };
    const dot =
      merged === undefined ? undefined : { actor: set.context[0]?.actor, counter: merged };
    const version = dot?.actor === undefined ? undefined : { dot: dot as Dot, timestamp };
    const bytes = encodeValue(entryStateField, set);
    return { kind: 'write', ...around, state: bytes, timestamp, version } as const;
  });

test('D9: a record that is read in place is what a decoder reads', () => {
  fc.assert(
    fc.property(record, (one) => {
      const found = writeRecordIn(encodeValue(recordBodyField, one));
      const isUsual = one.version === undefined && !one.key.includes('ü');
      expect(found).toEqual(isUsual ? one : undefined);
    }),
    { numRuns: 500 },
  );
});

test('D9: bytes of a record that are read in place are those of an encoder', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  fc.assert(
    fc.property(record, fc.array(change, { maxLength: 2 }), fc.nat(2), (one, changes, cut) => {
      const bytes = encodeValue(recordBodyField, one);
      for (const { at, to } of changes) {
        // Around the state, of which a record says nothing.
        const place = at % 80;
        bytes[at % 2 === 0 ? place : bytes.length - 1 - place] = to;
      }
      const mutant = bytes.subarray(0, bytes.length - cut);
      const found = writeRecordIn(mutant);
      if (found === undefined) return;
      const read = decodeValue(recordBodyField, mutant);
      expect(found).toEqual(read);
      expect(encodeValue(recordBodyField, read)).toEqual(mutant);
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  { operationId: 'ü' },
  { operationId: 'x'.repeat(37) },
  { fingerprint: -1 },
  { fingerprint: 2 ** 32 },
  { key: 'k'.repeat(194) },
  { key: '\ufeffn\0k' },
])('D9: a record that is none is left to the encoder: %j', (mistake) => {
  const around = { key: 'n\0k', operationId: '', answeredEarly: true, fingerprint: 1 };
  const write = {
    kind: 'delete',
    dot: { actor: actorId(nodeId('0a000000000000000000000000000001'), 1), counter: 1 },
    timestamp: { ms: 1, counter: 0 },
    expiresAt: 0,
    autonomous: false,
    entryBytes: 0,
  } as const;
  expect(draftRecord(undefined, write, around)).toBeDefined();
  expect(draftRecord(undefined, write, { ...around, ...mistake })).toBeUndefined();
});

test.each([0, 0xff, 0x100, 0xffff, 0x10000, 256 * 1024])('D9: an entry of %d bytes', (size) => {
  const made = {
    dot: { actor: actorId(nodeId('0a000000000000000000000000000001'), 3), counter: 7 },
    kind: 'put',
    timestamp: { ms: 1_790_000_000_123, counter: 4 },
    expiresAt: 0,
    autonomous: false,
  } as const;
  const draft = draftState(undefined, { ...made, entryBytes: size });
  const { dot: by, ...write } = made;
  const set = writeSetBlind<StoredWrite>(NEVER_WRITTEN, {
    dot: by,
    value: { ...write, entry: new Uint8Array(size) },
  });
  const bytes = encodeValue(entryStateField, set);
  expect(draft?.state.join()).toBe(bytes.join());
  expect(soleWriteIn(bytes)?.sibling.value.entry.length).toBe(size);
});

test.each([
  { dot: { actor: actorId(nodeId('0a000000000000000000000000000001'), 1), counter: 0 } },
  { timestamp: { ms: -1, counter: 0 } },
  { timestamp: { ms: 1, counter: 0x10000 } },
  { expiresAt: 0.5 },
  { entryBytes: 256 * 1024 + 1 },
])('D9: a write that breaks a limit is left to the encoder: %j', (mistake) => {
  const usual = {
    kind: 'put',
    dot: { actor: actorId(nodeId('0a000000000000000000000000000001'), 1), counter: 1 },
    timestamp: { ms: 1, counter: 0 },
    expiresAt: 0,
    autonomous: false,
    entryBytes: 1,
  } as const;
  expect(draftState(undefined, usual)).toBeDefined();
  expect(draftState(undefined, { ...usual, ...mistake })).toBeUndefined();
});
