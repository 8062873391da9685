import { decodeValue, encodeValue } from './codec.ts';
import {
  type Applied,
  ERROR_CODES,
  type ErrorCode,
  errorCodeOf,
  type ErrorDetails,
  type Retry,
} from './error-codes.ts';
import { ERROR_DETAIL_FIELDS } from './error-detail-fields.ts';
import { ClusterError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { choice, type Field, sentence, throughValues, uint } from './wire/field.ts';
import { listHeaderBytes, type WireValue } from './wire/msgpack.ts';
import { struct } from './wire/struct.ts';
import { expected, inside } from './wire/wire-error.ts';

const words = sentence(LIMITS.detailBytesMax);

const headField = struct<ErrorHead>({
  wire: uint(0xffff),
  // The table already says both for every code that the reader knows; they travel for the others.
  retry: choice<Retry>({ never: 1, here: 2, elsewhere: 3, later: 4 }),
  applied: choice<Applied>({ no: 1, unknown: 2, yes: 3 }),
  message: words,
});

interface ErrorHead {
  readonly wire: number;
  readonly retry: Retry;
  readonly applied: Applied;
  readonly message: string;
}

const HEAD_COUNT = 4;

/**
 * An error inside another message: number, what to do, what happened, sentence, details.
 *
 * A code that the reader does not know becomes `UNKNOWN_CODE` and keeps the sender's sentence,
 * `retry` and `applied`, so an older caller still does the right thing. `cause` stays behind.
 */
export const errorField: Field<ClusterError> = throughValues({
  shape: `error${headField.shape}`,
  optional: false,
  toWire: (error) => {
    const raw = headField.toWire(headOf(error)) as WireValue[];
    raw.push(detailsField(error.code).toWire(error.details));
    return raw;
  },
  fromWire: (raw) => {
    const head = headField.fromWire(raw);
    const known = errorCodeOf(head.wire);
    if (known === undefined) return new ClusterError('UNKNOWN_CODE', { wire: head.wire }, head);
    const details = detailsFromWire(known, (raw as readonly WireValue[])[HEAD_COUNT]);
    // Somebody in between did not know the code: what its first sender said still stands.
    const options = known === 'UNKNOWN_CODE' ? head : { message: head.message };
    return new ClusterError(known, details, options);
  },
  bytes: (error) =>
    headField.bytes(headOf(error)) -
    listHeaderBytes(HEAD_COUNT) +
    listHeaderBytes(HEAD_COUNT + 1) +
    detailsField(error.code).bytes(error.details),
});

export function encodeError(error: ClusterError): Uint8Array {
  return encodeValue(errorField, error);
}

/** @throws WireError when the bytes are no error; a code of a newer version is none. */
export function decodeError(bytes: Uint8Array): ClusterError {
  return decodeValue(errorField, bytes, 'error');
}

function headOf(error: ClusterError): ErrorHead {
  const { code, retry, applied, message } = error;
  if (!Object.hasOwn(ERROR_CODES, code)) throw expected('a known error code', code);
  return { wire: ERROR_CODES[code].wire, retry, applied, message };
}

function detailsField(code: ErrorCode): Field<ErrorDetails[ErrorCode]> {
  return ERROR_DETAIL_FIELDS[code] as Field<ErrorDetails[ErrorCode]>;
}

function detailsFromWire(code: ErrorCode, raw: WireValue | undefined): ErrorDetails[ErrorCode] {
  try {
    return detailsField(code).fromWire(raw);
  } catch (error) {
    throw inside(error, 'details');
  }
}
