import {
  failedResult,
  type FailedResult,
  type NodeId,
  type Operation,
  type OperationBody,
  type ShardConfig,
} from '@memgrid/protocol';
import type { PlacementTable } from './placement-table.ts';

/** Where an operation can be answered. */
export type OperationRoute =
  | { readonly kind: 'local' }
  | { readonly kind: 'forward'; readonly to: NodeId }
  | { readonly kind: 'failed'; readonly result: FailedResult };

/** One for all: routes are found for every operation. */
const LOCAL: OperationRoute = { kind: 'local' };

/** Whether an operation may change something, so that not knowing its outcome matters. */
export function isWrite({ kind }: OperationBody): boolean {
  return kind === 'put' || kind === 'update' || kind === 'delete';
}

/** An operation of a client of this node: here when it can be, else at whoever is best. */
export function routeOf(
  operation: Operation,
  self: NodeId,
  placement: PlacementTable,
): OperationRoute {
  const config = placement.config(operation.shard);
  if (config === undefined) return unplaced(operation, placement);
  if (config.primary === self || isAnsweredByReplica(operation, config, self)) return LOCAL;
  if (placement.isReachable(config.primary)) return { kind: 'forward', to: config.primary };
  // Without a primary a replica may still accept it on its own, or tell best why not.
  if (holds(config, self)) return LOCAL;
  const replica = config.replicas.find((node) => placement.isReachable(node));
  if (replica !== undefined) return { kind: 'forward', to: replica };
  const { shard } = operation;
  const details = { shard, problem: 'this node reaches none of its replicas' };
  const options = { hint: config.primary, applied: 'no' } as const;
  return { kind: 'failed', result: failedResult('SHARD_UNAVAILABLE', details, options) };
}

/** An operation that a peer forwarded: answered here or nowhere, so that it never travels in a ring. */
export function routeOfForwarded(
  operation: Operation,
  self: NodeId,
  placement: PlacementTable,
): OperationRoute {
  const config = placement.config(operation.shard);
  if (config === undefined) return unplaced(operation, placement);
  if (holds(config, self)) return LOCAL;
  const details = { shard: operation.shard, hint: config.primary };
  const result = failedResult('NOT_PRIMARY', details, { hint: config.primary });
  return { kind: 'failed', result };
}

/** Nobody has been named its owner. */
function unplaced({ shard }: Operation, { shardCount }: PlacementTable): OperationRoute {
  if (shardCount === 0 || shard < shardCount) {
    return { kind: 'failed', result: failedResult('NO_PLACEMENT', {}) };
  }
  const problem = `shard ${shard} does not exist: this cluster has ${shardCount}`;
  return { kind: 'failed', result: failedResult('BAD_REQUEST', { problem }) };
}

/** Reads that need no primary. In `switch` the next set is the one that is read from. */
function isAnsweredByReplica(operation: Operation, config: ShardConfig, self: NodeId): boolean {
  if (isWrite(operation.body) || operation.read === 'strong') return false;
  const readFrom = config.stage === 'switch' ? config.next : config.replicas;
  return readFrom.includes(self);
}

function holds({ primary, replicas, next }: ShardConfig, self: NodeId): boolean {
  return primary === self || replicas.includes(self) || next.includes(self);
}
