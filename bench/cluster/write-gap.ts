import { connect, isClusterError, type Grid } from '@memgrid/client';
import { shardOfEntry } from '@memgrid/protocol';
import { setTimeout as pause } from 'node:timers/promises';
import { median, percentile, seconds, type Bench } from '../measurement.ts';
import { NodeCluster, type ClusterNode } from './node-cluster.ts';

const BAR_MS = 3_000;
const NODES = 3;
/** Open loop: a put begins so often, whether or not earlier ones are done. */
const EVERY_MS = 20;
const BUSY_MS = 1_000;
/** Far above the bar: a trial that takes longer is a failure and no number. */
const TRIAL_MS_MAX = 30_000;
const NAMESPACE = 'bench';

/** From `kill -9` of a primary until its shard acknowledges a quorum write, as a client sees it. */
export const writeGap: Bench = {
  row: 'write-gap-after-kill',
  async run(effort, progress) {
    const trials = effort === 'full' ? 30 : 4;
    const gapsMs: number[] = [];
    const longestMs: number[] = [];
    await using cluster = await NodeCluster.start({ nodes: NODES });
    const grid = await connect({ nodes: cluster.addresses, hedge: false });
    try {
      for (let trial = 0; trial < trials; trial += 1) {
        const victim = cluster.nodes.toSorted((a, b) => (a.label < b.label ? -1 : 1))[
          trial % NODES
        ];
        if (victim === undefined) throw new Error('A node is missing.');
        const { gapMs, worstMs } = await killOnce({ cluster, grid, victim, trial });
        gapsMs.push(gapMs);
        longestMs.push(worstMs);
        progress(`${trial + 1} of ${trials}: ${victim.label}, ${seconds(gapMs)}`);
        await cluster.restart(victim);
        await cluster.atRest();
      }
    } finally {
      await grid.close();
    }
    const p95 = percentile(gapsMs, 95);
    return [
      {
        row: 'write-gap-after-kill',
        what: `kill -9 of the primary of a busy shard: until a quorum write to it is acknowledged, ${NODES} processes, ${trials} kills, each node in turn`,
        bar: `p95 ${seconds(BAR_MS)}`,
        measured:
          `median ${seconds(median(gapsMs))}, p95 ${seconds(p95)}, worst ${seconds(percentile(gapsMs, 100))} ` +
          `(longest call of the client ${seconds(percentile(longestMs, 100))})`,
        met: p95 <= BAR_MS,
        numbers: {
          p50Ms: median(gapsMs),
          p95Ms: p95,
          maxMs: percentile(gapsMs, 100),
          longestCallMs: percentile(longestMs, 100),
          trials,
        },
      },
    ];
  },
};

interface Trial {
  readonly cluster: NodeCluster;
  readonly grid: Grid;
  readonly victim: ClusterNode;
  readonly trial: number;
}

/**
 * Writes all the time, kills, and waits. The gap ends with the first put that began after the kill
 * and was acknowledged: an earlier one may have reached the node while it lived.
 */
async function killOnce({ cluster, grid, victim, trial }: Trial): Promise<{
  gapMs: number;
  worstMs: number;
}> {
  const userId = await userOn(cluster, victim);
  const entries = grid.namespace(NAMESPACE);
  const acknowledged = Promise.withResolvers<number>();
  // Only one of the two ways out is taken.
  acknowledged.promise.catch(() => undefined);
  let killedAtMs = Infinity;
  let worstMs = 0;
  const put = async (): Promise<void> => {
    const beganMs = performance.now();
    try {
      await entries.put(
        { userId, id: `e${trial % 10}`, content: String(beganMs) },
        { timeoutMs: TRIAL_MS_MAX, durability: 'quorum', sync: 'disk' },
      );
      const endedMs = performance.now();
      worstMs = Math.max(worstMs, endedMs - beganMs);
      if (beganMs >= killedAtMs) acknowledged.resolve(endedMs - killedAtMs);
    } catch (error) {
      // The cluster may refuse while it has no primary; anything else is a bug here.
      if (!isClusterError(error)) acknowledged.reject(error as Error);
    }
  };
  const puts: Promise<void>[] = [];
  const ticker = setInterval(() => puts.push(put()), EVERY_MS);
  const late = setTimeout(
    () => acknowledged.reject(new Error(`No write in ${TRIAL_MS_MAX} ms.\n${cluster.logs}`)),
    BUSY_MS + TRIAL_MS_MAX,
  );
  try {
    await pause(BUSY_MS);
    victim.process.signal('SIGKILL');
    killedAtMs = performance.now();
    const gapMs = await acknowledged.promise;
    clearInterval(ticker);
    await Promise.all(puts);
    return { gapMs, worstMs };
  } finally {
    clearInterval(ticker);
    clearTimeout(late);
  }
}

/** A user all of whose entries are in a shard that this node is the primary of. */
async function userOn(cluster: NodeCluster, node: ClusterNode): Promise<string> {
  const body = await cluster.shards(node);
  if (body === undefined) throw new Error(`${node.label} does not answer.`);
  for (let at = 0; at < 100_000; at += 1) {
    const userId = `user-${at}`;
    const shard = shardOfEntry({ namespace: NAMESPACE, userId, key: '' }, body.shardCount);
    const owner = body.shards.find((one) => one.shard === shard);
    if (owner?.primary === node.nodeId && owner.local?.active === true) return userId;
  }
  throw new Error(`${node.label} is the primary of nothing.`);
}
