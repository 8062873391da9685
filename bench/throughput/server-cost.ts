import type { Measurement } from '../measurement.ts';
import { readBaseline } from '../record.ts';
import { isMemgrid, partialText } from './bars.ts';
import type { Comparison } from './comparison.ts';

/** What a number may differ from one run to the next without that anything has changed. */
const NOISE = 1.05;

interface ServerCost {
  readonly row: string;
  /** `one node, memory`. */
  readonly where: string;
}

/** What the nodes use for each operation, beside what they used when it was last recorded. */
export function serverCost({ row, where }: ServerCost, { rows }: Comparison): Measurement {
  const what = `processor time of the nodes for each operation, ${where}`;
  const before = readBaseline(row)?.rows.find((recorded) => recorded.what === what);
  const own = rows.filter(isMemgrid);
  const costs = own.flatMap(({ plan, numbers }) =>
    numbers?.serverCpuUs === undefined ? [] : [[plan.workload, numbers.serverCpuUs] as const],
  );
  const texts = costs.map(([workload, us]) => {
    const last = before?.numbers[workload];
    return `${workload} ${us.toFixed(1)} µs${last === undefined ? '' : ` (last time ${last.toFixed(1)})`}`;
  });
  const others = rows
    .filter((one) => !isMemgrid(one) && one.numbers?.serverCpuUs !== undefined)
    .map((one) => `${one.subject} ${one.plan.workload} ${one.numbers?.serverCpuUs?.toFixed(1)} µs`);
  const problems = own.flatMap(partialText);
  if (costs.length < own.length) problems.push('of some loads the processor time is not known');
  const isPartial = problems.length > 0;
  return {
    row,
    what,
    bar: 'recorded, and not above the last time',
    measured: [...(isPartial ? ['partial'] : []), texts.join(', '), others.join(', ')].join('; '),
    met:
      !isPartial &&
      costs.every(([workload, us]) => us <= NOISE * (before?.numbers[workload] ?? Infinity)),
    ...(isPartial ? { partial: problems.join('; ') } : {}),
    numbers: Object.fromEntries(costs),
  };
}
