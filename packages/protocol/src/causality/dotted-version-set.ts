import { LIMITS } from '../limits.ts';
import { checked, type Field, list } from '../wire/field.ts';
import { type FieldsOf, struct } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';
import {
  compareDots,
  counterOf,
  covers,
  type Dot,
  dotField,
  EMPTY_VECTOR,
  mergeVectors,
  type VersionVector,
  versionVectorField,
} from './version-vector.ts';

/** One of the values that a key has at once, with the write that put it there. */
export interface Sibling<T> {
  readonly dot: Dot;
  /** A tombstone is a value like any other. */
  readonly value: T;
}

/**
 * All that one replica knows of a key: its current values, and every write it has seen.
 *
 * A write that the context covers and that is no sibling was overwritten. So a replica can tell
 * "never seen" from "seen and replaced", which is what keeps replaced values from coming back.
 *
 * Siblings are in ascending order of their dots and covered by the context, so equal sets are
 * equal values and equal bytes. Treat it as opaque: make it with the functions here.
 */
export interface DottedVersionSet<T> {
  readonly siblings: readonly Sibling<T>[];
  readonly context: VersionVector;
}

/** A key that was never written. */
export const NEVER_WRITTEN: DottedVersionSet<never> = { siblings: [], context: EMPTY_VECTOR };

/**
 * A write by somebody who had read `seen`: replaces what the reader saw, and stands beside what it
 * did not see. Only the actor of `sibling.dot` may do this, on its own complete state.
 *
 * @param seen the context of the set that the writer read; `EMPTY_VECTOR` when it read nothing.
 * @throws RangeError when the dot was seen before: a dot names one write.
 */
export function writeSet<T>(
  set: DottedVersionSet<T>,
  sibling: Sibling<T>,
  seen: VersionVector,
): DottedVersionSet<T> {
  const { dot } = sibling;
  const context = mergeVectors(set.context, seen);
  if (!Number.isSafeInteger(dot.counter) || dot.counter <= counterOf(context, dot.actor)) {
    throw new RangeError(
      `Dot ${dot.counter} of ${dot.actor} is not new: ${counterOf(context, dot.actor)} was seen.`,
    );
  }
  const beside = set.siblings.filter((other) => !covers(seen, other.dot));
  return {
    siblings: inOrder([...beside, sibling]),
    context: mergeVectors(context, [dot]),
  };
}

/**
 * A write by somebody who read nothing and means to overwrite: replaces all that this replica has.
 * What other replicas have and this one has not seen stays beside it.
 *
 * @throws RangeError when the dot was seen before.
 */
export function writeSetBlind<T>(
  set: DottedVersionSet<T>,
  sibling: Sibling<T>,
): DottedVersionSet<T> {
  return writeSet(set, sibling, set.context);
}

/**
 * What two replicas know together. Commutative, associative and idempotent, so replicas that have
 * exchanged everything, in whatever order and however often, are equal.
 *
 * A sibling stays when both have it, or when the other has never seen it. Equal dots must have
 * equal values: a dot names one write.
 */
export function joinSets<T>(a: DottedVersionSet<T>, b: DottedVersionSet<T>): DottedVersionSet<T> {
  const kept = a.siblings.filter(({ dot }) => !covers(b.context, dot) || has(b, dot));
  const added = b.siblings.filter(({ dot }) => !covers(a.context, dot));
  return {
    siblings: inOrder([...kept, ...added]),
    context: mergeVectors(a.context, b.context),
  };
}

function has<T>(set: DottedVersionSet<T>, dot: Dot): boolean {
  return set.siblings.some((sibling) => compareDots(sibling.dot, dot) === 0);
}

function inOrder<T>(siblings: readonly Sibling<T>[]): readonly Sibling<T>[] {
  return siblings.toSorted((a, b) => compareDots(a.dot, b.dot));
}

/**
 * How a set travels and is stored. Refuses, in both directions, what is not canonical or claims a
 * sibling that its own context has not seen, because such a set would break `joinSets` everywhere.
 *
 * @param valueField must give equal values equal bytes.
 */
export function dottedVersionSetField<T>(valueField: Field<T>): Field<DottedVersionSet<T>> {
  const siblingField = struct<Sibling<T>>({
    dot: dotField,
    value: valueField,
  } as FieldsOf<Sibling<T>>);
  const setField = struct<DottedVersionSet<T>>({
    siblings: list(siblingField, LIMITS.siblingsMax),
    context: versionVectorField,
  } as FieldsOf<DottedVersionSet<T>>);
  return checked(setField, `checked(${setField.shape})`, ({ siblings, context }) => {
    siblings.forEach(({ dot }, i) => {
      const before = siblings[i - 1];
      if (before !== undefined && compareDots(before.dot, dot) >= 0) {
        throw expected('a dot after the one before it', dot.counter).inside(`siblings[${i}].dot`);
      }
      if (!covers(context, dot)) {
        throw expected('a dot that the context covers', dot.counter).inside(`siblings[${i}].dot`);
      }
    });
  });
}
