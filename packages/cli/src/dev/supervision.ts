/**
 * What a supervised node and the `memgrid dev` that started it tell each other over the IPC
 * channel. When the channel closes, the supervisor is gone and the node shuts down by itself.
 */
export type NodeReport =
  /** The sockets are bound, the machine does not run yet: it waits for a `FoundOrder`. */
  | { readonly kind: 'listening'; readonly address: string; readonly httpAddress: string }
  | { readonly kind: 'started'; readonly nodeId: string; readonly generation: number }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** With whom to found a cluster. */
export interface FoundOrder {
  readonly kind: 'found';
  readonly seeds: readonly string[];
  readonly expect: number;
}

export function isNodeReport(message: unknown): message is NodeReport {
  const kind = (message as { kind?: unknown } | null)?.kind;
  return kind === 'listening' || kind === 'started' || kind === 'failed';
}

export function isFoundOrder(message: unknown): message is FoundOrder {
  const order = message as Partial<FoundOrder> | null;
  return (
    order?.kind === 'found' && Array.isArray(order.seeds) && Number.isSafeInteger(order.expect)
  );
}
