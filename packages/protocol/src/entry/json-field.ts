import { type Field, text } from '../wire/field.ts';
import { expected } from '../wire/wire-error.ts';
import { canonicalJson } from './canonical-json.ts';
import { isUsualObject } from './json-in-place.ts';
import { LIMITS } from '../limits.ts';
import type { JsonObject, JsonValue } from './entry.ts';

/**
 * A JSON object, as its canonical text: the wire has no maps, so that nobody can send
 * `__proto__`, and there is one text for a value, so that equal entries are equal bytes.
 */
export function jsonObjectField(
  bytesMax: number,
  depthMax: number = LIMITS.jsonDepthMax,
): Field<JsonObject> {
  const field = text(bytesMax);
  const valueOf = (json: string): JsonObject => {
    // Most metadata are empty.
    if (json === '{}') return {};
    const value = parsed(json);
    if (canonicalObject(value, depthMax) !== json) throw expected('canonical JSON', json);
    return value as JsonObject;
  };
  return {
    shape: `jsonObject(${bytesMax},${depthMax})`,
    optional: false,
    toWire: (value) => field.toWire(canonicalObject(value, depthMax)),
    fromWire: (raw) => valueOf(field.fromWire(raw)),
    bytes: (value) => field.bytes(canonicalObject(value, depthMax)),
    write: (value, to) => field.write(canonicalObject(value, depthMax), to),
    read: (from) => {
      const json = field.read(from);
      // To look whether a text is canonical costs a fraction of making the canonical one.
      const isCanonical = depthMax === LIMITS.jsonDepthMax && from.lastText(isUsualObject);
      return isCanonical ? (JSON.parse(json) as JsonObject) : valueOf(json);
    },
  };
}

function parsed(json: string): JsonValue {
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    throw expected('JSON', json);
  }
}

function canonicalObject(value: JsonValue, depthMax: number): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected('a JSON object', value);
  }
  return canonicalJson(value, depthMax);
}
