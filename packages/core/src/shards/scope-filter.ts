import {
  decodeValue,
  encodeValue,
  entryBodyField,
  scopePartField,
  type EntryBody,
  type Scope,
} from '@memgrid/protocol';

/** `entryBodyField`: the head of a list of 20 or more, and behind it the four parts of the scope. */
const LIST_16 = 0xdc;
const HEADER_BYTES = 3;

/**
 * Tells which entries are of a scope, from their first bytes: a list looks at every entry of a shard,
 * and to decode them all would cost more than everything else about it.
 */
export class ScopeFilter {
  readonly #scope: Scope;
  /** Encoded, in the order of an entry; undefined for a part that may be anything. */
  readonly #parts: readonly (Uint8Array | undefined)[];
  /** How many of them have to be looked at. */
  readonly #count: number;

  constructor(scope: Scope) {
    const { userId, agentId, appId, runId } = scope;
    this.#scope = scope;
    this.#parts = [userId, agentId, appId, runId].map((part) =>
      part === '' ? undefined : encodeValue(scopePartField, part),
    );
    this.#count = this.#parts.findLastIndex((part) => part !== undefined) + 1;
  }

  /** @param entry bytes of `entryBodyField`. @throws WireError for bytes that are no entry. */
  matches(entry: Uint8Array): boolean {
    if (this.#count === 0) return true;
    if (entry[0] !== LIST_16) return this.#matchesDecoded(entry);
    let at = HEADER_BYTES;
    for (let i = 0; i < this.#count; i += 1) {
      const head = entry[at] as number;
      const isShort = head >= 0xa0 && head <= 0xbf;
      if (!isShort && head !== 0xd9) return this.#matchesDecoded(entry);
      const end = at + (isShort ? 1 + (head & 0x1f) : 2 + (entry[at + 1] as number));
      const part = this.#parts[i];
      if (part !== undefined && !holds(entry, at, end, part)) return false;
      at = end;
    }
    return true;
  }

  /** For what no encoder of this version writes. */
  #matchesDecoded(entry: Uint8Array): boolean {
    const body: EntryBody = decodeValue(entryBodyField, entry);
    const { userId, agentId, appId, runId } = this.#scope;
    return (
      (userId === '' || userId === body.userId) &&
      (agentId === '' || agentId === body.agentId) &&
      (appId === '' || appId === body.appId) &&
      (runId === '' || runId === body.runId)
    );
  }
}

/** Texts have one encoding. */
function holds(bytes: Uint8Array, at: number, end: number, part: Uint8Array): boolean {
  if (end - at !== part.length) return false;
  for (let i = 0; i < part.length; i += 1) if (bytes[at + i] !== part[i]) return false;
  return true;
}
