import type { Timestamp } from '../envelope.ts';
import { type Field, uint } from './field.ts';
import { struct } from './struct.ts';

export const timestampField: Field<Timestamp> = struct<Timestamp>({
  ms: uint(2 ** 48 - 1),
  counter: uint(0xffff),
});
