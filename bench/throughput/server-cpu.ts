import { readFileSync } from 'node:fs';

/**
 * What the kernel counts in, of a second: `USER_HZ`, which is 100 on every architecture that Node
 * runs on (see proc(5)).
 */
const TICK_US = 10_000;

/** Microseconds of processor time that these processes have used so far; undefined without `/proc`. */
export function cpuUsOf(pids: readonly number[]): number | undefined {
  let ticks = 0;
  for (const pid of pids) {
    const used = ticksOf(`/proc/${pid}/stat`);
    if (used === undefined) return undefined;
    ticks += used;
  }
  return ticks * TICK_US;
}

/** Microseconds of all processors so far: what anybody used, and what nobody did. */
export interface MachineCpu {
  readonly busyUs: number;
  readonly idleUs: number;
}

/** Undefined without `/proc`. */
export function machineCpu(): MachineCpu | undefined {
  const line = read('/proc/stat')?.split('\n')[0];
  if (line === undefined) return undefined;
  // user nice system idle iowait irq softirq steal; what guests use is in user already.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    line.split(/\s+/).slice(1).map(Number);
  return {
    busyUs: (user + nice + system + irq + softirq + steal) * TICK_US,
    idleUs: (idle + iowait) * TICK_US,
  };
}

function ticksOf(file: string): number | undefined {
  const text = read(file);
  if (text === undefined) return undefined;
  // The name of the program is in brackets and may hold anything, so counting begins behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended, or this is no Linux: nothing is known of it.
    return undefined;
  }
}
