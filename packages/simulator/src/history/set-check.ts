import { HistoryError } from './history-error.ts';
import type { HistoryEvent, HistoryValue } from './history-event.ts';
import { operationsOf } from './history-pairing.ts';
import type { HistoryOperation } from './history-pairing.ts';

/** An element of a set: text or a number. */
export type SetElement = string | number;

/** What a history of sets shows, over all keys. */
export type SetVerdict =
  | { readonly kind: 'valid'; readonly counts: SetCounts }
  | {
      readonly kind: 'violation';
      readonly counts: SetCounts;
      /** A sentence each. */
      readonly problems: readonly string[];
    }
  /** Nothing wrong was seen, but these keys had no read after their last acknowledged add. */
  | {
      readonly kind: 'unknown';
      readonly counts: SetCounts;
      readonly unreadKeys: readonly string[];
    };

export interface SetCounts {
  /** Adds that ended `ok`. */
  readonly acknowledged: number;
  /** Adds of unknown outcome whose element was in the final read. */
  readonly recovered: number;
  /** Acknowledged elements that the final read lacks. */
  readonly lost: number;
  /** Elements in any read that nobody can have added before it ended. */
  readonly unexpected: number;
}

/**
 * Judges sets that are only added to: `add` is asked with an element, `read` answers all of them.
 *
 * Every acknowledged add must be in the final read of its key, the last one that is `ok`. An
 * element must not appear, in any read, unless an add of it had begun that did not certainly fail.
 * An add of unknown outcome may appear or not. Nobody may appear twice.
 *
 * @throws HistoryError naming everything that makes this no history of sets.
 */
export function checkSet(events: readonly HistoryEvent[]): SetVerdict {
  const operations = operationsOf(events);
  const shapes = operations.flatMap(shapeProblems);
  if (shapes.length > 0) throw new HistoryError(shapes);
  const problems: string[] = [];
  const unreadKeys: string[] = [];
  const counts = { acknowledged: 0, recovered: 0, lost: 0, unexpected: 0 };
  for (const [key, ofKey] of Map.groupBy(operations, ({ invoke }) => invoke.key ?? '')) {
    const found = checkKey(ofKey);
    problems.push(...found.problems.map((problem) => `Key ${JSON.stringify(key)}: ${problem}`));
    counts.acknowledged += found.counts.acknowledged;
    counts.recovered += found.counts.recovered;
    counts.lost += found.counts.lost;
    counts.unexpected += found.counts.unexpected;
    if (found.unread) unreadKeys.push(key);
  }
  if (problems.length > 0) return { kind: 'violation', counts, problems };
  if (unreadKeys.length > 0) return { kind: 'unknown', counts, unreadKeys };
  return { kind: 'valid', counts };
}

interface KeyFindings {
  readonly problems: readonly string[];
  readonly counts: SetCounts;
  readonly unread: boolean;
}

function checkKey(operations: readonly HistoryOperation[]): KeyFindings {
  const adds = operations.filter(({ invoke, outcome }) => invoke.f === 'add' && outcome !== 'fail');
  const begun = new Map<SetElement, number>();
  for (const { invoke } of adds) {
    const element = invoke.value as SetElement;
    if (!begun.has(element)) begun.set(element, invoke.index);
  }
  const reads = operations.filter(({ invoke, outcome }) => invoke.f === 'read' && outcome === 'ok');
  const strange = reads.flatMap((read) => strangeElements(read, begun));
  const acknowledged = adds.filter(({ outcome }) => outcome === 'ok');
  const final = reads.at(-1);
  const finalFrom = final?.invoke.index ?? -1;
  const elements = new Set(elementsOf(final));
  // An add that ended after the final read began may have come too late for it.
  const due = acknowledged.filter(({ completion }) => (completion?.index ?? 0) < finalFrom);
  const lost = due.filter(({ invoke }) => !elements.has(invoke.value as SetElement));
  const recovered = adds.filter(
    ({ outcome, invoke }) => outcome === 'unknown' && elements.has(invoke.value as SetElement),
  );
  return {
    problems: [
      ...strange.map(({ problem }) => problem),
      ...lost.map(({ invoke, completion }) => {
        const where = `acknowledged in line ${(completion?.index ?? 0) + 1}`;
        return `${JSON.stringify(invoke.value)}, ${where}, is not in the final read of line ${finalFrom + 1}.`;
      }),
    ],
    counts: {
      acknowledged: acknowledged.length,
      recovered: recovered.length,
      lost: lost.length,
      unexpected: strange.filter(({ twice }) => !twice).length,
    },
    unread: due.length < acknowledged.length,
  };
}

interface Strange {
  readonly problem: string;
  readonly twice: boolean;
}

function strangeElements(
  read: HistoryOperation,
  begun: ReadonlyMap<SetElement, number>,
): readonly Strange[] {
  const line = (read.completion?.index ?? 0) + 1;
  const seen = new Set<SetElement>();
  return elementsOf(read).flatMap((element): readonly Strange[] => {
    const shown = JSON.stringify(element);
    if (seen.has(element)) {
      return [{ problem: `the read of line ${line} has ${shown} twice.`, twice: true }];
    }
    seen.add(element);
    const from = begun.get(element) ?? Infinity;
    if (from < line - 1) return [];
    const problem = `the read of line ${line} has ${shown}, which nobody had added.`;
    return [{ problem, twice: false }];
  });
}

function elementsOf(read: HistoryOperation | undefined): readonly SetElement[] {
  return (read?.completion?.value ?? []) as readonly SetElement[];
}

function shapeProblems({ invoke, completion, outcome }: HistoryOperation): readonly string[] {
  switch (invoke.f) {
    case 'add':
      return isElement(invoke.value)
        ? []
        : [`Line ${invoke.index + 1}: an add needs a "value" that is a text or a number.`];
    case 'read': {
      if (outcome !== 'ok') return [];
      const value: unknown = completion?.value;
      if (Array.isArray(value) && value.every(isElement)) return [];
      const line = (completion?.index ?? 0) + 1;
      return [`Line ${line}: a read of a set needs a "value" that lists texts and numbers.`];
    }
    default:
      return [`Line ${invoke.index + 1}: "${invoke.f}" is none of add and read.`];
  }
}

function isElement(value: HistoryValue | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
