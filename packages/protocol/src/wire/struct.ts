import type { Field } from './field.ts';
import {
  bytesHeaderBytes,
  listHeaderBytes,
  numberBytes,
  textHeaderBytes,
  type WireValue,
} from './msgpack.ts';
import { utf8Bytes } from './utf8.ts';
import { expected, inside } from './wire-error.ts';
import { UNREAD, type WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * What a value carries when it is stored or passed on by nodes that do not understand all of it.
 *
 * The elements that a newer version appended, in order. Keep the property when copying such a
 * value (`{ ...value }` does), or the next node loses what its sender said.
 */
export interface Extensible {
  readonly unknownFields?: readonly WireValue[];
}

/** One field for each property, in wire order. */
export type FieldsOf<T> = {
  readonly [K in Exclude<keyof T, 'unknownFields'>]-?: Field<T[K]>;
};

/** A struct whose elements may also be a part of a longer list. */
export interface StructField<T> extends Field<T> {
  /** One element for each field, without the head of a list. */
  writeElements(value: T, to: WireWriter): void;
  /** @param count how many of the elements to come are its own. */
  readElements(from: WireReader, count: number): T;
}

/** Elements beyond the known ones that are kept for others. */
const UNKNOWN_FIELDS_MAX = 64;

/**
 * A list with one element for each property, in the order in which they are written here.
 *
 * Fields may only be appended, and what is appended must be optional: a reader takes missing last
 * elements as absent and leaves out elements it does not know.
 */
export function struct<T extends object>(fields: FieldsOf<T>): StructField<T> {
  return new Struct<T>(fields, { first: [], keepUnknown: false });
}

/** A struct whose unknown last elements survive in `unknownFields`. */
export function extensible<T extends object>(fields: FieldsOf<T>): Field<T & Extensible> {
  return new Struct<T & Extensible>(fields, { first: [], keepUnknown: true });
}

/** A struct whose values have a property with a fixed value, which does not travel. */
export function tagged<T extends object, K extends keyof T & string>(
  property: K,
  name: T[K] & string,
  fields: FieldsOf<Omit<T, K>>,
): Field<T> {
  return new Struct<T>(fields, { constant: [property, name], first: [], keepUnknown: false });
}

interface StructOptions {
  readonly constant?: readonly [property: string, value: string];
  /** Elements before the fields: the number of a variant. */
  readonly first: readonly number[];
  readonly keepUnknown: boolean;
}

type AnyRecord = Record<string, unknown>;

class Struct<T extends object> implements StructField<T> {
  readonly optional = false;
  readonly #names: readonly string[];
  readonly #fields: readonly Field<unknown>[];
  readonly #options: StructOptions;
  readonly #requiredCount: number;
  /** All properties, none with a value: a copy of it takes values without ever changing its form. */
  readonly #blank: AnyRecord;

  constructor(fields: object, options: StructOptions) {
    this.#names = Object.keys(fields);
    this.#fields = Object.values(fields) as Field<unknown>[];
    this.#options = options;
    this.#requiredCount = this.#fields.findLastIndex((field) => !field.optional) + 1;
    this.#blank = blankOf(this.#names, options.constant);
  }

  get shape(): string {
    const fields = this.#names.map((name, i) => `${name}:${this.#fields[i]?.shape}`);
    const parts = [...this.#options.first.map(String), ...fields];
    if (this.#options.keepUnknown) parts.push('...');
    return `[${parts.join(',')}]`;
  }

  toWire(value: T): WireValue[] {
    if (typeof value !== 'object' || value === null) throw expected('an object', value);
    const record = value as AnyRecord;
    const names = this.#names;
    const fields = this.#fields;
    const { first, keepUnknown } = this.#options;
    const raw: WireValue[] = first.length === 0 ? [] : first.slice();
    let i = 0;
    try {
      for (; i < names.length; i++) {
        raw.push((fields[i] as Field<unknown>).toWire(record[names[i] as string]));
      }
    } catch (error) {
      throw inside(error, names[i] as string);
    }
    if (keepUnknown) {
      const unknown = (value as Extensible).unknownFields;
      if (unknown !== undefined) raw.push(...unknown);
    }
    return raw;
  }

  fromWire(raw: WireValue | undefined): T {
    if (!Array.isArray(raw)) throw expected('a list', raw);
    const { constant, first } = this.#options;
    const names = this.#names;
    const fields = this.#fields;
    const skipped = first.length;
    if (raw.length < skipped + this.#requiredCount) {
      throw expected(`a list of at least ${skipped + this.#requiredCount}`, raw);
    }
    const value: AnyRecord = {};
    if (constant !== undefined) value[constant[0]] = constant[1];
    let i = 0;
    try {
      for (; i < names.length; i++) {
        const name = names[i] as string;
        value[name] = (fields[i] as Field<unknown>).fromWire(raw[skipped + i] as WireValue);
      }
    } catch (error) {
      throw inside(error, names[i] as string);
    }
    const known = skipped + names.length;
    if (this.#options.keepUnknown && raw.length > known) value['unknownFields'] = rest(raw, known);
    return value as T;
  }

  write(value: T, to: WireWriter): void {
    const { first, keepUnknown } = this.#options;
    const unknown = keepUnknown ? (value as Extensible).unknownFields : undefined;
    to.list(first.length + this.#names.length + (unknown?.length ?? 0));
    for (let i = 0; i < first.length; i++) to.number(first[i] as number);
    this.writeElements(value, to);
    if (unknown !== undefined) for (const element of unknown) to.value(element);
  }

  writeElements(value: T, to: WireWriter): void {
    const record = value as AnyRecord;
    const names = this.#names;
    const fields = this.#fields;
    for (let i = 0; i < names.length; i++) {
      (fields[i] as Field<unknown>).write(record[names[i] as string], to);
    }
  }

  read(from: WireReader): T {
    return this.readElements(from, from.list());
  }

  readElements(from: WireReader, count: number): T {
    const names = this.#names;
    const fields = this.#fields;
    if (count < this.#requiredCount || count > names.length) throw UNREAD;
    const value: AnyRecord = { ...this.#blank };
    for (let i = 0; i < count; i++) {
      value[names[i] as string] = (fields[i] as Field<unknown>).read(from);
    }
    return value as T;
  }

  bytes(value: T): number {
    const record = value as AnyRecord;
    const unknown = this.#options.keepUnknown ? (value as Extensible).unknownFields : undefined;
    const { first } = this.#options;
    const count = first.length + this.#names.length + (unknown?.length ?? 0);
    let total = listHeaderBytes(count);
    for (const number of first) total += numberBytes(number);
    for (let i = 0; i < this.#names.length; i++) {
      total += (this.#fields[i] as Field<unknown>).bytes(record[this.#names[i] as string]);
    }
    if (unknown !== undefined) for (const element of unknown) total += valueBytes(element);
    return total;
  }
}

/** Parsed, because that makes room for just these properties, in the object itself. */
function blankOf(
  names: readonly string[],
  constant: readonly [property: string, value: string] | undefined,
): AnyRecord {
  const all = constant === undefined ? names : [constant[0], ...names];
  const blank = JSON.parse(`{${all.map((name) => `${JSON.stringify(name)}:null`).join(',')}}`);
  for (const name of names) blank[name] = undefined;
  if (constant !== undefined) blank[constant[0]] = constant[1];
  return blank;
}

function rest(raw: readonly WireValue[], from: number): readonly WireValue[] {
  if (raw.length - from > UNKNOWN_FIELDS_MAX) {
    throw expected(`at most ${from + UNKNOWN_FIELDS_MAX} fields`, raw);
  }
  return raw.slice(from).map(owned);
}

/** A deep copy whose byte strings are no views into the received frame. */
function owned(value: WireValue): WireValue {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return Array.isArray(value) ? (value as readonly WireValue[]).map(owned) : value;
}

function valueBytes(value: WireValue): number {
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'number') return numberBytes(value);
  if (typeof value === 'string') {
    const length = utf8Bytes(value);
    return textHeaderBytes(length) + length;
  }
  if (value instanceof Uint8Array) return bytesHeaderBytes(value.length) + value.length;
  let total = listHeaderBytes(value.length);
  for (const element of value) total += valueBytes(element);
  return total;
}

/**
 * A field with one that does the same for what is usual, written out: a struct looks for each
 * property by its name and calls fields that it does not know, which takes twice as long as what is
 * asked of them. Bytes and values are those of the general field (W2, W5).
 */
export function unrolled<T>(
  general: Field<T>,
  { write, read }: Pick<Field<T>, 'write' | 'read'>,
): Field<T> {
  return {
    shape: general.shape,
    optional: general.optional,
    toWire: (value) => general.toWire(value),
    fromWire: (raw) => general.fromWire(raw),
    bytes: (value) => general.bytes(value),
    write,
    read,
  };
}

/** One alternative of a union: its number for ever, and its fields. */
export interface Variant<T> {
  readonly number: number;
  readonly fields: FieldsOf<T>;
}

/** A union whose list and number somebody else may have read. */
export interface UnionField<T> extends Field<T> {
  /**
   * @param number as it was read; undefined when there was none.
   * @param count how many elements follow the number.
   */
  readVariant(from: WireReader, number: number | undefined, count: number): T;
}

export type VariantsOf<T extends { readonly kind: string }> = {
  readonly [K in T['kind']]: Variant<Omit<Extract<T, { readonly kind: K }>, 'kind'>>;
};

/**
 * One of several structs, told apart by `kind`: a list of the variant's number and its fields.
 * An unknown number is an error, so a new variant needs a feature that all readers have.
 */
export function union<T extends { readonly kind: string }>(variants: VariantsOf<T>): UnionField<T> {
  return new Union<T>(variants, false);
}

/** A union in which each variant is `extensible`. */
export function extensibleUnion<T extends { readonly kind: string }>(
  variants: VariantsOf<T>,
): UnionField<T & Extensible> {
  return new Union<T>(variants, true);
}

class Union<T extends { readonly kind: string }> implements UnionField<T> {
  readonly optional = false;
  readonly #byKind = new Map<string, Struct<T>>();
  readonly #byNumber = new Map<unknown, Struct<T>>();

  constructor(variants: VariantsOf<T>, keepUnknown: boolean) {
    for (const kind of Object.keys(variants) as T['kind'][]) {
      const { number, fields } = variants[kind];
      const options = { constant: ['kind', kind], first: [number], keepUnknown } as const;
      const field = new Struct<T>(fields, options);
      if (this.#byNumber.has(number)) throw new RangeError(`Two variants share ${number}.`);
      this.#byKind.set(kind, field);
      this.#byNumber.set(number, field);
    }
  }

  get shape(): string {
    const variants = [...this.#byKind].map(([kind, field]) => `${kind}${field.shape}`);
    return `union(${variants.join('|')})`;
  }

  toWire(value: T): WireValue {
    return this.#variant(value).toWire(value);
  }

  fromWire(raw: WireValue | undefined): T {
    if (!Array.isArray(raw)) throw expected('a list', raw);
    const field = this.#byNumber.get(raw[0]);
    if (field === undefined) {
      throw expected(`a variant of ${[...this.#byNumber.keys()].join(', ')}`, raw[0]);
    }
    return field.fromWire(raw);
  }

  bytes(value: T): number {
    return this.#variant(value).bytes(value);
  }

  write(value: T, to: WireWriter): void {
    this.#variant(value).write(value, to);
  }

  read(from: WireReader): T {
    const count = from.list();
    return this.readVariant(from, count === 0 ? undefined : from.number(), count - 1);
  }

  readVariant(from: WireReader, number: number | undefined, count: number): T {
    const field = this.#byNumber.get(number);
    if (field === undefined) throw UNREAD;
    return field.readElements(from, count);
  }

  #variant(value: T): Struct<T> {
    const field = this.#byKind.get(value?.kind);
    if (field === undefined) {
      throw expected(`a kind of ${[...this.#byKind.keys()].join(', ')}`, value?.kind);
    }
    return field;
  }
}
