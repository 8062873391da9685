import type { NearEntry, NearStore } from '@memgrid/core';
import { decodeValue, entryBodyField } from '@memgrid/protocol';
import type { FoundEntry } from '@memgrid/protocol';
import { LRUCache } from 'lru-cache';
import type { Found } from './entry.ts';

/** Two objects, the place in the cache, and what the entry is beside its texts. */
const OVERHEAD_BYTES = 512;

/** An entry in this process, with what the application is shown of it. */
export interface KeptEntry extends NearEntry {
  /** Made once somebody has asked for it; of the present permit unless that is renewed. */
  shown: Found | undefined;
  /** Settled with `shown`; made once somebody has asked for one. */
  promised: Promise<Found> | undefined;
}

/** The entries of one namespace, by their ids. */
export type KeptEntries = LRUCache<string, KeptEntry>;

/**
 * Entries in this process, bounded by bytes; what was not used for longest goes first, of uses that were
 * noted (`NearReader`).
 *
 * One cache a namespace, because making one key of a namespace and an id costs more than looking it
 * up. They share one budget: the largest gives first.
 */
export class LruNearStore implements NearStore {
  readonly #bytesMax: number;
  readonly #caches = new Map<string, KeptEntries>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(namespace: string, key: string): KeptEntry | undefined {
    return this.#caches.get(namespace)?.get(key);
  }

  /** Stays the same object; undefined while nothing of the namespace has been kept. */
  entriesOf(namespace: string): KeptEntries | undefined {
    return this.#caches.get(namespace);
  }

  set(namespace: string, key: string, entry: NearEntry): void {
    const cache = this.#cacheOf(namespace);
    const kept: KeptEntry = {
      ...entry,
      found: ownCopy(entry.found),
      shown: undefined,
      promised: undefined,
    };
    // An entry that is larger than everything together is not kept: the cache refuses it.
    this.#change(cache, () => cache.set(key, kept));
    while (this.#bytes > this.#bytesMax) this.#evict();
  }

  expiresAtOf({ entry }: FoundEntry): number {
    return decodeValue(entryBodyField, entry, 'entry').expiresAt;
  }

  forget(key: string, index: number): void {
    for (const cache of this.#caches.values()) {
      const entry = cache.peek(key);
      if (entry !== undefined && entry.index < index) this.#change(cache, () => cache.delete(key));
    }
  }

  #cacheOf(namespace: string): KeptEntries {
    const known = this.#caches.get(namespace);
    if (known !== undefined) return known;
    const made = new LRUCache<string, KeptEntry>({
      maxSize: this.#bytesMax,
      sizeCalculation: (entry) => sizeOf(entry.found),
    });
    this.#caches.set(namespace, made);
    return made;
  }

  #evict(): void {
    let largest: KeptEntries | undefined;
    for (const cache of this.#caches.values()) {
      if (largest === undefined || cache.calculatedSize > largest.calculatedSize) largest = cache;
    }
    const cache = largest;
    if (cache !== undefined) this.#change(cache, () => cache.pop());
  }

  #change(cache: KeptEntries, change: () => unknown): void {
    const before = cache.calculatedSize;
    change();
    this.#bytes += cache.calculatedSize - before;
  }
}

/** The bytes of an answer are a view into its whole frame, which must not stay for one entry. */
function ownCopy(found: FoundEntry): FoundEntry {
  return { ...found, entry: Uint8Array.from(found.entry) };
}

/** The bytes, the decoded texts at two bytes a letter, and what is around them. */
function sizeOf({ key, entry }: FoundEntry): number {
  return OVERHEAD_BYTES + 2 * key.length + 3 * entry.length;
}
