/**
 * What a replica files an entry under: namespace, NUL, id. Neither part can hold NUL, so no two
 * entries share a key, and the entries of a namespace are neighbours in order of their ids.
 */
export function storedKey(namespace: string, id: string): string {
  return `${namespace}\0${id}`;
}

export interface StoredKeyParts {
  readonly namespace: string;
  readonly id: string;
}

/** @throws RangeError for a text that `storedKey` cannot have made. */
export function parseStoredKey(key: string): StoredKeyParts {
  const at = key.indexOf('\0');
  if (at < 0 || key.includes('\0', at + 1)) {
    throw new RangeError(`Invalid stored key ${JSON.stringify(key)}: expected one NUL in it.`);
  }
  return { namespace: key.slice(0, at), id: key.slice(at + 1) };
}
