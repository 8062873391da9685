import { type Field, text } from '../wire/field.ts';
import { expected } from '../wire/wire-error.ts';
import { canonicalJson } from './canonical-json.ts';
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
  return {
    shape: `jsonObject(${bytesMax},${depthMax})`,
    optional: false,
    toWire: (value) => field.toWire(canonicalObject(value, depthMax)),
    fromWire: (raw) => {
      const json = field.fromWire(raw);
      const value = parsed(json);
      if (canonicalObject(value, depthMax) !== json) throw expected('canonical JSON', json);
      return value as JsonObject;
    },
    bytes: (value) => field.bytes(canonicalObject(value, depthMax)),
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
