import { type Field, text } from '../wire/field.ts';
import { expected } from '../wire/wire-error.ts';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './entry.ts';

/**
 * A JSON object, as its canonical text: the wire has no maps, so that nobody can send
 * `__proto__`, and there is one text for a value, so that equal entries are equal bytes.
 */
export function jsonObjectField(bytesMax: number): Field<JsonObject> {
  const field = text(bytesMax);
  return {
    shape: `jsonObject(${bytesMax})`,
    optional: false,
    toWire: (value) => field.toWire(canonicalObject(value)),
    fromWire: (raw) => {
      const json = field.fromWire(raw);
      const value = parsed(json);
      if (canonicalObject(value) !== json) throw expected('canonical JSON', json);
      return value as JsonObject;
    },
    bytes: (value) => field.bytes(canonicalObject(value)),
  };
}

function parsed(json: string): JsonValue {
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    throw expected('JSON', json);
  }
}

function canonicalObject(value: JsonValue): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected('a JSON object', value);
  }
  return canonicalJson(value);
}
