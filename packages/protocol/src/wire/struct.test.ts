import { expect, test } from 'vitest';
import { decodeValue, encodeValue } from '../codec.ts';
import { list, optional, text, uint } from './field.ts';
import { pack } from './msgpack.ts';
import { type Extensible, extensible, extensibleUnion, struct, union } from './struct.ts';

interface Person {
  readonly name: string;
  readonly age: number;
}

interface NewerPerson extends Person {
  readonly town: string | undefined;
  readonly pets: readonly string[] | undefined;
}

const personFields = { name: text(20), age: uint(200) };
const newerFields = {
  ...personFields,
  town: optional(text(20)),
  pets: optional(list(text(20), 9)),
};
const person = struct<Person>(personFields);
const newerPerson = struct<NewerPerson>(newerFields);
const kept = extensible<Person>(personFields);

const anna: NewerPerson = { name: 'Anna', age: 41, town: 'Kiel', pets: ['Rex'] };

test('W1: an older reader takes the fields that it knows', () => {
  expect(decodeValue(person, encodeValue(newerPerson, anna))).toEqual({ name: 'Anna', age: 41 });
});

test('W1: a newer reader takes what an older writer does not know as absent', () => {
  const read = decodeValue(newerPerson, encodeValue(person, anna));
  expect(read).toEqual({ name: 'Anna', age: 41, town: undefined, pets: undefined });
});

test('W1: a required field may not be missing', () => {
  expect(() => decodeValue(newerPerson, pack(['Anna']))).toThrow(
    'value: expected a list of at least 2, got a list of 1.',
  );
});

test('W3: what an older node passes on still says everything to a newer one', () => {
  const passedOn = encodeValue(kept, decodeValue(kept, encodeValue(newerPerson, anna)));
  expect(decodeValue(newerPerson, passedOn)).toEqual(anna);
});

test('W3: a copy with a changed field keeps the unknown ones, and its size counts them', () => {
  const read = decodeValue(kept, encodeValue(newerPerson, anna));
  const older: Person & Extensible = { ...read, age: 42 };
  expect(older.unknownFields).toEqual(['Kiel', ['Rex']]);
  expect(decodeValue(newerPerson, encodeValue(kept, older))).toEqual({ ...anna, age: 42 });
  expect(kept.bytes(older)).toBe(encodeValue(kept, older).length);
});

test('W3: unknown fields are copies and not many', () => {
  const bytes = pack(['Anna', 41, [Uint8Array.of(1, 2)], null, 0.5, true, 'x']);
  const read = decodeValue(kept, bytes);
  bytes.fill(0);
  expect(read.unknownFields).toEqual([[Uint8Array.of(1, 2)], null, 0.5, true, 'x']);
  expect(kept.bytes(read)).toBe(encodeValue(kept, read).length);
  const many = pack(['Anna', 41, ...Array.from({ length: 65 }, () => null)]);
  expect(() => decodeValue(kept, many)).toThrow('at most 66 fields, got a list of 67.');
});

type Shape =
  | { readonly kind: 'circle'; readonly radius: number }
  | { readonly kind: 'dot' }
  | { readonly kind: 'box'; readonly sides: readonly number[] };

const variants = {
  circle: { number: 1, fields: { radius: uint(9) } },
  dot: { number: 2, fields: {} },
  box: { number: 40, fields: { sides: list(uint(9), 2) } },
} as const;

test.each<Shape>([{ kind: 'circle', radius: 3 }, { kind: 'dot' }, { kind: 'box', sides: [1, 2] }])(
  'W2: the variant $kind travels as its number and its fields',
  (shape) => {
    const encoded = encodeValue(union<Shape>(variants), shape);
    expect(decodeValue(union<Shape>(variants), encoded)).toEqual(shape);
    expect(union<Shape>(variants).bytes(shape)).toBe(encoded.length);
  },
);

test('W3: a variant of an extensible union keeps its unknown fields as well', () => {
  const shapes = extensibleUnion<Shape>(variants);
  const read = decodeValue(shapes, pack([1, 3, 'red']));
  expect(read).toEqual({ kind: 'circle', radius: 3, unknownFields: ['red'] });
  expect(encodeValue(shapes, read)).toEqual(pack([1, 3, 'red']));
});

test.each([
  { raw: [3], problem: 'shape: expected a variant of 1, 2, 40, got 3.' },
  { raw: [], problem: 'shape: expected a variant of 1, 2, 40, got nothing.' },
  { raw: [1], problem: 'shape: expected a list of at least 2, got a list of 1.' },
  { raw: [40, [1, 99]], problem: 'shape.sides[1]: expected a whole number from 0 to 9, got 99.' },
  { raw: 'x', problem: 'shape: expected a list, got "x".' },
])('W5: $raw is no variant: $problem', ({ raw, problem }) => {
  expect(() => decodeValue(union<Shape>(variants), pack(raw), 'shape')).toThrow(problem);
});

test('W1: two variants or two names with one number are a mistake that is found at once', () => {
  const twice = { dot: variants.dot, circle: { ...variants.circle, number: 2 }, box: variants.box };
  expect(() => union<Shape>(twice)).toThrow('share 2');
});
