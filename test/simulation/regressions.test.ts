import { readdirSync, readFileSync } from 'node:fs';
import { parseScenario, replay } from '@memgrid/simulator';
import { expect, test } from 'vitest';

const FOLDER = new URL('../../packages/simulator/regressions/', import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

test('there are recorded days to repeat', () => {
  expect(files).not.toEqual([]);
});

test.each(files)('%s stays mended', (file) => {
  const scenario = parseScenario(readFileSync(new URL(file, FOLDER), 'utf8'));
  expect(scenario.note).toMatch(/\S/);
  expect(replay(scenario).violations).toEqual([]);
});
