import type { Timestamp } from '../envelope.ts';
import { type Field, uint } from './field.ts';
import { struct, unrolled } from './struct.ts';
import { UNREAD } from './wire-reader.ts';

const msField = uint(2 ** 48 - 1);
const counterField = uint(0xffff);

export const timestampField: Field<Timestamp> = unrolled(
  struct<Timestamp>({ ms: msField, counter: counterField }),
  {
    write: ({ ms, counter }, to) => {
      to.list(2);
      msField.write(ms, to);
      counterField.write(counter, to);
    },
    read: (from) => {
      if (from.list() !== 2) throw UNREAD;
      return { ms: msField.read(from), counter: counterField.read(from) };
    },
  },
);
