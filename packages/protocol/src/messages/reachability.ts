import type { Generation, NodeId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, generationField } from '../wire/counters.ts';
import { ascending, list } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { type Extensible, extensible } from '../wire/struct.ts';
import { messageFields } from './message-fields.ts';

/**
 * One node's own account of its direct links. Lists the exceptions only, so a healthy cluster's
 * rows are a few bytes. Ordered by (generation, version); the newest wins.
 */
export interface ReachabilityRow extends Extensible {
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

const members = ascending(nodeIdField, LIMITS.rowMembersMax);

export const reachabilityRowField = extensible<ReachabilityRow>({
  owner: nodeIdField,
  generation: generationField,
  version: countField,
  knownCount: countField,
  unreached: members,
  silent: members,
});

export const reachabilityFields = messageFields<ReachabilityMessage>({
  rows: { rows: list(reachabilityRowField, LIMITS.rowsMax) },
});
