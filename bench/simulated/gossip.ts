import { MembershipWorld } from '@memgrid/simulator';
import { percentile, median, seconds, type Bench, type Measurement } from '../measurement.ts';

const MESSAGES_MAX = 4;

/** What gossip costs a node, and how long it takes a large cluster to notice a silent member. */
export const gossip: Bench = {
  row: 'gossip',
  async run(effort, progress) {
    const rows: Measurement[] = [];
    const costs = new Map<number, number>();
    for (const nodes of [10, 30, 100, 300, 1_000]) {
      costs.set(nodes, cost(nodes, effort === 'full' ? 120_000 : 20_000));
      progress(`${nodes} nodes: ${(costs.get(nodes) ?? 0).toFixed(2)} messages/node/s`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    rows.push(costRow(costs));
    for (const [nodes, barMs, seeds] of [
      [100, 12_000, 20],
      [1_000, 16_000, 5],
    ] as const) {
      const count = effort === 'full' ? seeds : 1;
      const values = Array.from({ length: count }, (_, at) => untilKnown(nodes, at + 1));
      rows.push(detectionRow(nodes, barMs, values));
      progress(`${nodes} nodes: silent node known after ${seconds(median(values))}`);
    }
    return rows;
  },
};

/** Messages per node and second while nothing happens. */
function cost(nodes: number, ms: number): number {
  const world = new MembershipWorld({ seed: 7, nodes });
  world.run(20_000);
  const before = world.messageCount;
  world.run(ms);
  return (world.messageCount - before) / nodes / (ms / 1000);
}

function costRow(costs: ReadonlyMap<number, number>): Measurement {
  const worst = Math.max(...costs.values());
  const each = [...costs].map(([nodes, value]) => `${nodes}: ${value.toFixed(2)}`).join(', ');
  return {
    row: 'gossip',
    what: 'gossip messages per node and second, by number of nodes',
    bar: `at most ${MESSAGES_MAX}, flat`,
    measured: each,
    met: worst <= MESSAGES_MAX,
    numbers: Object.fromEntries([...costs].map(([nodes, value]) => [`nodes${nodes}`, value])),
  };
}

/** From a silent death until every other node knows; infinite when some never did. */
function untilKnown(nodes: number, seed: number): number {
  const world = new MembershipWorld({ seed, nodes });
  // Somewhere inside a second of its own for each seed: probes go round once a second.
  world.run(20_000 + ((seed * 137) % 1_000));
  const victim = seed % nodes;
  world.silence(victim);
  return world.runUntil(() => world.isKnownDead(victim), 60_000) ?? Number.POSITIVE_INFINITY;
}

function detectionRow(nodes: number, barMs: number, values: readonly number[]): Measurement {
  const worst = percentile(values, 100);
  const p95 = percentile(values, 95);
  return {
    row: 'gossip',
    what: `silent node known everywhere at ${nodes} nodes, ${values.length} runs`,
    bar: seconds(barMs),
    measured: `median ${seconds(median(values))}, p95 ${seconds(p95)}, worst ${seconds(worst)}`,
    met: median(values) <= barMs,
    numbers: { medianMs: median(values), p95Ms: p95, worstMs: worst, runs: values.length },
  };
}
