import { canonicalJson } from '../entry/canonical-json.ts';
import type { JsonObject } from '../entry/entry.ts';
import { hash64 } from '../placement/hash.ts';
import type { EntrySchema } from './schema.ts';

/**
 * A short name for exactly this definition, as 16 hexadecimal digits: equal for equal schemas,
 * whatever the order of their properties. Tells definitions apart; proves nothing against somebody
 * who searches for two that collide.
 */
export function schemaFingerprint(schema: EntrySchema): string {
  const { high, low } = hash64(canonicalJson(schemaJson(schema)));
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** The schema as it is stored and travels. */
export function schemaJson(schema: EntrySchema): JsonObject {
  const { name, version, body, mergePolicies, migrations } = schema;
  return { name, version, body, mergePolicies, migrations } as unknown as JsonObject;
}
