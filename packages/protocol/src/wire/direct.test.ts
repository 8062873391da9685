import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MESSAGE_FIELDS } from '../codec.ts';
import { entryBodyField, entryStateField, recordBodyField } from '../entry/entry-fields.ts';
import { clientFields } from '../messages/client.ts';
import { CLIENT_EXAMPLES } from '../testdata/client-examples.ts';
import { body, recordBodies, state } from '../testdata/data-examples.ts';
import { CASES } from '../testdata/examples.ts';
import { NOT_READ, readDirectly, writeDirectly } from './direct.ts';
import { bool, bytes, type Field, integer, list, optional, sentence, text } from './field.ts';
import { pack, unpack, type WireValue } from './msgpack.ts';
import { struct } from './struct.ts';
import { WireError } from './wire-error.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

interface Example {
  readonly name: string;
  readonly field: Field<unknown>;
  readonly value: unknown;
}

/** One field and one of its values; their types go together, which a list cannot say. */
function example<T>(name: string, field: Field<T>, value: T): Example {
  return { name, field: field as unknown as Field<unknown>, value };
}

const EXAMPLES: readonly Example[] = [
  ...CASES.map(({ file, name, message }) => {
    return example(`${file}: ${name}`, MESSAGE_FIELDS[message.type] as never, message);
  }),
  ...Object.entries(CLIENT_EXAMPLES).map(([name, message]) => {
    return example(`client: ${name}`, clientFields[message.type] as never, message);
  }),
  example('entry body', entryBodyField, body),
  example('entry state', entryStateField, state),
  ...recordBodies.map((record) => example(`record: ${record.kind}`, recordBodyField, record)),
];

test.each(EXAMPLES)('W2: $name is the same bytes with and without wire values', (one) => {
  const { field, value } = one;
  expect(writeDirectly(field, value)).toEqual(pack(field.toWire(value)));
});

/** What wire values say, which the direct way may leave to them and must never contradict. */
function byValues(field: Field<unknown>, encoded: Uint8Array): unknown {
  try {
    return field.fromWire(unpack(encoded, encoded.length));
  } catch (error) {
    if (error instanceof WireError) return NOT_READ;
    throw error;
  }
}

test.each(EXAMPLES)('W5: $name is read the same without wire values, also damaged', (one) => {
  const { field, value } = one;
  const encoded = pack(field.toWire(value));
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(flips, fc.nat(), (changes, cut) => {
      const damaged = encoded.slice(0, encoded.length - (cut % 5 === 0 ? cut % 7 : 0));
      for (const [at, byte] of changes) if (damaged.length > 0) damaged[at % damaged.length] = byte;
      const direct = readDirectly(field, damaged);
      if (direct !== NOT_READ) expect(direct).toStrictEqual(byValues(field, damaged));
    }),
    { numRuns: 100 },
  );
});

const anyValue = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme', maxLength: 300 }).filter((value) => !value.startsWith('\ufeff')),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 40 }),
  ),
})).value;

test('W2: any wire value is written as the packer writes it, and read again', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const to = new WireWriter();
      to.value(value);
      const written = to.finish();
      expect(written).toEqual(pack(value));
      const from = new WireReader(written);
      const read = from.value();
      from.end();
      expect(read).toEqual(unpack(written, written.length));
    }),
  );
});

test.each([
  { count: 31, text: 'x'.repeat(31) },
  { count: 32, text: 'x'.repeat(32) },
  { count: 255, text: 'é'.repeat(127) + 'x' },
  { count: 256, text: 'é'.repeat(128) },
  { count: 65_535, text: '€'.repeat(21_845) },
  { count: 65_536, text: 'x'.repeat(65_536) },
  { count: 80_000, text: '😀'.repeat(20_000) },
])('W2: a text of $count bytes has the shortest header and comes back', (one) => {
  const field = text(100_000);
  const written = writeDirectly(field, one.text) ?? new Uint8Array();
  expect(written).toEqual(pack(one.text));
  expect(written.length).toBe(field.bytes(one.text));
  expect(readDirectly(field, written)).toBe(one.text);
});

test.each(['\ud800', 'x\udc00', '\ufeffx', 'x'.repeat(9), 7])('W6: %o is not written', (value) => {
  expect(writeDirectly(text(8), value as string)).toBeUndefined();
});

test('W2: a writer inside another has room of its own', () => {
  const outer = new WireWriter();
  outer.list(2);
  outer.number(1);
  expect(writeDirectly(integer(0, 9), 5)).toEqual(pack(5));
  outer.text('two');
  expect(outer.finish()).toEqual(pack([1, 'two']));
});

test('W2: room grows as far as it must, and what failed leaves nothing behind', () => {
  const large = new Uint8Array(1_000_000).fill(7);
  expect(writeDirectly(bytes(0, 2_000_000), large)).toEqual(pack(large));
  const pair = struct<{ a: string; b: string }>({ a: sentence(20), b: text(3) });
  expect(writeDirectly(pair, { a: 'written before', b: 'too long' })).toBeUndefined();
  expect(writeDirectly(pair, { a: 'x', b: 'y' })).toEqual(pack(['x', 'y']));
});

test('W5: bytes that were read stay as they are when the frame is used again', () => {
  const frame = Buffer.from(pack([new Uint8Array([1, 2, 3])]));
  const read = readDirectly(list(bytes(0, 9), 9), frame);
  frame.fill(0);
  expect(read).toEqual([new Uint8Array([1, 2, 3])]);
});

test('W1: a missing last element is absent, and an unknown one is left to wire values', () => {
  const field = struct<{ a: number; b: boolean | undefined }>({
    a: integer(-9, 9),
    b: optional(bool),
  });
  expect(readDirectly(field, pack([-3]))).toStrictEqual({ a: -3, b: undefined });
  expect(readDirectly(field, pack([-3, true, 'new']))).toBe(NOT_READ);
  expect(readDirectly(field, pack([]))).toBe(NOT_READ);
});
