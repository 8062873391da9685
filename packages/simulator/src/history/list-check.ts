import { HistoryError } from './history-error.ts';
import type { HistoryEvent } from './history-event.ts';
import { operationsOf } from './history-pairing.ts';
import type { HistoryOperation } from './history-pairing.ts';

/** What a list shows that it must not, or lacks. */
export interface ListViolation {
  readonly key: string;
  /** Index of the list's end. */
  readonly index: number;
  /** A sentence. */
  readonly explanation: string;
}

/** One element's life as clients know it: indices of events, infinite for never. */
interface Life {
  addBegan: number;
  /** When it was certainly there: acknowledged, or seen in a list. */
  known: number;
  removeBegan: number;
  removed: number;
}

/**
 * Judges lists of sets whose elements are added once, perhaps removed once, and never added again:
 * `add` and `remove` are asked with an element, `list` answers all of them, in one page or many.
 *
 * Whatever was acknowledged, or listed, before a list began is in it, unless its removal had begun
 * before the list ended. Nothing is in it that nobody had begun to add, that was removed before it
 * began, or that is in it already. Of lists at `one` only the first and the last of these is judged:
 * a replica may be behind.
 *
 * @throws HistoryError naming everything that makes this no history of lists.
 */
export function checkLists(events: readonly HistoryEvent[]): readonly ListViolation[] {
  const operations = operationsOf(events);
  const problems = operations.flatMap(shapeProblems);
  if (problems.length > 0) throw new HistoryError(problems);
  const byKey = Map.groupBy(operations, ({ invoke }) => invoke.key ?? '');
  return [...byKey].flatMap(([key, ofKey]) => violationsOf(key, ofKey));
}

function violationsOf(key: string, operations: readonly HistoryOperation[]): ListViolation[] {
  const lives = livesOf(operations);
  const lists = operations
    .filter(({ invoke, outcome }) => invoke.f === 'list' && outcome === 'ok')
    .toSorted((a, b) => endOf(a) - endOf(b));
  return lists.flatMap((list) => {
    const index = endOf(list);
    const found = [...strangersIn(list, lives), ...missingIn(list, lives)];
    return found.map((explanation) => ({ key, index, explanation }));
  });
}

function livesOf(operations: readonly HistoryOperation[]): ReadonlyMap<string, Life> {
  const lives = new Map<string, Life>();
  for (const operation of operations) {
    const { invoke, outcome } = operation;
    if (invoke.f === 'list' || outcome === 'fail') continue;
    const life = lifeOf(lives, String(invoke.value));
    const known = outcome === 'ok' ? endOf(operation) : Infinity;
    if (invoke.f === 'add') {
      life.addBegan = Math.min(life.addBegan, invoke.index);
      life.known = Math.min(life.known, known);
    } else {
      life.removeBegan = Math.min(life.removeBegan, invoke.index);
      life.removed = Math.min(life.removed, known);
    }
  }
  // Who saw it once, at a level that goes forward, may count on it.
  for (const operation of operations) {
    if (operation.invoke.f !== 'list' || isWeak(operation)) continue;
    for (const element of elementsOf(operation)) {
      const life = lives.get(element);
      if (life !== undefined) life.known = Math.min(life.known, endOf(operation));
    }
  }
  return lives;
}

function strangersIn(list: HistoryOperation, lives: ReadonlyMap<string, Life>): readonly string[] {
  const line = `the list of line ${endOf(list) + 1}`;
  const seen = new Set<string>();
  return elementsOf(list).flatMap((element) => {
    if (seen.has(element)) return [`${element} is in ${line} twice.`];
    seen.add(element);
    const life = lives.get(element);
    if (life === undefined || life.addBegan > endOf(list)) {
      return [`${element} is in ${line}, and nobody had added it.`];
    }
    if (isWeak(list) || life.removed > list.invoke.index) return [];
    return [`${element} is in ${line}, and was removed in line ${life.removed + 1}.`];
  });
}

function missingIn(list: HistoryOperation, lives: ReadonlyMap<string, Life>): readonly string[] {
  if (isWeak(list)) return [];
  const elements = new Set(elementsOf(list));
  return [...lives].flatMap(([element, { known, removeBegan }]) => {
    if (known > list.invoke.index || removeBegan < endOf(list) || elements.has(element)) return [];
    const line = `the list of line ${endOf(list) + 1}`;
    return [`${element} is not in ${line}, and was there in line ${known + 1}.`];
  });
}

function lifeOf(lives: Map<string, Life>, element: string): Life {
  const known = lives.get(element);
  if (known !== undefined) return known;
  const life = { addBegan: Infinity, known: Infinity, removeBegan: Infinity, removed: Infinity };
  lives.set(element, life);
  return life;
}

function endOf({ completion }: HistoryOperation): number {
  return completion?.index ?? Infinity;
}

function isWeak({ invoke }: HistoryOperation): boolean {
  return invoke.level === 'one';
}

function elementsOf({ completion, outcome }: HistoryOperation): readonly string[] {
  return outcome === 'ok' ? ((completion?.value ?? []) as readonly string[]) : [];
}

function shapeProblems({ completion, invoke, outcome }: HistoryOperation): readonly string[] {
  const line = `Line ${invoke.index + 1}:`;
  switch (invoke.f) {
    case 'add':
    case 'remove':
      return typeof invoke.value === 'string'
        ? []
        : [`${line} ${invoke.f} needs a "value" that is a text.`];
    case 'list': {
      if (outcome !== 'ok') return [];
      const value: unknown = completion?.value;
      if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return [];
      return [
        `Line ${endOf({ completion, invoke, outcome }) + 1}: a list needs a "value" of texts.`,
      ];
    }
    default:
      return [`${line} "${invoke.f}" is none of add, remove and list.`];
  }
}
