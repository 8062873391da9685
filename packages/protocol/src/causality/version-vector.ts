import type { ActorId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { checked, type Field, list, uint } from '../wire/field.ts';
import { struct, unrolled } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';
import { UNREAD } from '../wire/wire-reader.ts';
import { actorIdField } from './actor-field.ts';

/** Names one write for ever: the actor that issued it, and how many it had issued by then. */
export interface Dot {
  readonly actor: ActorId;
  /** From 1. An actor uses no counter twice. */
  readonly counter: number;
}

/**
 * What has been seen of a key: for each actor the newest dot, and so all dots before it.
 *
 * Distinct actors in ascending order, so equal vectors are equal values and equal bytes. Whoever
 * builds one by hand must keep that; `versionVectorField` checks it.
 */
export type VersionVector = readonly Dot[];

/** Nothing has been seen. */
export const EMPTY_VECTOR: VersionVector = [];

/** How two sets of seen writes relate. */
export type VectorOrder = 'equal' | 'before' | 'after' | 'concurrent';

/** The newest counter seen of an actor; 0 for none. */
export function counterOf(vector: VersionVector, actor: ActorId): number {
  return vector.find((seen) => seen.actor === actor)?.counter ?? 0;
}

/** Has this write been seen? */
export function covers(vector: VersionVector, dot: Dot): boolean {
  return dot.counter <= counterOf(vector, dot.actor);
}

/** Whether `a` has seen less than `b`, more, the same, or each something that the other has not. */
export function compareVectors(a: VersionVector, b: VersionVector): VectorOrder {
  const aInB = a.every((dot) => covers(b, dot));
  const bInA = b.every((dot) => covers(a, dot));
  if (aInB) return bInA ? 'equal' : 'before';
  return bInA ? 'after' : 'concurrent';
}

/** What has been seen by either. */
export function mergeVectors(a: VersionVector, b: VersionVector): VersionVector {
  const merged: Dot[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (right === undefined || (left !== undefined && left.actor < right.actor)) {
      merged.push(left as Dot);
      i++;
    } else if (left === undefined || right.actor < left.actor) {
      merged.push(right);
      j++;
    } else {
      merged.push(left.counter >= right.counter ? left : right);
      i++;
      j++;
    }
  }
  return merged;
}

/** Negative, zero or positive: by actor, then by counter. Says nothing about time. */
export function compareDots(a: Dot, b: Dot): number {
  if (a.actor !== b.actor) return a.actor < b.actor ? -1 : 1;
  return a.counter - b.counter;
}

const counterField = uint();

const plainDotField = unrolled(struct<Dot>({ actor: actorIdField, counter: counterField }), {
  write: (dot, to) => {
    to.list(2);
    actorIdField.write(dot.actor, to);
    counterField.write(dot.counter, to);
  },
  read: (from) => {
    if (from.list() !== 2) throw UNREAD;
    return { actor: actorIdField.read(from), counter: counterField.read(from) };
  },
});

export const dotField: Field<Dot> = checked(
  plainDotField,
  `checked(${plainDotField.shape})`,
  (dot) => {
    if (dot.counter === 0) throw expected('a counter from 1', dot.counter).inside('counter');
  },
);

const dotListField = list(dotField, LIMITS.actorsMax);

/** Refuses vectors that are not canonical, in both directions. */
export const versionVectorField: Field<VersionVector> = checked(
  dotListField,
  `checked(${dotListField.shape})`,
  (vector) => {
    for (let i = 1; i < vector.length; i++) {
      const { actor } = vector[i] as Dot;
      if (actor <= (vector[i - 1] as Dot).actor) {
        throw expected('an actor after the one before it', actor).inside(`[${i}].actor`);
      }
    }
  },
);
