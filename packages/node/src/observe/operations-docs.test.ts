import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_LEVELS, EVENT_NAMES } from './event-levels.ts';
import { METRIC_NAMES, METRICS } from './metric-table.ts';
import type { MetricDefinition } from './metric-table.ts';

const OPERATIONS = new URL('../../../../docs/operations/', import.meta.url);

/** The cells of every table row whose first cell is a name in backticks. */
function rowsOf(document: string): readonly (readonly string[])[] {
  return readFileSync(new URL(document, OPERATIONS), 'utf8')
    .split('\n')
    .filter((line) => /^\| `[^`]+` \|/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .map(([name = '', ...rest]) => [name.replaceAll('`', ''), ...rest]);
}

test('events.md lists every event with its level, and no other', () => {
  const documented = rowsOf('events.md').map(([name, level]) => `${name} ${level}`);
  expect(documented).toEqual(EVENT_NAMES.map((name) => `${name} ${EVENT_LEVELS[name]}`));
});

test('every event in events.md is described', () => {
  for (const [name, , meaning = ''] of rowsOf('events.md')) {
    expect(meaning, name).toMatch(/^[A-Z`].{10,}\.$/);
  }
});

test('metrics.md lists every metric with its type and labels, and no other', () => {
  const documented = rowsOf('metrics.md').map(([name, type, labels]) => [name, type, labels]);
  const defined = METRIC_NAMES.map((name) => {
    const { type, labels = {} }: MetricDefinition = METRICS[name];
    return [name, type, Object.keys(labels).join(', ')];
  });
  expect(documented).toEqual(defined);
});
