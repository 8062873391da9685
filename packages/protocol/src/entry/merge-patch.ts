import type { JsonObject, JsonValue } from './entry.ts';

/**
 * RFC 7396: what the patch names is replaced, `null` removes, objects are merged name by name, and
 * lists are replaced whole. Neither argument is changed.
 *
 * Both must have passed the rules of JSON in an entry (`canonicalJson`, `validatePatch`): the depth
 * is theirs, and `__proto__` is no name in them.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  // Defines properties and never assigns them, so no name can reach a prototype.
  return Object.fromEntries(merged);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
