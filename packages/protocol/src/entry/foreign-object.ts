/** What a caller's object holds, read once: getters and proxies may answer differently each time. */
export type ForeignObject =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, unknown> }
  | { readonly kind: 'list'; readonly values: readonly unknown[] }
  /** A class instance, a Map, a Date, an object with symbols for names. */
  | { readonly kind: 'notPlain' }
  | { readonly kind: 'tooLong'; readonly count: number }
  /** A getter or a proxy threw. */
  | { readonly kind: 'unreadable' };

/**
 * Reads the own properties of an object that anybody may have made. This is the only place where
 * code of the caller's may run, so it is the only place that expects it to throw.
 *
 * @param countMax more values than this are not read: an empty list may claim to be a billion long.
 */
export function readForeign(value: object, countMax: number): ForeignObject {
  try {
    return Array.isArray(value) ? readList(value, countMax) : readObject(value, countMax);
  } catch {
    return { kind: 'unreadable' };
  }
}

function readList(list: readonly unknown[], countMax: number): ForeignObject {
  const count = list.length;
  if (count > countMax) return { kind: 'tooLong', count };
  const values: unknown[] = [];
  for (let i = 0; i < count; i++) values.push(list[i]);
  return { kind: 'list', values };
}

function readObject(value: object, countMax: number): ForeignObject {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm (a worker's, a test runner's) has another Object.prototype.
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain || isTagged(value) || Object.getOwnPropertySymbols(value).length > 0) {
    return { kind: 'notPlain' };
  }
  const names = Object.keys(value);
  if (names.length > countMax) return { kind: 'tooLong', count: names.length };
  const fields = new Map<string, unknown>();
  for (const name of names) fields.set(name, (value as Record<string, unknown>)[name]);
  return { kind: 'object', fields };
}

/** `Math`, `JSON`, generators and the like, whose prototype chain is as short as a plain object's. */
function isTagged(value: object): boolean {
  return Symbol.toStringTag in value;
}
