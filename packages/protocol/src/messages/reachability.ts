import type { Generation, NodeId } from '../ids.ts';

/**
 * One node's own account of its direct links. Lists the exceptions only, so a healthy cluster's
 * rows are a few bytes. Ordered by (generation, version); the newest wins.
 */
export interface ReachabilityRow {
  readonly owner: NodeId;
  readonly generation: Generation;
  readonly version: number;
  /** Members the owner knows (not counting left ones), itself included. */
  readonly knownCount: number;
  /** Members whose last direct probe failed, with nothing heard directly since. Sorted. */
  readonly unreached: readonly NodeId[];
  /** Members from which nothing arrived directly for the silence window. Sorted. */
  readonly silent: readonly NodeId[];
}

export interface Rows {
  readonly type: 'rows';
  readonly rows: readonly ReachabilityRow[];
}

export type ReachabilityMessage = Rows;
