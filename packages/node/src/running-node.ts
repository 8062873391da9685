import type { HaltCode, NodeReply, NodeRequest, NodeStatus } from '@memgrid/core';
import type { ObservedEvent } from './observe/event-levels.ts';

/** With whom a node without a cluster founds one. */
export interface Company {
  readonly seeds: readonly string[];
  readonly expect: number;
}

/** Why a node is no longer running. */
export interface NodeExit {
  /**
   * `left`: a drain is complete. `closed`: stopped without one. `fault`: the program is wrong, and
   * `error` says where. Anything else is the node's own decision; see `HaltCode`.
   */
  readonly code: HaltCode | 'closed' | 'fault';
  /** A sentence. */
  readonly detail: string;
  readonly error?: unknown;
}

/** A node in this process. */
export interface RunningNode extends AsyncDisposable {
  /** `host:port` that peers and clients dial, with the real port. */
  readonly address: string;
  /** `host:port` of the HTTP surface, with the real port; empty when there is none. */
  readonly httpAddress: string;
  /** Settles when the node has stopped, whatever the reason, and everything is closed. */
  readonly done: Promise<NodeExit>;
  /** What the node knows now: a snapshot, never live. */
  status(): NodeStatus;
  /** Answered once, within `timeoutMs` (default 5,000). Never rejects. */
  request(body: NodeRequest, timeoutMs?: number): Promise<NodeReply>;
  /** Every event from this call on. Ends with the node, with `signal`, or when the loop is left. */
  events(signal?: AbortSignal): AsyncIterableIterator<ObservedEvent>;
  /**
   * Leaves the cluster in an orderly way: hands the coordinator role over, says goodbye, closes.
   * After `timeoutMs` (default 10,000) it closes without having finished. Idempotent.
   */
  drain(timeoutMs?: number): Promise<NodeExit>;
  /** Stops without saying goodbye; what was accepted for the disk is still written. Idempotent. */
  close(): Promise<NodeExit>;
}
