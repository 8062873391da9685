import { hash64 } from '../placement/hash.ts';
import { hex32 } from '../wire/hex-text.ts';
import { canonicalJson } from './canonical-json.ts';
import type { EntryBody } from './entry.ts';

/**
 * A name for what an entry says: content, category, categories and metadata, and nothing about when
 * or by whom. Equal on every platform and in every version, whatever the order of properties.
 *
 * 64 bits of murmur3, as 16 hex digits: it tells an unchanged entry from a changed one, and finds
 * damage. It does not resist somebody who wants two entries to have one name.
 */
export function entryChecksum(
  body: Pick<EntryBody, 'content' | 'category' | 'categories' | 'metadata'>,
): string {
  const { content, category, categories, metadata } = body;
  // Metadata by itself: as part of a larger value it would be allowed one level less.
  const text = canonicalJson([content, category, categories]) + canonicalJson(metadata);
  const { high, low } = hash64(text);
  return hex32(high) + hex32(low);
}
