import type { ScheduledFault } from '@memgrid/simulator';
import { median, percentile, seconds, type Bench, type Measurement } from '../measurement.ts';
import { observedDay, type Observation } from './observed-day.ts';

const BAR_MEDIAN_MS = 2_500;
const BAR_WORST_MS = 4_000;
const BAR_HANDOVER_MS = 300;

/** How long a cluster is without a coordinator, by accident and on purpose. */
export const failOver: Bench = {
  row: 'fail-over',
  async run(effort, progress) {
    const seeds = effort === 'full' ? 200 : 4;
    const rows: Measurement[] = [];
    for (const nodes of [3, 5]) {
      const gaps: number[] = [];
      const planned: number[] = [];
      for (let seed = 1; seed <= seeds; seed += 1) {
        gaps.push(gap(nodes, seed, 'crash'));
        planned.push(gap(nodes, seed, 'leave'));
        if (seed % 20 === 0) {
          progress(`${nodes} nodes, ${seed} seeds: median ${seconds(median(gaps))}`);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      rows.push(killRow(nodes, gaps), plannedRow(nodes, planned));
    }
    return rows;
  },
};

function killRow(nodes: number, gaps: readonly number[]): Measurement {
  const middle = median(gaps);
  const worst = percentile(gaps, 100);
  return {
    row: 'fail-over',
    what: `new coordinator after a kill, known to every survivor, ${nodes} nodes, ${gaps.length} seeds`,
    bar: `median ${seconds(BAR_MEDIAN_MS)}, worst ${seconds(BAR_WORST_MS)}`,
    measured: `median ${seconds(middle)}, worst ${seconds(worst)}`,
    met: middle <= BAR_MEDIAN_MS && worst <= BAR_WORST_MS,
    numbers: { medianMs: middle, p95Ms: percentile(gaps, 95), worstMs: worst, seeds: gaps.length },
  };
}

function plannedRow(nodes: number, gaps: readonly number[]): Measurement {
  const worst = percentile(gaps, 100);
  return {
    row: 'fail-over',
    what: `planned hand-over (SIGTERM of the coordinator): from the signal to the successor's election, ${nodes} nodes`,
    bar: `gap ${seconds(BAR_HANDOVER_MS)}`,
    measured: `median ${seconds(median(gaps))}, worst ${seconds(worst)}`,
    met: worst <= BAR_HANDOVER_MS,
    numbers: { medianMs: median(gaps), worstMs: worst, seeds: gaps.length },
  };
}

/**
 * From the coordinator's end until a successor in a later term is known: to every survivor after a
 * crash, to itself after a leave (the others hear with its first heartbeat).
 */
function gap(nodes: number, seed: number, kind: 'crash' | 'leave'): number {
  const endedAtMs = 15_000 + (seed % 50) * 37;
  const fault: ScheduledFault = { atMs: endedAtMs, kind, node: 'coordinator' };
  const options = { seed, nodes, durationMs: endedAtMs + 12_000, workload: undefined };
  const { observations } = observedDay(options, [fault], ['coordinator.elected']);
  const before = observations.filter(({ atMs }) => atMs <= endedAtMs);
  const oldTerm = Math.max(0, ...before.map(termOf));
  const knownAtMs = new Map<string, number>();
  for (const seen of observations) {
    if (seen.atMs <= endedAtMs || termOf(seen) <= oldTerm) continue;
    if (!knownAtMs.has(seen.node)) knownAtMs.set(seen.node, seen.atMs);
  }
  if (knownAtMs.size < nodes - 1) return Number.POSITIVE_INFINITY;
  const moments = [...knownAtMs.values()];
  return (kind === 'crash' ? Math.max(...moments) : Math.min(...moments)) - endedAtMs;
}

function termOf({ event }: Observation): number {
  return event.name === 'coordinator.elected' ? event.term : 0;
}
