import { Random } from '@memgrid/core';
import type { ScheduledFault } from '@memgrid/simulator';
import { percentile, median, seconds, type Bench, type Measurement } from '../measurement.ts';
import { observedDay } from './observed-day.ts';

const SIZES = [3, 4, 5, 6, 7, 8, 9, 10];

/** How long until every other node knows that one is dead. */
export const detection: Bench = {
  row: 'detection',
  async run(effort, progress) {
    const seedsEach = effort === 'full' ? 25 : 1;
    const killed: number[] = [];
    const silent: number[] = [];
    for (const nodes of SIZES) {
      for (let seed = 1; seed <= seedsEach; seed += 1) {
        killed.push(untilKnown(nodes, seed, 'crash'));
        silent.push(untilKnown(nodes, seed, 'powerOff'));
      }
      progress(`${nodes} nodes: killed p95 ${seconds(percentile(killed, 95))}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return [
      row('killed process (connection refused)', 2_000, killed),
      row('silent node', 8_000, silent),
    ];
  },
};

function row(name: string, barMs: number, values: readonly number[]): Measurement {
  const p95 = percentile(values, 95);
  const worst = percentile(values, 100);
  return {
    row: 'detection',
    what: `death known everywhere: ${name}, 3-10 nodes, p95 of ${values.length} runs`,
    bar: seconds(barMs),
    measured: `${seconds(p95)} (median ${seconds(median(values))}, worst ${seconds(worst)})`,
    met: p95 <= barMs,
    numbers: { p95Ms: p95, medianMs: median(values), worstMs: worst, runs: values.length },
  };
}

/** Milliseconds from the death to the last survivor's verdict; infinite when one never knew. */
function untilKnown(nodes: number, seed: number, kind: 'crash' | 'powerOff'): number {
  const random = Random.of(seed).split(`detection/${nodes}`);
  const victim = `n${random.below(nodes) + 1}`;
  const diedAtMs = 15_000 + random.below(5_000);
  const fault: ScheduledFault = { atMs: diedAtMs, kind, node: victim };
  const options = { seed, nodes, durationMs: diedAtMs + 40_000, workload: undefined };
  const { day, observations } = observedDay(options, [fault], ['member.died']);
  const knownAtMs = new Map<string, number>();
  for (const { atMs, node, event } of observations) {
    if (event.name !== 'member.died' || atMs < diedAtMs) continue;
    if (day.world.nameOf(event.member) === victim && !knownAtMs.has(node)) {
      knownAtMs.set(node, atMs);
    }
  }
  if (knownAtMs.size < nodes - 1) return Number.POSITIVE_INFINITY;
  return Math.max(...knownAtMs.values()) - diedAtMs;
}
