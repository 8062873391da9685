/** A get that finds nothing says so: nobody measures misses. */
export function missing(key: string): Error {
  return new Error(`There is no ${key}.`);
}
