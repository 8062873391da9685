import type { ClusterError } from '@memgrid/protocol';
import type { ChangeOptions, GetOptions, PutOptions } from './call-options.ts';
import type { EntryPatch, EntryRef, EntryShape, Found, NewEntry, Saved } from './entry.ts';

/** One of the calls of a batch. They are independent: each has its own outcome. */
export type BatchItem<Shape extends EntryShape = EntryShape> =
  | {
      readonly kind: 'put';
      readonly entry: NewEntry<Shape>;
      readonly options?: PutOptions;
    }
  | {
      readonly kind: 'update';
      readonly ref: EntryRef;
      readonly patch: EntryPatch<Shape>;
      readonly options?: ChangeOptions;
    }
  | { readonly kind: 'delete'; readonly ref: EntryRef; readonly options?: ChangeOptions }
  | { readonly kind: 'get'; readonly ref: EntryRef; readonly options?: GetOptions };

/** What became of one of them; in the order of the batch. */
export type BatchResult<Shape extends EntryShape = EntryShape> =
  | { readonly ok: true; readonly kind: 'put' | 'update' | 'delete'; readonly saved: Saved }
  | { readonly ok: true; readonly kind: 'get'; readonly found: Found<Shape> | undefined }
  | { readonly ok: false; readonly kind: BatchItem['kind']; readonly error: ClusterError };
