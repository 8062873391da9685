import type { ShardsBody } from '@memgrid/node';

type Shard = Pick<ShardsBody['shards'][number], 'shard' | 'stage' | 'replicas' | 'next'>;

/** What becomes of the shards of nodes that do not come back. */
export interface GivenUp {
  /** Shards of which these nodes have a copy. */
  readonly held: number;
  /** Of these, those whose majority is gone with them: they stay closed until they are revived. */
  readonly closed: readonly number[];
  /** Of those, the ones without any copy elsewhere: nothing can revive them. */
  readonly lost: readonly number[];
}

/** The same rule by which the control group revives: see `control/shard-revival.ts` of core. */
export function givenUp(shards: readonly Shard[], gone: ReadonlySet<string>): GivenUp {
  const remain = (set: readonly string[]): readonly string[] => set.filter((one) => !gone.has(one));
  const isBroken = (set: readonly string[]): boolean => remain(set).length <= set.length / 2;
  const held = shards.filter(({ replicas, next }) =>
    [...replicas, ...next].some((one) => gone.has(one)),
  );
  const closed = held.filter(({ stage, replicas, next }) => {
    // A move whose beginning is whole is rolled back.
    return isBroken(replicas) || (stage === 'switch' && isBroken(next));
  });
  const lost = closed.filter(({ replicas, next }) => remain([...replicas, ...next]).length === 0);
  const numbers = (some: readonly Shard[]): readonly number[] => some.map(({ shard }) => shard);
  return { held: held.length, closed: numbers(closed), lost: numbers(lost) };
}
