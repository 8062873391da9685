import type { Field } from '../wire/field.ts';
import { type FieldsOf, tagged } from '../wire/struct.ts';

/** One codec for each message of a conversation, by type. */
export type MessageFields<M extends { readonly type: string }> = {
  readonly [T in M['type']]: Field<Extract<M, { readonly type: T }>>;
};

/**
 * Builds the codecs of one conversation from the fields of its messages, each in wire order.
 * The type itself travels in the envelope, as its number.
 */
export function messageFields<M extends { readonly type: string }>(fields: {
  readonly [T in M['type']]: FieldsOf<Omit<Extract<M, { readonly type: T }>, 'type'>>;
}): MessageFields<M> {
  const codecs: Record<string, Field<M>> = {};
  for (const type of Object.keys(fields) as M['type'][]) {
    codecs[type] = tagged<M, 'type'>('type', type as M['type'] & string, fields[type] as never);
  }
  return codecs as unknown as MessageFields<M>;
}
