import type { ReadLevel, SyncClass } from '@memgrid/client';
import { counted } from '../progress/progress-bar.ts';
import type { Dataset } from './dataset.ts';
import type { LoadPlan } from './rounds.ts';

export interface MeasuredHow {
  readonly plans: readonly LoadPlan[];
  readonly dataset: Pick<Dataset, 'count' | 'bytesMean'>;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly sync: SyncClass;
  readonly read: ReadLevel;
}

const ACKNOWLEDGED: Readonly<Record<SyncClass, string>> = {
  memory: 'when a majority has it in memory',
  os: 'when a majority has handed it to its operating system',
  disk: 'when a majority has it on disk',
};

/** What somebody needs beside a table of `memgrid bench` to read it: what was asked for, and the units. */
export function readingAid(how: MeasuredHow): readonly string[] {
  const { plans, dataset, rounds, seconds, warmupSeconds, sync, read } = how;
  const times =
    rounds === 1 ? `${seconds} s` : `${rounds} rounds of ${seconds} s, medians and range`;
  const closed = plans.some(({ loop }) => loop.kind === 'closed');
  return [
    `${times}, each after ${warmupSeconds} s of warm-up; ${counted(dataset.count)} entries of about ` +
      `${counted(dataset.bytesMean)} bytes. A write is acknowledged ${ACKNOWLEDGED[sync]}; reads at "${read}".`,
    'Latencies in milliseconds; client µs: processor time of this process for each operation.',
    ...(closed
      ? [
          'Calls in flight keep the cluster full, so these latencies are its worst; --rate <n> shows those of a user.',
        ]
      : ['Each latency counts from the moment at which its call was due.']),
  ];
}
