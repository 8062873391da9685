import type { Random } from '@memgrid/core';
import type { ShardFault } from './shard-fault.ts';
import type { ShardTuning } from './shard-tuning.ts';

/** How long each primary has a minority for itself: some messages' way. */
const ALONE_MS: readonly [min: number, max: number] = [10, 80];
/** Between a cut and the next primary. */
const SOON_MS_MAX = 10;
/** The first primary leads in peace for so long, that it has something to lose. */
const PEACE_MS = 80;

/**
 * Primaries in a row that each reach another minority, so that a record of the first comes to a
 * majority under the third although the second has a later one (Raft, figure 8).
 */
export function threeMinorities(
  atMs: number,
  random: Random,
  { nodes, shards }: Pick<ShardTuning, 'nodes' | 'shards'>,
): readonly ShardFault[] {
  const shard = random.below(shards);
  const all = random.shuffled(Array.from({ length: nodes }, (_, at) => at));
  const first = all.slice(0, Math.max(1, Math.floor((nodes - 1) / 2)));
  const last = all.at(-1) as number;
  const alone = (): number => Math.round(random.between(...ALONE_MS));
  const faults: ShardFault[] = [];
  let now = atMs;
  const lead = (to: number): void => {
    faults.push({ kind: 'failOver', shard, pick: 0, to, atMs: now });
  };
  const cut = (side: readonly number[], forMs: number): void => {
    const sorted = side.toSorted((a, b) => a - b);
    faults.push({ kind: 'cut', side: sorted, oneWay: false, forMs, atMs: now });
  };
  lead(first[0] as number);
  now += PEACE_MS;
  const theirs = alone();
  const its = alone();
  cut(first, theirs + its);
  now += theirs;
  lead(last);
  now += its;
  const again = alone();
  cut([last], again);
  now += random.below(SOON_MS_MAX);
  lead(random.pick(first) as number);
  now += again;
  cut(first, alone() + alone());
  now += random.below(SOON_MS_MAX);
  lead(last);
  return faults;
}
