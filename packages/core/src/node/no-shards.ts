import { failedResult } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { ShardsEffect, ShardsInput, ShardStatus } from '../shards/shards-io.ts';
import type { ShardsMachine } from './data-plane.ts';

/** A node without replicas: refuses every operation. */
export class NoShards implements ShardsMachine {
  readonly wakeAt = undefined;

  status(): readonly ShardStatus[] {
    return [];
  }

  appliedIndex(): number | undefined {
    return undefined;
  }

  step(_now: Instant, input: ShardsInput): readonly ShardsEffect[] {
    if (input.kind !== 'operations') return [];
    return input.operations.map(({ token, operation: { id, shard } }) => {
      const problem = 'this node holds no shards';
      const result = failedResult('SHARD_UNAVAILABLE', { shard, problem }, { applied: 'no' });
      return {
        kind: 'answer',
        token,
        answer: { id, shard, position: { epoch: 0, index: 0 }, result },
      };
    });
  }

  wake(): readonly ShardsEffect[] {
    return [];
  }
}
