import { checkLoad } from './check-load.ts';
import type { LoadClock } from './load-clock.ts';
import { LoadMeter } from './load-meter.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadResult } from './load-result.ts';
import type { Subject } from './subject.ts';
import { WatchMeter } from './watch-meter.ts';

export interface RunLoad {
  readonly subject: Subject;
  readonly load: LoadOptions;
  readonly clock: LoadClock;
  /** At most. */
  readonly inFlight: number;
  /** Of an open loop. */
  readonly rate?: number;
}

/** What a load does to its subject. */
export type RunOperation = Subject['run'];

/** What makes operations begin, until it is told to stop. */
export interface Drive {
  /** Returns how many were due and had not begun. Idempotent. */
  stop(): number;
}

export type MakeDrive = (meter: LoadMeter, run: RunOperation) => Drive;

/** Warms up, measures, waits for what is under way, and says what happened. */
export async function runLoad(load: RunLoad, makeDrive: MakeDrive): Promise<LoadResult> {
  checkLoad(load);
  const { subject } = load;
  if (load.load.workload !== 'watch') {
    return await measured(load, (meter) => makeDrive(meter, (it) => subject.run(it)));
  }
  const watch = new WatchMeter(load);
  try {
    await watch.open();
    return await measured(load, (meter) => makeDrive(meter, (it) => watch.change(it)), watch);
  } finally {
    await watch.close();
  }
}

async function measured(
  { subject, load, clock, rate }: RunLoad,
  drive: (meter: LoadMeter) => Drive,
  watch?: WatchMeter,
): Promise<LoadResult> {
  const meter = new LoadMeter({ subject, load, clock });
  watch?.follow(meter);
  meter.start();
  const driver = drive(meter);
  try {
    await meter.over;
  } finally {
    meter.notBegun(driver.stop());
  }
  await meter.drain();
  const heard = await watch?.finish();
  return meter.result({ rate, watch: heard });
}
