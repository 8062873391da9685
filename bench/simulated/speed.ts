import { MembershipWorld, simulate } from '@memgrid/simulator';
import { median, type Bench, type Measurement } from '../measurement.ts';

const ROUNDS = 5;
const MINUTE_MS = 60_000;

/** How much faster than the real thing the simulator is, on one core. */
export const speed: Bench = {
  row: 'speed',
  async run(effort) {
    const minutes = effort === 'full' ? 10 : 1;
    const full = rounds(() => {
      simulate({ seed: 7, nodes: 5, durationMs: minutes * MINUTE_MS, timeline: false });
      return minutes * MINUTE_MS;
    });
    await new Promise((resolve) => setImmediate(resolve));
    const seconds = effort === 'full' ? 60 : 10;
    const compact = rounds(() => {
      const world = new MembershipWorld({ seed: 7, nodes: 1_000 });
      // The first exchange of tables is a storm of its own; this row is about living together.
      world.run(20_000);
      const startedMs = performance.now();
      world.run(seconds * 1000);
      return { simulatedMs: seconds * 1000, realMs: performance.now() - startedMs };
    });
    return [
      row('5 nodes, full stack with the real codec and swarm faults', 100, full),
      row('1,000 nodes, membership only', 50, compact),
    ];
  },
};

function rounds(run: () => number | { simulatedMs: number; realMs: number }): readonly number[] {
  const factors: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const startedMs = performance.now();
    const result = run();
    const realMs = performance.now() - startedMs;
    // The first round warms the compiler up.
    if (round === 0) continue;
    factors.push(typeof result === 'number' ? result / realMs : result.simulatedMs / result.realMs);
  }
  return factors;
}

function row(what: string, bar: number, factors: readonly number[]): Measurement {
  const middle = median(factors);
  const low = Math.min(...factors);
  const high = Math.max(...factors);
  return {
    row: 'speed',
    what: `simulator speed, ${what}, one core`,
    bar: `at least ${bar} x real time`,
    measured: `${middle.toFixed(0)} x (${low.toFixed(0)}-${high.toFixed(0)} over ${factors.length} rounds)`,
    met: middle >= bar,
    numbers: { median: middle, low, high },
  };
}
