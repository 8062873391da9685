import type { LogRecord, ShardId, ShardPosition } from '@memgrid/protocol';
import type { ShardChecker } from '../shard-checker.ts';

interface Seen {
  readonly body: Uint8Array;
  readonly previous: ShardPosition;
}

/** Records of one place in a shard's log are equal, and so is everything before them. */
export function logsMatch(): ShardChecker {
  const seen = new Map<string, Seen>();

  const problemOf = (
    shard: ShardId,
    records: readonly LogRecord[],
    first: ShardPosition,
  ): string | undefined => {
    let previous = first;
    for (const record of records) {
      const { body, epoch, index } = record;
      const where = `Shard ${shard}, record ${epoch}/${index}`;
      if (index !== previous.index + 1 || epoch < previous.epoch) {
        return `${where} is sent as if it followed ${previous.epoch}/${previous.index}.`;
      }
      const name = `${shard}/${epoch}/${index}`;
      const before = seen.get(name);
      if (before === undefined) seen.set(name, { body, previous });
      else if (!isEqual(before.body, body)) return `${where} has two bodies.`;
      else if (before.previous.epoch !== previous.epoch) {
        return `${where} follows epoch ${before.previous.epoch} and epoch ${previous.epoch}.`;
      }
      previous = record;
    }
    return undefined;
  };

  return {
    name: 'shard-logs-match',
    sent: (_from, _to, body) => {
      if (body.type === 'logSuffix') return problemOf(body.shard, body.records, body.previous);
      if (body.type !== 'replicate') return undefined;
      for (const { previous, records, shard } of body.shards) {
        const problem = problemOf(shard, records, previous);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
  };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, at) => byte === b[at]));
}
