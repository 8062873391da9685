import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeValue, encodeValue } from '../codec.ts';
import { actorId, nodeId } from '../ids.ts';
import { WireError } from '../wire/wire-error.ts';
import {
  compareVectors,
  counterOf,
  covers,
  type Dot,
  EMPTY_VECTOR,
  mergeVectors,
  type VersionVector,
  versionVectorField,
} from './version-vector.ts';

const NODE = nodeId('0123456789abcdef0123456789abcdef');
const ACTORS = [0, 1, 2, 10].map((epoch) => actorId(NODE, epoch)).toSorted();
const [A, B] = ACTORS as [(typeof ACTORS)[number], (typeof ACTORS)[number]];

/** Twin: the set of all dots that a vector stands for, as text. */
function dotsOf(vector: VersionVector): ReadonlySet<string> {
  return new Set(
    vector.flatMap(({ actor, counter }) =>
      Array.from({ length: counter }, (_, i) => `${actor}:${i + 1}`),
    ),
  );
}

const vectors: fc.Arbitrary<VersionVector> = fc
  .tuple(...ACTORS.map(() => fc.nat(4)))
  .map((counters) =>
    counters
      .map((counter, i): Dot => ({ actor: ACTORS[i] as typeof A, counter }))
      .filter(({ counter }) => counter > 0),
  );

test('V1: vectors compare, merge and cover as the sets of dots that they stand for', () => {
  fc.assert(
    fc.property(vectors, vectors, (a, b) => {
      const left = dotsOf(a);
      const right = dotsOf(b);
      expect(dotsOf(mergeVectors(a, b))).toEqual(new Set([...left, ...right]));
      const inRight = [...left].every((dot) => right.has(dot));
      const inLeft = [...right].every((dot) => left.has(dot));
      const order = inRight ? (inLeft ? 'equal' : 'before') : inLeft ? 'after' : 'concurrent';
      expect(compareVectors(a, b)).toBe(order);
      for (const actor of ACTORS) {
        for (let counter = 1; counter <= 5; counter++) {
          expect(covers(a, { actor, counter })).toBe(left.has(`${actor}:${counter}`));
        }
      }
    }),
  );
});

test.each([
  { a: EMPTY_VECTOR, b: EMPTY_VECTOR, order: 'equal' },
  { a: EMPTY_VECTOR, b: [{ actor: A, counter: 1 }], order: 'before' },
  { a: [{ actor: A, counter: 2 }], b: [{ actor: A, counter: 1 }], order: 'after' },
  { a: [{ actor: A, counter: 1 }], b: [{ actor: B, counter: 1 }], order: 'concurrent' },
])('V1: $a is $order to $b', ({ a, b, order }) => {
  expect(compareVectors(a, b)).toBe(order);
});

test('V1: an actor that was never seen has counter 0', () => {
  expect(counterOf([{ actor: A, counter: 7 }], A)).toBe(7);
  expect(counterOf([{ actor: A, counter: 7 }], B)).toBe(0);
});

test('V7: equal vectors are equal bytes, and bytes come back as the same vector', () => {
  fc.assert(
    fc.property(vectors, vectors, (a, b) => {
      const ab = encodeValue(versionVectorField, mergeVectors(a, b));
      const ba = encodeValue(versionVectorField, mergeVectors(b, a));
      expect(ab).toEqual(ba);
      expect(decodeValue(versionVectorField, ab)).toEqual(mergeVectors(a, b));
      expect(versionVectorField.bytes(mergeVectors(a, b))).toBe(ab.length);
    }),
  );
});

test.each([
  {
    what: 'out of order',
    vector: [
      { actor: B, counter: 1 },
      { actor: A, counter: 1 },
    ],
  },
  {
    what: 'an actor twice',
    vector: [
      { actor: A, counter: 1 },
      { actor: A, counter: 2 },
    ],
  },
  { what: 'counter 0', vector: [{ actor: A, counter: 0 }] },
  { what: 'half a counter', vector: [{ actor: A, counter: 0.5 }] },
  { what: 'no epoch', vector: [{ actor: NODE as string as typeof A, counter: 1 }] },
  { what: 'a leading zero', vector: [{ actor: `${NODE}.01` as typeof A, counter: 1 }] },
  {
    what: 'too many actors',
    vector: Array.from({ length: 257 }, (_, i) => ({ actor: actorId(NODE, 1000 + i), counter: 1 })),
  },
])('V7: a vector with $what is refused', ({ vector }) => {
  expect(() => encodeValue(versionVectorField, vector)).toThrow(WireError);
});

test.each([
  { what: 'out of order', raw: [1, 0] },
  { what: 'an actor twice', raw: [1, 1] },
])('V7: bytes with actors $what are refused', ({ raw }) => {
  const wire = raw.map((i) => [versionVectorField.toWire([{ actor: [A, B][i] ?? A, counter: 1 }])]);
  const vector = wire.map(([list]) => (list as readonly unknown[])[0]) as never;
  expect(() => versionVectorField.fromWire(vector)).toThrow(WireError);
});
