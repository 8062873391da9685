import { searchRegister } from './register-search.ts';
import { ABSENT, partsLeftBy, partsOf } from './register-operation.ts';
import type { RegisterOperation } from './register-operation.ts';

/** Searches that may be spent on making one window smaller. */
const ATTEMPTS_MAX = 400;
/** A smaller history that takes longer than this is not worth finding. */
const STEPS_PER_ATTEMPT_MAX = 20_000;

/**
 * A few operations that no order explains, out of a history of which that is true.
 *
 * The window stands alone: whoever may have left a value that somebody in it saw is in it too, so
 * it is a violation by itself and not one that leaving things out has made. See DESIGN.md, Y5.
 * Usually minimal, never wrong; how much is tried is bounded.
 *
 * @param operations of one register in the order of invocation, not linearizable.
 * @param stuck the operation whose end excludes every order.
 */
export function failingWindow(
  operations: readonly RegisterOperation[],
  stuck: RegisterOperation,
): readonly RegisterOperation[] {
  let window = prefixUntil(operations, stuck.to);
  const writers = writersOf(window);
  let attempts = 0;
  let chunk = Math.ceil(window.length / 2);
  while (chunk >= 1 && attempts < ATTEMPTS_MAX) {
    let smaller = false;
    // From the back: what is earlier explains what is later, so late things go first.
    for (let end = window.length; end > 0 && attempts < ATTEMPTS_MAX; end -= chunk) {
      const rest = [...window.slice(0, Math.max(0, end - chunk)), ...window.slice(end)];
      const candidate = closed(rest, writers);
      if (candidate.length === 0 || candidate.length >= window.length) continue;
      attempts += 1;
      if (searchRegister(candidate, STEPS_PER_ATTEMPT_MAX).kind !== 'violation') continue;
      window = candidate;
      smaller = true;
      end = Math.min(end, window.length + chunk);
    }
    if (!smaller) chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2);
  }
  const chosen = new Set(window.map(({ from }) => from));
  return operations.filter(({ from }) => chosen.has(from));
}

/** What had begun by then. What had not ended may have taken effect, and has shown nothing. */
function prefixUntil(
  operations: readonly RegisterOperation[],
  to: number,
): readonly RegisterOperation[] {
  return operations
    .filter((operation) => operation.from < to && (operation.to <= to || operation.f !== 'read'))
    .map((operation) => (operation.to <= to ? operation : { ...operation, to: Infinity }));
}

/** Without those who depend on a possible writer that is missing, until there are none. */
function closed(
  operations: readonly RegisterOperation[],
  writers: Writers,
): readonly RegisterOperation[] {
  const present = new Set(operations.map(({ from }) => from));
  let kept = operations;
  for (let before = -1; before !== kept.length;) {
    before = kept.length;
    kept = kept.filter((operation) => {
      // Who began after the observer had ended cannot have been its source.
      const sources = sourcesOf(operation, writers).filter((writer) => writer < operation.to);
      if (sources.every((writer) => present.has(writer))) return true;
      // At once, so that a chain of cas falls in one pass and not link by link.
      present.delete(operation.from);
      return false;
    });
  }
  return kept;
}

/** Where operations began that leave something. */
interface Writers {
  /** By a part of what they leave. */
  readonly byPart: ReadonlyMap<string, readonly number[]>;
  /** Those that leave something where there may have been nothing, which a patch depends on. */
  readonly makers: readonly number[];
}

function sourcesOf({ patch, sees }: RegisterOperation, writers: Writers): readonly number[] {
  if (patch !== undefined) return writers.makers;
  if (sees === undefined) return [];
  return partsOf(sees).flatMap((part) => writers.byPart.get(part) ?? []);
}

function writersOf(operations: readonly RegisterOperation[]): Writers {
  const byPart = new Map<string, number[]>();
  const makers: number[] = [];
  for (const operation of operations) {
    const { from, leaves } = operation;
    if (leaves !== undefined && leaves !== ABSENT) makers.push(from);
    for (const part of partsLeftBy(operation)) {
      const list = byPart.get(part) ?? [];
      list.push(from);
      byPart.set(part, list);
    }
  }
  return { byPart, makers };
}
