import { failingWindow } from './failing-window.ts';
import type { HistoryEvent } from './history-event.ts';
import { describeOperation, describeState, registerOperations } from './register-operation.ts';
import type { RegisterOperation, RegisterState } from './register-operation.ts';
import { searchRegister } from './register-search.ts';

/** One register whose answers no order of its operations explains. */
export interface RegisterViolation {
  readonly key: string;
  /** A few operations that are a violation by themselves, in the order of invocation. */
  readonly window: readonly RegisterOperation[];
  /** Several lines for a reader. */
  readonly explanation: string;
}

/** What a history of registers shows. */
export type RegisterVerdict =
  | { readonly kind: 'valid'; readonly keys: number; readonly steps: number }
  | {
      readonly kind: 'violation';
      readonly steps: number;
      readonly violations: readonly RegisterViolation[];
      /** Keys that were given up: they may be wrong as well. */
      readonly unknownKeys: readonly string[];
    }
  /** No violation was found, and the budget did not suffice for these keys. */
  | { readonly kind: 'unknown'; readonly steps: number; readonly unknownKeys: readonly string[] };

export interface RegisterCheckOptions {
  /**
   * Configurations looked at per key before giving up, default 1,000,000. More decides histories
   * with more operations at the same time and costs about 200 bytes and two microseconds each.
   */
  readonly stepsPerKeyMax?: number;
}

const STEPS_PER_KEY_MAX = 1_000_000;

/**
 * Judges whether registers with `read`, `write`, `cas`, `patch` and `delete` behaved as if each operation
 * took effect at one moment between its beginning and its end.
 *
 * Every register begins absent. A `read` answers the value, or `null` for absent; a `cas` is asked
 * with `[expected, new]`, either of which may be `null` for absent; a `patch` is asked with the fields
 * that it replaces, and answers `null` if there was nothing to patch. An `ok` was applied, a `fail`
 * certainly not, an `info` at any later time or never. The order of events is their order in the
 * list.
 *
 * The algorithm is Wing and Gong's search with Lowe's just-in-time order and remembered
 * configurations ("Testing for linearizability", 2017), key by key as in Porcupine. It counts
 * steps and reads no clock, so that a verdict is the same everywhere.
 *
 * @throws HistoryError naming everything that makes this no history of registers.
 */
export function checkRegisters(
  events: readonly HistoryEvent[],
  options: RegisterCheckOptions = {},
): RegisterVerdict {
  const { stepsPerKeyMax = STEPS_PER_KEY_MAX } = options;
  const violations: RegisterViolation[] = [];
  const unknownKeys: string[] = [];
  let steps = 0;
  const registers = registerOperations(events);
  for (const [key, operations] of registers) {
    const search = searchRegister(operations, stepsPerKeyMax);
    steps += search.steps;
    if (search.kind === 'unknown') unknownKeys.push(key);
    if (search.kind !== 'violation') continue;
    const window = failingWindow(operations, search.stuck);
    violations.push({ key, window, explanation: explain(key, window, search) });
  }
  if (violations.length > 0) return { kind: 'violation', steps, violations, unknownKeys };
  if (unknownKeys.length > 0) return { kind: 'unknown', steps, unknownKeys };
  return { kind: 'valid', keys: registers.size, steps };
}

function explain(
  key: string,
  window: readonly RegisterOperation[],
  search: { readonly stuck: RegisterOperation; readonly states: readonly RegisterState[] },
): string {
  const { stuck, states } = search;
  const held = states.map(describeState).join(' or ');
  const lines = window.map((operation) => {
    const until = operation.to === Infinity ? 'end unknown' : `to ${operation.to + 1}`;
    return `  lines ${operation.from + 1} ${until}: ${describeOperation(operation)}`;
  });
  return [
    `No order explains key ${JSON.stringify(key)}.`,
    `By line ${stuck.to + 1}, where ${describeOperation(stuck)}, it can only have held ${held}.`,
    'These operations alone contradict each other:',
    ...lines,
  ].join('\n');
}
