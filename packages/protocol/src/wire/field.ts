import {
  bytesHeaderBytes,
  listHeaderBytes,
  numberBytes,
  textHeaderBytes,
  type WireValue,
} from './msgpack.ts';
import { copyIntoBlock } from './shared-block.ts';
import { fitUtf8, utf8Bytes } from './utf8.ts';
import { expected, inside, WireError } from './wire-error.ts';
import { UNREAD, type WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * How one value travels, in both directions, checked in both directions: what we send is held to
 * the same limits as what we accept, so a mistake shows at its origin.
 */
export interface Field<T> {
  /** Everything a reader must agree on, in one line. The version guard hashes it. */
  readonly shape: string;
  /** An absent value is allowed, so a sender that does not know the field may leave it out. */
  readonly optional: boolean;
  /** @throws WireError when the value breaks a limit. */
  toWire(value: T): WireValue;
  /** Accepts any wire value. @throws WireError when it is not a valid `T`. */
  fromWire(raw: WireValue | undefined): T;
  /** The exact encoded length of a valid value, without encoding it. */
  bytes(value: T): number;
  /**
   * What `toWire` says, as bytes at once. Throws anything for an invalid value: `toWire` then tells
   * what is wrong with it, and where.
   */
  write(value: T, to: WireWriter): void;
  /**
   * What `fromWire` says of the next value. Throws a `WireError` for what it does not read, which
   * may also be unusual and valid: `fromWire` then decides.
   */
  read(from: WireReader): T;
}

/** A field that is converted by way of wire values, which is good enough for what is rare. */
export function throughValues<T>(field: Omit<Field<T>, 'write' | 'read'>): Field<T> {
  return {
    ...field,
    write: (value, to) => to.value(field.toWire(value)),
    read: (from) => field.fromWire(from.value()),
  };
}

type Check<T> = (value: unknown) => T;

/** A value that travels as it is. */
function plain<T extends WireValue>(
  shape: string,
  check: Check<T>,
  rest: Pick<Field<T>, 'bytes' | 'write' | 'read'>,
): Field<T> {
  return { shape, optional: false, toWire: check, fromWire: check, ...rest };
}

/** A whole number from 0 to `max`, which is 2^53 - 1 unless told. */
export function uint<T extends number = number>(max: number = Number.MAX_SAFE_INTEGER): Field<T> {
  return integer(0, max);
}

/** A whole number from `min` to `max`. Above 32 bits it travels as a 64-bit float, exactly. */
export function integer<T extends number = number>(min: number, max: number): Field<T> {
  const what = `a whole number from ${min} to ${max}`;
  const check = (value: unknown): T => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw expected(what, value);
    }
    // Minus zero is equal to zero but not identical, so it must not come out of a decoder.
    return (value + 0) as T;
  };
  return plain<T>(`int(${min},${max})`, check, {
    bytes: numberBytes,
    write: (value, to) => to.number(check(value)),
    read: (from) => {
      if (min !== 0) return check(from.number());
      const value = from.count();
      if (value > max) throw UNREAD;
      return value as T;
    },
  });
}

/**
 * A measurement, rounded and clamped on the way out: a reading that is off the scale must never
 * keep a heartbeat from being sent. On the way in it is an ordinary whole number.
 */
export function measured(min: number, max: number): Field<number> {
  const field = integer(min, max);
  const fit = (value: number): number => Math.min(max, Math.max(min, Math.round(value)));
  return {
    ...field,
    toWire: (value) => field.toWire(fit(value)),
    bytes: (value) => numberBytes(fit(value)),
    write: (value, to) => field.write(fit(value), to),
  };
}

export const bool: Field<boolean> = plain(
  'bool',
  (value) => {
    if (typeof value !== 'boolean') throw expected('true or false', value);
    return value;
  },
  {
    bytes: () => 1,
    write: (value, to) => to.boolean(bool.toWire(value) as boolean),
    read: (from) => from.boolean(),
  },
);

/** Well-formed text of at most `bytesMax` bytes in UTF-8, not beginning with a byte order mark. */
export function text(bytesMax: number): Field<string> {
  const check = (value: unknown): string => {
    if (typeof value !== 'string') throw expected('text', value);
    const bytes = utf8Bytes(value);
    if (bytes < 0) throw expected('well-formed text', value);
    if (bytes > bytesMax) {
      throw new WireError(`expected text of at most ${bytesMax} bytes, got ${bytes} bytes.`);
    }
    if (value.charCodeAt(0) === 0xfeff) {
      throw expected('text without a byte order mark', value);
    }
    return value;
  };
  return plain(`text(${bytesMax})`, check, {
    bytes: textBytes,
    write: (value, to) => {
      if (typeof value !== 'string' || !to.ascii(value, bytesMax)) to.text(check(value));
    },
    read: (from) => from.text(bytesMax),
  });
}

/** A sentence for people: cut to fit on the way out, because its values may be any length. */
export function sentence(bytesMax: number): Field<string> {
  const field = text(bytesMax);
  const fit = (value: string): string => fitUtf8(value.replace(/^\ufeff+/, ''), bytesMax);
  return {
    ...field,
    toWire: (value) => field.toWire(fit(value)),
    bytes: (value) => textBytes(fit(value)),
    write: (value, to) => field.write(fit(value), to),
  };
}

function textBytes(value: string): number {
  const length = utf8Bytes(value);
  return textHeaderBytes(length) + length;
}

/** From `min` to `max` bytes. Decoding copies, so no value keeps a whole frame alive. */
export function bytes(min: number, max: number): Field<Uint8Array> {
  const what = min === max ? `${min} bytes` : `${min} to ${max} bytes`;
  const check = (value: unknown): Uint8Array => {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
      throw expected(what, value);
    }
    return value;
  };
  return {
    shape: `bytes(${min},${max})`,
    optional: false,
    toWire: check,
    fromWire: (raw) => new Uint8Array(check(raw)),
    bytes: (value) => bytesHeaderBytes(value.length) + value.length,
    write: (value, to) => to.bytes(check(value)),
    read: (from) => from.ownBytes(min, max),
  };
}

/** The same for what is handed on or encoded again within moments, and never kept. */
export function passingBytes(min: number, max: number): Field<Uint8Array> {
  const kept = bytes(min, max);
  return {
    ...kept,
    fromWire: (raw) => copyIntoBlock(kept.toWire(raw as Uint8Array) as Uint8Array),
    read: (from) => from.passingBytes(min, max),
  };
}

/** `undefined` travels as nil. As a last field it may be missing altogether. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    shape: `${field.shape}?`,
    optional: true,
    toWire: (value) => (value === undefined ? null : field.toWire(value)),
    fromWire: (raw) => (raw === null || raw === undefined ? undefined : field.fromWire(raw)),
    bytes: (value) => (value === undefined ? 1 : field.bytes(value)),
    write: (value, to) => (value === undefined ? to.nil() : field.write(value, to)),
    read: (from) => (from.nil() ? undefined : field.read(from)),
  };
}

/** At most `max` values in order. */
export function list<T>(field: Field<T>, max: number): Field<readonly T[]> {
  return {
    shape: `list(${field.shape},${max})`,
    optional: false,
    toWire: (values) => eachOf(values, max, (value) => field.toWire(value as T)),
    fromWire: (raw) => eachOf(raw, max, (value) => field.fromWire(value as WireValue)),
    bytes: (values) => {
      let total = listHeaderBytes(values.length);
      for (const value of values) total += field.bytes(value);
      return total;
    },
    write: (values, to) => {
      if (!Array.isArray(values) || values.length > max) throw expected('a list', values);
      to.list(values.length);
      for (let i = 0; i < values.length; i++) field.write(values[i] as T, to);
    },
    read: (from) => {
      const count = from.list();
      if (count > max) throw UNREAD;
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(field.read(from));
      return values;
    },
  };
}

function eachOf<T>(values: unknown, max: number, convert: (value: unknown) => T): T[] {
  if (!Array.isArray(values)) throw expected('a list', values);
  if (values.length > max) throw expected(`at most ${max} values`, values);
  const converted: T[] = [];
  let index = 0;
  try {
    for (; index < values.length; index++) converted.push(convert(values[index]));
  } catch (error) {
    throw inside(error, `[${index}]`);
  }
  return converted;
}

/** A list whose values are distinct and in ascending order, so that equal sets are equal bytes. */
export function ascending<T extends string>(field: Field<T>, max: number): Field<readonly T[]> {
  const inner = list(field, max);
  const check = (values: readonly T[]): void => {
    for (let i = 1; i < values.length; i++) {
      const value = values[i] as T;
      if (value <= (values[i - 1] as T)) {
        throw expected('a value after the one before it', value).inside(`[${i}]`);
      }
    }
  };
  return checked(inner, `ascending(${field.shape},${max})`, check);
}

/** One of a few names, each of which has a small number for ever. */
export function choice<T extends string>(numbers: Readonly<Record<T, number>>): Field<T> {
  const names = Object.keys(numbers) as T[];
  const nameOf = new Map<unknown, T>(names.map((name) => [numbers[name], name]));
  const numberOf = new Map<unknown, number>(names.map((name) => [name, numbers[name]]));
  const placeOf: (number | undefined)[] = [];
  for (const [place, name] of names.entries()) placeOf[numbers[name]] = place;
  if (nameOf.size !== names.length) throw new RangeError('Two names share a wire number.');
  const field: Field<T> = {
    shape: `choice(${names.map((name) => `${name}=${numbers[name]}`).join(',')})`,
    optional: false,
    toWire: (value) => {
      const number = numberOf.get(value);
      if (number === undefined) throw expected(`one of ${names.join(', ')}`, value);
      return number;
    },
    fromWire: (raw) => {
      const name = nameOf.get(raw);
      if (name === undefined) throw expected(`one of ${[...nameOf.keys()].join(', ')}`, raw);
      return name;
    },
    bytes: (value) => numberBytes(numberOf.get(value) ?? 0),
    write: (value, to) => to.number(field.toWire(value) as number),
    read: (from) => {
      const name = names[placeOf[from.count()] ?? -1];
      if (name === undefined) throw UNREAD;
      return name;
    },
  };
  return field;
}

/** Holds a value to a size as a whole, on top of the limits of its parts. */
export function within<T>(field: Field<T>, bytesMax: number): Field<T> {
  return checked(field, `within(${field.shape},${bytesMax})`, (value) => {
    const size = field.bytes(value);
    if (size > bytesMax) {
      throw new WireError(`expected at most ${bytesMax} bytes in all, got ${size}.`);
    }
  });
}

/** A field whose values also have to pass `check`, in both directions. It throws a `WireError`. */
export function checked<T>(field: Field<T>, shape: string, check: (value: T) => void): Field<T> {
  return {
    shape,
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
    write: (value, to) => {
      check(value);
      field.write(value, to);
    },
    read: (from) => {
      const value = field.read(from);
      check(value);
      return value;
    },
  };
}
