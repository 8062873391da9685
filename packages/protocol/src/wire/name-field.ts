import { type Field, text } from './field.ts';
import type { WireValue } from './msgpack.ts';
import { expected } from './wire-error.ts';

/**
 * U+0000 to U+001F and U+007F to U+009F: no name that a person reads in a log or a terminal holds
 * them, and NUL separates the parts of stored keys.
 */
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

export function hasControlCharacter(value: string): boolean {
  return CONTROL_CHARACTER.test(value);
}

/** Text that names something: from `bytesMin` to `bytesMax` bytes, without control characters. */
export function name(bytesMin: 0 | 1, bytesMax: number): Field<string> {
  const any = text(bytesMax);
  const check = (value: unknown): string => {
    if (isPlainName(value, bytesMin, bytesMax)) return value;
    const valid = any.fromWire(value as WireValue);
    if (valid.length < bytesMin) throw expected('a name that is not empty', valid);
    if (hasControlCharacter(valid)) throw expected('text without control characters', valid);
    return valid;
  };
  return {
    ...any,
    shape: `name(${bytesMin},${bytesMax})`,
    toWire: check,
    fromWire: check,
    write: (value, to) => {
      if (typeof value === 'string' && to.plainName(value, bytesMin, bytesMax)) return;
      if (!to.ascii(check(value), bytesMax)) to.text(value);
    },
    read: (from) => from.plainName(bytesMin, bytesMax) ?? check(from.text(bytesMax)),
  };
}

/**
 * Whether a value is a name of printable ASCII, as almost all are: one look at each character tells.
 * False says nothing about it.
 */
export function isPlainName(value: unknown, bytesMin: number, bytesMax: number): value is string {
  if (typeof value !== 'string') return false;
  if (value.length < bytesMin || value.length > bytesMax) return false;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}
