import { SCOPE_ENTRIES } from 'memgrid/bench';

/** A get that finds nothing says so: nobody measures misses. */
export function missing(key: string): Error {
  return new Error(`There is no ${key}.`);
}

/** Nor does anybody measure lists of less than was asked for. */
export function tooFew(scope: string, count: number): Error {
  return new Error(`${scope} has ${count} of ${SCOPE_ENTRIES} entries.`);
}
