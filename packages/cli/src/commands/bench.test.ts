import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';

test.each([
  ['a rate of nothing', ['--rate', '0'], /'--rate <n>' argument '0' .*from 1 to 1000000/],
  ['nothing in flight', ['--in-flight', '0'], /'--in-flight <n>' argument '0' .*from 1 to 65536/],
  ['negative time', ['--seconds', '-1'], /'--seconds <n>' argument '-1' .*from 1 to 86400/],
  ['no rounds', ['--rounds', '0'], /'--rounds <n>' argument '0' .*from 1 to 1000/],
  ['nobody who listens', ['--watchers', '0'], /'--watchers <n>' argument '0' .*from 1 to 1000/],
  ['too few entries', ['--entries', '99'], /'--entries <n>' argument '99' .*from 100 to 1000000/],
  ['no nodes', ['--nodes', ''], /'--nodes <address,…>' argument '' .*no address like/],
  ['an unknown workload', ['--workload', 'set,fly'], /no workload "fly"; there are set, get, mix,/],
  ['no workload', ['--workload', ''], /no workload ""; there are set, get, mix,/],
  ['an unknown size', ['--size', '7'], /Allowed choices are turns, 100, 1024, 16384/],
  ['two loops', ['--rate', '5', '--in-flight', '3'], /'--rate <n>' cannot be used with/],
  [
    'more cas than entries',
    ['--workload', 'get,cas', '--entries', '100'],
    /inFlight is 256; of cas there is one for each of 100 entries/,
  ],
])('%s is refused with what would be right', async (_, argv, says) => {
  const terminal = recordedTerminal();
  expect(await runCommandLine(['bench', ...argv], terminal)).toBe(2);
  expect(terminal.err()).toMatch(says);
  expect(terminal.out()).toBe('');
});

test('a file that cannot be written is known before anything is measured', async () => {
  const terminal = recordedTerminal();
  const svg = path.join(tmpdir(), 'no-such-folder', 'bench.svg');
  expect(await runCommandLine(['bench', '--svg', svg], terminal)).toBe(1);
  expect(terminal.err()).toContain(`${svg} is not written`);
  expect(existsSync(svg)).toBe(false);
});
