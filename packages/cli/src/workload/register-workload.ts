import { isClusterError, type Found, type Namespace } from '@memgrid/client';
import { checkRegisters, type HistoryEvent } from '@memgrid/simulator';
import type { Ended } from './history-log.ts';
import {
  recorded,
  type Pacer,
  type Workload,
  type WorkloadOptions,
  type WorkloadVerdict,
} from './workload.ts';

/**
 * Operations on one register before another takes its place. The search for an order is
 * exponential in what is open at the same time, and unknown outcomes stay open for ever: short
 * histories are decided, long ones are given up.
 */
const OPERATIONS_PER_KEY = 250;

/** Reads, writes and compare-and-sets of a few registers, judged as linearizable. */
export class RegisterWorkload implements Workload {
  readonly #options: WorkloadOptions;
  readonly #generations: { generation: number; operations: number }[];
  #value = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#generations = Array.from({ length: options.keys }, () => ({
      generation: 0,
      operations: 0,
    }));
  }

  async client(pacer: Pacer): Promise<void> {
    const { open, namespace, processes } = this.#options;
    const grid = await open();
    try {
      const entries = grid.namespace(namespace);
      let process = processes.take();
      const seen = new Map<string, number | null>();
      while (await pacer.turn()) {
        const { ok, unknown } = await this.#operate(entries, process, seen);
        if (!ok && unknown) process = processes.take();
      }
    } finally {
      await grid.close();
    }
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  judge(events: readonly HistoryEvent[]): WorkloadVerdict {
    const verdict = checkRegisters(events);
    const { steps } = verdict;
    switch (verdict.kind) {
      case 'valid':
        return { kind: 'valid', problems: [], facts: { registers: verdict.keys, steps } };
      case 'violation': {
        const problems = verdict.violations.map(({ explanation }) => explanation);
        return { kind: 'violation', problems, facts: { steps, violations: problems.length } };
      }
      case 'unknown': {
        const problems = verdict.unknownKeys.map((key) => `${key} could not be decided.`);
        return { kind: 'unknown', problems, facts: { steps } };
      }
    }
  }

  async #operate(
    entries: Namespace,
    process: number,
    seen: Map<string, number | null>,
  ): Promise<{ ok: boolean; unknown: boolean }> {
    const { log, random, read: level } = this.#options;
    const key = this.#key();
    const ref = { id: `${this.#options.runId}-${key}` };
    const begun = { process, key, level };
    const draw = random();
    if (draw < 0.5) {
      const attempt = await recorded(log, { ...begun, f: 'read' }, async () => {
        const found = await entries.get(ref, { read: level });
        const value = valueOf(found);
        seen.set(key, value);
        return { value };
      });
      return { unknown: false, ...attempt };
    }
    const value = (this.#value += 1);
    const entry = { ...ref, content: String(value) };
    if (draw < 0.75) {
      const attempt = await recorded(log, { ...begun, f: 'write', value }, async () => {
        await entries.put(entry);
        seen.set(key, value);
        return {};
      });
      return { unknown: false, ...attempt };
    }
    const expected = seen.get(key) ?? null;
    const cas = { ...begun, f: 'cas', value: [expected, value] } as const;
    const attempt = await recorded(log, cas, () => swap(entries, entry, { expected, level }));
    if (attempt.ok) seen.set(key, value);
    else seen.delete(key);
    return { unknown: false, ...attempt };
  }

  /** A register of the present generation; after enough operations the next one begins, absent. */
  #key(): string {
    const at = Math.floor(this.#options.random() * this.#generations.length);
    const slot = this.#generations[at];
    if (slot === undefined) return 'k0';
    slot.operations += 1;
    if (slot.operations > OPERATIONS_PER_KEY) {
      slot.generation += 1;
      slot.operations = 1;
    }
    return `k${at}.${slot.generation}`;
  }
}

/**
 * Compares values by way of versions: the version that was read with the expected value must still
 * be the stored one when the new value takes its place.
 */
async function swap(
  entries: Namespace,
  entry: { readonly id: string; readonly content: string },
  { expected, level }: { expected: number | null; level: 'one' | 'quorum' | 'strong' },
): Promise<Ended | 'fail' | 'missed'> {
  const before = await beforeSwap(entries, entry.id, level);
  if (before === 'fail') return 'fail';
  if (valueOf(before) !== expected) return 'missed';
  try {
    const condition = before === undefined ? { ifAbsent: true } : { ifVersion: before.version };
    await entries.put(entry, condition);
    return {};
  } catch (error) {
    if (isClusterError(error, 'VERSION_CONFLICT')) return 'missed';
    throw error;
  }
}

/** Nothing was written yet, so a read that failed is a swap that was not applied. */
async function beforeSwap(
  entries: Namespace,
  id: string,
  level: 'one' | 'quorum' | 'strong',
): Promise<Found | undefined | 'fail'> {
  try {
    // A stale value would only make the swap fail more often, but never wrong.
    return await entries.get({ id }, { read: level });
  } catch (error) {
    if (isClusterError(error)) return 'fail';
    throw error;
  }
}

function valueOf(found: Found | undefined): number | null {
  return found === undefined ? null : Number(found.entry.content);
}
