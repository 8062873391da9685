import { checked, type Field, text } from './field.ts';
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
  return checked(text(bytesMax), `name(${bytesMin},${bytesMax})`, (value) => {
    if (value.length < bytesMin) throw expected('a name that is not empty', value);
    if (CONTROL_CHARACTER.test(value)) throw expected('text without control characters', value);
  });
}
