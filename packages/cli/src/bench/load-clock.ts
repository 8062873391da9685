import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

/** Time as a load generator sees it, so that tests can move it by hand. */
export interface LoadClock {
  /** Milliseconds of a clock that does not go back. */
  nowMs(): number;
  /** Microseconds of processor time of this process so far. */
  cpuUs(): number;
  /** Calls back once, not before so many milliseconds; what is returned takes it back. */
  after(ms: number, callback: () => void): () => void;
  /** Lets everything else that waits for this process have its turn. */
  turn(): Promise<void>;
}

export const SYSTEM_CLOCK: LoadClock = {
  nowMs: () => performance.now(),
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  turn: () => turnOfTheLoop(),
};
