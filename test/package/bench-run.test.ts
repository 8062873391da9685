import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Measurement } from '../../bench/measurement.ts';
import { partialOf, readBaseline, record } from '../../bench/record.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
const README = new URL('../../bench/README.md', import.meta.url);
const ROW = 'throughput-one-node';

function bench(...argv: readonly string[]) {
  const args = ['--conditions=memgrid-source', PROGRAM, ...argv];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test.each([
  ['an unknown row', ['throughput-flight'], 'There is no row throughput-flight.'],
  ['an unknown option', ['--fast'], "Unknown option '--fast'"],
  ['a sample that is to be recorded', ['--quick', '--record'], 'A quick sample is not recorded.'],
  ['a profile of a row', ['--profile', 'speed'], 'A profile is of no row.'],
])('%s: says so, and nothing is started', (_, argv, says) => {
  const { status, stdout, stderr } = bench(...argv);
  expect(stderr).toContain(says);
  expect(stderr).toContain('pnpm bench [row ...]');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});

test('what cannot be measured yet is said, and is not met', () => {
  const { status, stdout } = bench('throughput-mem0');
  expect(stdout).toMatch(/NOT MET .*mem0[^]*not measured: waits for packages\/mem0-local/);
  expect(status).toBe(0);
});

const WHOLE: Measurement = {
  row: ROW,
  what: 'set',
  bar: 'at least 2 x',
  measured: '3 x',
  met: true,
  numbers: {},
};

test('a row in which a system died is not recorded, and what was recorded before stays', () => {
  const [readme, before] = [readFileSync(README, 'utf8'), readBaseline(ROW)];
  const problem = 'Redis (ioredis) died: Connection is closed.';
  const rows = [WHOLE, { ...WHOLE, partial: problem }, { ...WHOLE, partial: problem }];
  expect(partialOf(rows)).toBe(problem);
  expect(() => record(ROW, rows)).toThrow(`${ROW} is partial and is not recorded: ${problem}`);
  expect(readBaseline(ROW)).toEqual(before);
  expect(readFileSync(README, 'utf8')).toBe(readme);
});

test('a whole row has nothing that speaks against recording it', () => {
  expect(partialOf([WHOLE])).toBeUndefined();
});
