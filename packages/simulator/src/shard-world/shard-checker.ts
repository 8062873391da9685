import type { AppliedChange, ShardEvent, ShardMessage, ShardStatus } from '@memgrid/core';
import type { NodeId } from '@memgrid/protocol';
import type { FinishedCall } from './shard-client.ts';
import type { ShardLife } from './shard-host.ts';

/**
 * One property of shards that must hold whatever happens. It hears what it names, and answers with
 * a sentence when its property is broken.
 */
export interface ShardChecker {
  readonly name: string;
  sent?(from: ShardLife, to: NodeId, body: ShardMessage): string | undefined;
  applied?(life: ShardLife, changes: readonly AppliedChange[]): string | undefined;
  event?(life: ShardLife, event: ShardEvent): string | undefined;
  started?(life: ShardLife, status: readonly ShardStatus[]): string | undefined;
  finished?(call: FinishedCall): string | undefined;
  /** Asked once, when every call has ended. */
  finish?(): string | undefined;
}
