import type { ScheduledFault } from './fault.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';
import type { SimulationReport } from './simulate.ts';

/** Whether a scenario still shows what is looked for. */
export type StillFails = (scenario: Scenario) => boolean;

export interface ShrinkResult {
  readonly scenario: Scenario;
  /** Days that were simulated to get there. */
  readonly runs: number;
}

const RUNS_MAX = 500;
const NODES_MIN = 1;
/** Time left after the violation, so that it is still inside the day. */
const MARGIN_MS = 1_000;

/**
 * Makes a failing day as small as it gets while it still fails: fewer faults first (delta
 * debugging, Zeller and Hildebrandt 2002), then shorter faults, fewer nodes and a shorter day.
 */
export function shrink(
  scenario: Scenario,
  stillFails: StillFails = sameChecker(scenario),
): ShrinkResult {
  const shrinker = new Shrinker(scenario, stillFails);
  return shrinker.run();
}

/** The day that a report describes, as a scenario that can be kept in a file. */
export function scenarioOf(report: SimulationReport): Scenario {
  const [violation] = report.violations;
  const { durationMs, nodes, schedule, seed, shortLogs } = report;
  return {
    seed,
    nodes,
    durationMs,
    faults: schedule,
    ...(shortLogs ? { shortLogs } : {}),
    ...(violation === undefined
      ? {}
      : { note: `${violation.checker}: ${firstLine(violation.message)}` }),
  };
}

/** Runs a scenario as `simulate` would have run the day it came from. */
export function replay(scenario: Scenario): SimulationReport {
  const { durationMs, faults, nodes, seed, shortLogs = false } = scenario;
  return simulate({ seed, nodes, durationMs, faults: { kind: 'schedule', faults, shortLogs } });
}

/** A stack trace says where the program stood, which is no part of the day. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** The same property is broken: another violation would be another bug. */
function sameChecker(scenario: Scenario): StillFails {
  const checker = replay(scenario).violations[0]?.checker;
  return (smaller) => checker !== undefined && replay(smaller).violations[0]?.checker === checker;
}

class Shrinker {
  readonly #stillFails: StillFails;
  #best: Scenario;
  #runs = 0;

  constructor(scenario: Scenario, stillFails: StillFails) {
    this.#best = scenario;
    this.#stillFails = stillFails;
  }

  run(): ShrinkResult {
    for (;;) {
      const before = this.#best;
      this.#dropFaults();
      this.#shortenFaults();
      this.#dropNodes();
      this.#shortenDay();
      if (this.#best === before || this.#runs >= RUNS_MAX) break;
    }
    return { scenario: this.#best, runs: this.#runs };
  }

  #try(candidate: Scenario): boolean {
    if (this.#runs >= RUNS_MAX) return false;
    this.#runs += 1;
    if (!this.#stillFails(candidate)) return false;
    this.#best = candidate;
    return true;
  }

  /** Leaves out larger parts of the schedule first, then smaller ones, down to single faults. */
  #dropFaults(): void {
    let size = Math.ceil(this.#best.faults.length / 2);
    while (size >= 1 && this.#best.faults.length > 0) {
      let dropped = false;
      for (let at = 0; at < this.#best.faults.length;) {
        const { faults } = this.#best;
        const rest = [...faults.slice(0, at), ...faults.slice(at + size)];
        if (this.#try({ ...this.#best, faults: rest })) dropped = true;
        else at += size;
      }
      if (size === 1 && !dropped) return;
      size = dropped ? Math.min(size, this.#best.faults.length) : Math.floor(size / 2);
    }
  }

  #shortenFaults(): void {
    for (let at = 0; at < this.#best.faults.length; at += 1) {
      for (;;) {
        const fault = this.#best.faults[at] as ScheduledFault;
        if (!('forMs' in fault) || fault.forMs === undefined || fault.forMs < 2) break;
        const shorter = { ...fault, forMs: Math.floor(fault.forMs / 2) };
        const faults = this.#best.faults.map((other, index) => (index === at ? shorter : other));
        if (!this.#try({ ...this.#best, faults })) break;
      }
    }
  }

  /** From the last node down: the others keep their names. */
  #dropNodes(): void {
    while (this.#best.nodes > NODES_MIN) {
      const last = `n${this.#best.nodes}`;
      const named = this.#best.faults.some((fault) => JSON.stringify(fault).includes(`"${last}"`));
      if (named || !this.#try({ ...this.#best, nodes: this.#best.nodes - 1 })) return;
    }
  }

  #shortenDay(): void {
    const violation = replay(this.#best).violations[0];
    if (violation === undefined || violation.atMs > this.#best.durationMs) return;
    const durationMs = Math.ceil(violation.atMs + MARGIN_MS);
    if (durationMs < this.#best.durationMs) this.#try({ ...this.#best, durationMs });
  }
}
