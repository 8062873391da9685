import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withTable } from '../../bench/record.ts';

test('the table in bench/README.md says what the recorded baselines say', () => {
  const readme = readFileSync(new URL('../../bench/README.md', import.meta.url), 'utf8');
  expect(readme).toContain('| what | bar | measured | met | commit |');
  expect(withTable(readme)).toBe(readme);
});
