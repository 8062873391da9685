import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { BATCH_ENTRIES } from './dataset.ts';
import type { RunLoad } from './run-load.ts';
import { WORKLOADS } from './subject.ts';

/** What a load may be asked for: each with its limits, of which both belong to it. */
export const LOAD_LIMITS = {
  seconds: { min: 0.1, max: 86_400 },
  warmupSeconds: { min: 0, max: 3_600 },
  inFlight: { min: 1, max: 65_536 },
  rate: { min: 1, max: 1_000_000 },
  watchers: { min: 1, max: 1_000 },
  rounds: { min: 1, max: 1_000 },
} as const;

/** The part of a load that can make no sense. */
export type CheckedLoad = Pick<RunLoad, 'inFlight' | 'rate'> & {
  readonly subject: Pick<RunLoad['subject'], 'name' | 'workloads'>;
  readonly load: Pick<
    RunLoad['load'],
    'workload' | 'seconds' | 'warmupSeconds' | 'watchers' | 'dataset'
  >;
};

/** @throws CommandError BAD_LOAD that names every option that makes no sense, its value and its limit. */
export function checkLoad({ subject, load, inFlight, rate }: CheckedLoad): void {
  const { workload, seconds, warmupSeconds, watchers, dataset } = load;
  const problems = [
    ...outside('seconds', seconds),
    ...outside('warmupSeconds', warmupSeconds),
    ...outside('inFlight', inFlight),
    ...(rate === undefined ? [] : outside('rate', rate)),
    ...(watchers === undefined ? [] : outside('watchers', watchers)),
    ...unknownWorkload(workload, subject.name, subject.workloads),
    ...(workload === 'cas' && inFlight > dataset.count
      ? [
          `inFlight is ${inFlight}; of cas there is one for each of ${dataset.count} entries at most`,
        ]
      : []),
    ...(workload === 'batch' && dataset.count < BATCH_ENTRIES
      ? [`the dataset has ${dataset.count} entries; a batch has ${BATCH_ENTRIES}`]
      : []),
  ];
  refuse(problems);
}

/** @throws CommandError BAD_LOAD when there are none, or more than anybody waits for. */
export function checkRounds(rounds: number): void {
  refuse(outside('rounds', rounds));
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new CommandError('BAD_LOAD', `This cannot be measured: ${problems.join('; ')}.`, {
    exitCode: EXIT.usage,
  });
}

function outside(name: keyof typeof LOAD_LIMITS, value: number): readonly string[] {
  const { min, max } = LOAD_LIMITS[name];
  if (value >= min && value <= max) return [];
  return [`${name} is ${value}; it must be from ${min} to ${max}`];
}

function unknownWorkload(
  workload: string,
  name: string,
  offered: ReadonlySet<string>,
): readonly string[] {
  if (offered.has(workload)) return [];
  if (!(WORKLOADS as readonly string[]).includes(workload)) {
    return [`there is no workload ${workload}; there are ${WORKLOADS.join(', ')}`];
  }
  return [`${name} cannot do ${workload}; it can do ${[...offered].join(', ')}`];
}
