import type { Field } from './field.ts';
import { WireError } from './wire-error.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** Bytes that were not read: they are unusual, or invalid. */
export const NOT_READ: unique symbol = Symbol('not read');

/**
 * A value as its bytes, without a wire value in between. Undefined when it is invalid: then
 * `toWire` says why.
 */
export function writeDirectly<T>(field: Pick<Field<T>, 'write'>, value: T): Uint8Array | undefined {
  const to = written(field, value);
  return to?.finish();
}

/**
 * The same for somebody who copies: `use` is given memory that is written to again afterwards.
 * False, and `use` was not called, when the value is invalid.
 */
export function lendDirectly<T>(
  field: Pick<Field<T>, 'write'>,
  value: T,
  use: (bytes: Uint8Array) => void,
): boolean {
  const to = written(field, value);
  if (to === undefined) return false;
  try {
    use(to.view());
  } finally {
    to.giveUp();
  }
  return true;
}

function written<T>(field: Pick<Field<T>, 'write'>, value: T): WireWriter | undefined {
  const to = new WireWriter();
  try {
    field.write(value, to);
    return to;
  } catch {
    // Whatever it was, it is found again on the way that knows how to tell it.
    to.giveUp();
    return undefined;
  }
}

/** The value that is all of `bytes`; `NOT_READ` leaves them to `unpack` and `fromWire`. */
export function readDirectly<T>(
  field: Pick<Field<T>, 'read'>,
  bytes: Uint8Array,
): T | typeof NOT_READ {
  try {
    const from = new WireReader(bytes);
    const value = field.read(from);
    from.end();
    return value;
  } catch (error) {
    if (error instanceof WireError) return NOT_READ;
    throw error;
  }
}
