import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeValue, encodeValue } from '../codec.ts';
import { nodeId } from '../ids.ts';
import {
  ascending,
  bool,
  bytes,
  choice,
  type Field,
  integer,
  list,
  measured,
  optional,
  sentence,
  text,
  uint,
  within,
} from './field.ts';
import { nodeIdField } from './id-field.ts';
import { pack, type WireValue } from './msgpack.ts';
import { WireError } from './wire-error.ts';

const A = nodeId('0123456789abcdef0123456789abcdef');
const B = nodeId('fedcba98765432100123456789abcdef');
const side = choice<'left' | 'right'>({ left: 1, right: 2 });

/** Values that are as large as allowed, or as small. */
const ACCEPTED: readonly { name: string; field: Field<never>; value: unknown }[] = [
  ...[0, 1, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].map(
    (value) => ({ name: `uint ${value}`, field: uint() as Field<never>, value }),
  ),
  ...[-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 52)].map(
    (value) => ({
      name: `integer ${value}`,
      field: integer(-(2 ** 52), 0) as Field<never>,
      value,
    }),
  ),
  { name: 'text, empty', field: text(8) as Field<never>, value: '' },
  { name: 'text, full', field: text(8) as Field<never>, value: 'ÄÖÜé' },
  ...[31, 32, 64, 65, 255, 256, 65_536].map((length) => ({
    name: `text of ${length}`,
    field: text(70_000) as Field<never>,
    value: 'x'.repeat(length),
  })),
  ...[0, 255, 256, 65_535, 65_536].map((length) => ({
    name: `${length} bytes`,
    field: bytes(0, 70_000) as Field<never>,
    value: new Uint8Array(length).fill(7),
  })),
  { name: 'bool', field: bool as Field<never>, value: true },
  { name: 'choice', field: side as Field<never>, value: 'right' },
  { name: 'absent', field: optional(text(8)) as Field<never>, value: undefined },
  { name: 'present', field: optional(text(8)) as Field<never>, value: 'x' },
  {
    name: 'list',
    field: list(uint(), 40) as Field<never>,
    value: Array.from({ length: 40 }, () => 9),
  },
  { name: 'ascending', field: ascending(nodeIdField, 2) as Field<never>, value: [A, B] },
  { name: 'id', field: nodeIdField as Field<never>, value: A },
  { name: 'within', field: within(list(uint(), 9), 4) as Field<never>, value: [1, 2, 3] },
];

test.each(ACCEPTED)('W6, W11: $name comes back equal, and its size was known', (accepted) => {
  const field = accepted.field as Field<unknown>;
  const encoded = encodeValue(field, accepted.value);
  expect(decodeValue(field, encoded)).toEqual(accepted.value);
  expect(field.bytes(accepted.value)).toBe(encoded.length);
});

const REFUSED: readonly { field: Field<never>; value: unknown; problem: string }[] = [
  { field: uint(9) as Field<never>, value: 10, problem: 'a whole number from 0 to 9, got 10.' },
  { field: uint(9) as Field<never>, value: -1, problem: 'got -1.' },
  { field: uint() as Field<never>, value: 0.5, problem: 'got 0.5.' },
  { field: uint() as Field<never>, value: 2 ** 53, problem: 'got 9007199254740992.' },
  { field: uint() as Field<never>, value: Number.NaN, problem: 'got NaN.' },
  { field: uint() as Field<never>, value: '1', problem: 'got "1".' },
  { field: text(3) as Field<never>, value: 'äö', problem: 'at most 3 bytes, got 4 bytes.' },
  { field: text(3) as Field<never>, value: 7, problem: 'expected text, got 7.' },
  {
    field: bytes(16, 16) as Field<never>,
    value: new Uint8Array(12),
    problem: '16 bytes, got 12 b',
  },
  { field: bytes(1, 2) as Field<never>, value: new Uint8Array(3), problem: '1 to 2 bytes, got 3' },
  { field: bool as Field<never>, value: 1, problem: 'expected true or false, got 1.' },
  {
    field: list(uint(), 2) as Field<never>,
    value: [1, 2, 3],
    problem: 'at most 2 values, got a list',
  },
  { field: list(uint(), 2) as Field<never>, value: 'no', problem: 'expected a list, got "no".' },
  { field: list(bool, 3) as Field<never>, value: [true, 7], problem: '[1]: expected true or fa' },
  {
    field: within(list(uint(), 9), 4) as Field<never>,
    value: [1, 2, 3, 4],
    problem: '4 bytes in all, got 5.',
  },
];

test.each(REFUSED)('W6: $value is neither sent nor accepted: $problem', (refused) => {
  const field = refused.field as Field<unknown>;
  expect(() => encodeValue(field, refused.value)).toThrow(refused.problem);
  const encoded = pack(refused.value as WireValue);
  expect(() => decodeValue(field, encoded)).toThrow(WireError);
  expect(() => decodeValue(field, encoded)).toThrow(refused.problem);
});

test.each([
  { field: side as Field<never>, value: 'up', raw: 3, sent: 'left, right', read: '1, 2, got 3.' },
  { field: nodeIdField as Field<never>, value: 'x', raw: 'x', sent: '32 hex', read: '16 bytes' },
  {
    field: nodeIdField as Field<never>,
    value: A.toUpperCase(),
    raw: new Uint8Array(12),
    sent: 'lower-case',
    read: '16 bytes, got 12 bytes.',
  },
  {
    field: ascending(nodeIdField, 2) as Field<never>,
    value: [B, A],
    raw: [new Uint8Array(16), new Uint8Array(16)],
    sent: '[1]: expected a value after',
    read: '[1]: expected a value after',
  },
])('W6: $value is not sent and $raw is not accepted', ({ field, value, raw, sent, read }) => {
  expect(() => encodeValue(field as Field<unknown>, value)).toThrow(sent);
  expect(() => decodeValue(field as Field<unknown>, pack(raw))).toThrow(read);
});

test('W6: text that has no UTF-8 form or begins with a byte order mark is not sent', () => {
  expect(() => encodeValue(text(8), '\ud800')).toThrow('well-formed text');
  expect(() => encodeValue(text(8), '\ufeffx')).toThrow('byte order mark');
});

test('W6: a measurement off the scale and a long sentence are sent as near as possible', () => {
  const share = measured(0, 100);
  const sent = (value: number): number => decodeValue(share, encodeValue(share, value));
  expect([-4, 12.4, 12.6, 1e9, Infinity].map(sent)).toEqual([0, 12, 13, 100, 100]);
  expect(() => encodeValue(share, Number.NaN)).toThrow('got NaN.');
  const detail = sentence(5);
  expect(decodeValue(detail, encodeValue(detail, 'ääää'))).toBe('ää');
  expect(decodeValue(detail, encodeValue(detail, '\ufeff\ud800x'))).toBe('\ufffdx');
  expect(() => decodeValue(detail, pack('too long'))).toThrow('at most 5 bytes, got 8 bytes.');
});

test('ids are 16 bytes, and which ones were seen before changes nothing', () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((raw) => {
    return nodeId(Buffer.from(raw).toString('hex'));
  });
  // Ids with the same first bytes displace each other in the table of those seen lately.
  const crowded = fc.uint8Array({ minLength: 14, maxLength: 14 }).map((raw) => {
    return nodeId(`0102${Buffer.from(raw).toString('hex')}`);
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(id, crowded)), (ids) => {
      for (const one of [...ids, ...ids]) {
        const encoded = encodeValue(nodeIdField, one);
        expect(Buffer.from(encoded).toString('hex')).toBe(`c410${one}`);
        expect(decodeValue(nodeIdField, encoded)).toBe(one);
      }
    }),
  );
});

test('bytes are copied, so that a stored command does not keep its frame alive', () => {
  const frame = encodeValue(bytes(0, 9), Uint8Array.of(1, 2, 3));
  const decoded = decodeValue(bytes(0, 9), frame);
  frame.fill(0);
  expect(decoded).toEqual(Uint8Array.of(1, 2, 3));
  expect(decoded.buffer.byteLength).toBe(3);
});
