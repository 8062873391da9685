import { explore } from '@memgrid/simulator';
import type { Bench } from '../measurement.ts';

/** A first seed that no earlier exploration used: fresh days, not the ones that were mended. */
function freshSeed(): number {
  return Math.floor(Date.now() / 1000);
}

/** Everything at once, on many seeds. */
export const swarm: Bench = {
  row: 'swarm',
  async run(effort, progress) {
    const count = effort === 'full' ? 1_000 : 8;
    const firstSeed = freshSeed();
    let done = 0;
    const report = await explore({
      firstSeed,
      count,
      nodes: [3, 4, 5, 6, 7],
      workers: 2,
      progress: ({ seed, violations }) => {
        done += 1;
        if (violations.length > 0) progress(`seed ${seed}: ${violations[0]?.checker}`);
        if (done % 50 === 0) progress(`${done} of ${count} seeds`);
      },
    });
    const failed = report.failed.map(({ seed }) => seed);
    const never = report.never.length === 0 ? 'none' : report.never.join(', ');
    return [
      {
        row: 'swarm',
        what: `${count} fresh seeds x 60 simulated seconds (one in 20 three minutes, or no dead voter would ever be replaced), 3-7 nodes, swarm faults; registers, sets and sessions by the real client`,
        bar: 'linearizable per key, nothing acknowledged lost, no other violation, every "sometimes" counter above 0',
        measured:
          `${failed.length} seeds with violations${failed.length > 0 ? ` (${failed.join(', ')})` : ''}` +
          ` from seed ${firstSeed}, ${report.operations} operations judged; counters at 0: ${never}`,
        met: failed.length === 0 && report.never.length === 0,
        numbers: {
          firstSeed,
          seeds: count,
          failed: failed.length,
          operations: report.operations,
          countersAtZero: report.never.length,
          simulatedHours: report.simulatedMs / 3_600_000,
        },
      },
    ];
  },
};
