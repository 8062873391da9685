import { entryChecksum } from '@memgrid/protocol';

/** What an entry's bytes are made of. Bytes in place of a text travel as a text of these bytes. */
export type RawValue = string | number | boolean | Uint8Array | readonly RawValue[];

/** The fields of an entry that a test gets wrong. */
export interface RawEntry {
  readonly userId?: RawValue;
  readonly content?: RawValue;
  readonly category?: RawValue;
  readonly categories?: RawValue;
  readonly metadata?: RawValue;
  readonly expiresAt?: RawValue;
  readonly schema?: RawValue;
  readonly schemaVersion?: RawValue;
}

/** The bytes of an entry without any check: what a client could send that is not ours. */
export function rawEntry(given: RawEntry): Uint8Array {
  const { userId = 'ada', content = 'x', category = '', categories = [], metadata = '{}' } = given;
  const { expiresAt = 0, schema = '', schemaVersion = 0 } = given;
  // What is no text that an entry may have has no checksum either.
  const isText = typeof content === 'string' && !content.includes('\0');
  const text = isText ? content : '';
  const said = { content: text, category: '', categories: [], metadata: {} };
  const owner = [userId, '', '', ''];
  const dates = [1, 1, expiresAt, false];
  const upstream = ['', 1, '', 0];
  const body = [content, category, categories, metadata, ...dates, schema, schemaVersion];
  return new Uint8Array(packed([...owner, ...body, entryChecksum(said), ...upstream, []]));
}

/** MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), the long forms of it. */
function packed(value: RawValue): Buffer {
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value < 0x80) return Buffer.from([value]);
    const number = Buffer.alloc(9);
    number[0] = 0xcb;
    number.writeDoubleBE(value, 1);
    return number;
  }
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
    return Buffer.concat([header(0xdb, bytes.length), bytes]);
  }
  return Buffer.concat([header(0xdd, value.length), ...value.map(packed)]);
}

function header(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = type;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
