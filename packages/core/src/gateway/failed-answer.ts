import type { Answer, FailedResult, Operation } from '@memgrid/protocol';

/** An answer that rests on nothing. */
export function failedAnswer(
  { id, shard }: Pick<Operation, 'id' | 'shard'>,
  result: FailedResult,
): Answer {
  return { id, shard, position: { epoch: 0, index: 0 }, result };
}
