/**
 * The names of the properties of an object that is certainly a plain one, made in this realm.
 * Undefined for anything else, whatever it is. Never throws.
 */
export function usualObject(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    if (Object.getPrototypeOf(value) !== Object.prototype || Symbol.toStringTag in value) {
      return undefined;
    }
    return Object.getOwnPropertySymbols(value).length > 0 ? undefined : Object.keys(value);
  } catch {
    // A proxy whose traps throw.
    return undefined;
  }
}
