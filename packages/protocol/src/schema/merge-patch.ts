import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { isJsonObject, propertyOf } from './json-tree.ts';

/**
 * RFC 7396: what `patch` names is replaced, `null` removes, objects are merged name by name, and
 * lists are replaced whole. Names are those that `canonicalJson` allows.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, JsonValue> = isJsonObject(target) ? { ...target } : {};
  for (const name of Object.keys(patch)) {
    const value = patch[name] as JsonValue;
    if (value === null) delete result[name];
    else result[name] = mergePatch(propertyOf(result, name), value);
  }
  return result as JsonObject;
}
