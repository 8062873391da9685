import { HistoryError } from './history-error.ts';
import type { HistoryEvent } from './history-event.ts';
import { pairingProblems } from './history-pairing.ts';

const TYPES: readonly unknown[] = ['invoke', 'ok', 'fail', 'info'];

/** The fields in the order in which they are written, and what each must be. */
const FIELDS: Readonly<Record<keyof HistoryEvent, Field>> = {
  index: { required: true, wanted: 'a whole number of at least 0', holds: isCount },
  process: { required: true, wanted: 'a whole number of at least 0', holds: isCount },
  type: { required: true, wanted: 'invoke, ok, fail or info', holds: (v) => TYPES.includes(v) },
  f: { required: true, wanted: 'a text that is not empty', holds: (v) => isText(v) && v !== '' },
  key: { required: false, wanted: 'a text', holds: isText },
  value: { required: false, wanted: 'JSON', holds: () => true },
  time: { required: true, wanted: 'a whole number of at least 0', holds: isCount },
  node: { required: false, wanted: 'a text', holds: isText },
  level: { required: false, wanted: 'a text', holds: isText },
  token: { required: false, wanted: 'a text', holds: isText },
  version: { required: false, wanted: 'a list of whole numbers of at least 0', holds: isVersion },
};

interface Field {
  readonly required: boolean;
  readonly wanted: string;
  readonly holds: (value: unknown) => boolean;
}

/**
 * Reads a whole history: one JSON object a line, ended by a line feed.
 *
 * Nothing is repaired: a misspelt field or a line that was cut off by a crash would make a checker
 * judge a history that never happened. Operations without an end are allowed, their outcome is
 * unknown.
 *
 * @throws HistoryError naming every problem at once, each with its line, counted from 1.
 */
export function parseHistory(text: string): readonly HistoryEvent[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const problems: string[] = [];
  const events: HistoryEvent[] = [];
  lines.forEach((line, at) => {
    const event = eventOf(line, at + 1, problems);
    if (event !== undefined) events.push(event);
  });
  // After a lost line the pairing would only repeat the first problem in other words.
  if (problems.length === 0) problems.push(...pairingProblems(events));
  if (problems.length > 0) throw new HistoryError(problems);
  return events;
}

/** The line that `parseHistory` reads back, with its line feed. For writing while it happens. */
export function formatHistoryEvent(event: HistoryEvent): string {
  const fields = Object.keys(FIELDS) as readonly (keyof HistoryEvent)[];
  const written = fields.filter((name) => event[name] !== undefined);
  return `{${written.map((name) => `"${name}":${JSON.stringify(event[name])}`).join(',')}}\n`;
}

/** The file that `parseHistory` reads back. */
export function formatHistory(events: readonly HistoryEvent[]): string {
  return events.map(formatHistoryEvent).join('');
}

function eventOf(line: string, number: number, problems: string[]): HistoryEvent | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch (error) {
    problems.push(`Line ${number} is not JSON: ${(error as Error).message}.`);
    return undefined;
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    problems.push(`Line ${number} must be an object.`);
    return undefined;
  }
  const found = fieldProblems(raw as Readonly<Record<string, unknown>>);
  problems.push(...found.map((problem) => `Line ${number}: ${problem}`));
  return found.length === 0 ? (raw as HistoryEvent) : undefined;
}

function fieldProblems(raw: Readonly<Record<string, unknown>>): readonly string[] {
  const unknown = Object.keys(raw)
    .filter((name) => !Object.hasOwn(FIELDS, name))
    .map((name) => `"${name}" is not part of a history.`);
  const wrong = Object.entries(FIELDS).flatMap(([name, { required, wanted, holds }]) => {
    if (!Object.hasOwn(raw, name)) return required ? [`"${name}" is missing.`] : [];
    const value = raw[name];
    return holds(value) ? [] : [`"${name}" (${JSON.stringify(value)}) must be ${wanted}.`];
  });
  return [...unknown, ...wrong];
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isVersion(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCount);
}
