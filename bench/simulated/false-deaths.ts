import type { ScheduledFault } from '@memgrid/simulator';
import type { Bench, Effort, Measurement } from '../measurement.ts';
import { observedDay } from './observed-day.ts';

const NODES = 7;
const HOUR_MS = 3_600_000;

const PAUSES: ScheduledFault = {
  atMs: 5_000,
  kind: 'stall',
  node: '*',
  stallMsMin: 50,
  stallMsMax: 400,
  everyMs: 2_000,
};
const LOSS: ScheduledFault = {
  atMs: 5_000,
  kind: 'flaky',
  from: '*',
  to: '*',
  lossPercent: 5,
  resetPercent: 0,
};

/** Nobody who is alive is ever declared dead, however often every event loop stands still. */
export const falseDeaths: Bench = {
  row: 'false-deaths',
  async run(effort, progress) {
    const rows: Measurement[] = [];
    for (const [name, faults] of [
      ['pauses', [PAUSES]],
      ['pauses and 5 % loss', [PAUSES, LOSS]],
    ] as const) {
      rows.push(measure(name, faults, effort, progress));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return rows;
  },
};

function measure(
  name: string,
  faults: readonly ScheduledFault[],
  effort: Effort,
  progress: (text: string) => void,
): Measurement {
  const hours = effort === 'full' ? 10 : 0.1;
  // One-hour days, so that ten hours are ten seeds.
  const days = Math.ceil(hours);
  let deaths = 0;
  let suspicions = 0;
  for (let seed = 1; seed <= days; seed += 1) {
    const durationMs = (hours / days) * HOUR_MS;
    const options = { seed, nodes: NODES, durationMs, workload: undefined };
    const { day, observations } = observedDay(options, faults, ['member.suspected']);
    deaths += day.report().falseDeaths;
    suspicions += observations.length;
    progress(`${name}: ${seed} of ${days} days, ${deaths} false deaths`);
  }
  return {
    row: 'false-deaths',
    what: `false deaths, ${NODES} nodes, all with 50-400 ms ${name}, ${hours} simulated cluster-hours`,
    bar: '0',
    measured: `${deaths} (${suspicions} suspicions told, all refuted)`,
    met: deaths === 0 && effort === 'full',
    numbers: { hours, deaths, suspicions },
  };
}
