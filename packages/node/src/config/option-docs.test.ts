import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionHelp } from './option-help.ts';
import { OPTION_NAMES } from './option-table.ts';

const DOCUMENT = new URL('../../../../docs/operations/configuration.md', import.meta.url);

test('configuration.md lists every option as the table has it, and no other', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `--'));
  const expected = OPTION_NAMES.map((name) => {
    const { flag, environment, defaultText, text } = optionHelp(name);
    return `| \`${flag}\` | \`${environment}\` | \`${name}\` | ${defaultText} | ${text} |`;
  });
  expect(rows).toEqual(expected);
});
