import type { Field } from '../wire/field.ts';

/** A field whose values also have to pass `check`, which throws a `WireError`. */
export function checked<T>(field: Field<T>, check: (value: T) => void): Field<T> {
  return {
    shape: `checked(${field.shape})`,
    optional: field.optional,
    toWire: (value) => {
      const raw = field.toWire(value);
      check(value);
      return raw;
    },
    fromWire: (raw) => {
      const value = field.fromWire(raw);
      check(value);
      return value;
    },
    bytes: (value) => field.bytes(value),
  };
}
