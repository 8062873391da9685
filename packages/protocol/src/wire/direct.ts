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
  const to = new WireWriter();
  try {
    field.write(value, to);
  } catch {
    // Whatever it was, it is found again on the way that knows how to tell it.
    to.giveUp();
    return undefined;
  }
  return to.finish();
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
