import { expect, test } from 'vitest';
import { helpText, optionHelp, showValue } from './option-help.ts';
import { OPTION_NAMES } from './option-table.ts';

test('help shows every option with its flag, variable, default and key, within the width', () => {
  const help = helpText(80);
  for (const name of OPTION_NAMES) {
    const { flag, environment } = optionHelp(name);
    expect(help).toContain(`  ${flag}`);
    expect(help).toContain(`${environment}, "${name}"`);
  }
  const bodies = help.split('\n').filter((line) => line.startsWith('      '));
  expect(Math.max(...bodies.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('a secret is never shown, an empty value is named', () => {
  expect(showValue('token', 'a-secret-of-good-length')).toBe('(set)');
  expect(showValue('token', '')).toBe('(none)');
  expect(showValue('seeds', [])).toBe('(none)');
  expect(showValue('seeds', ['a:1', 'b:2'])).toBe('a:1,b:2');
  expect(showValue('insecureNetwork', false)).toBe('false');
});
