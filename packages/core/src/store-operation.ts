/** One durable write, named by whoever issues it. Counted up from 1. */
export type Ticket = number;

/** One key-value operation of a batch. Keys sort by their bytes; a batch is all or nothing. */
export type StoreOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string };
