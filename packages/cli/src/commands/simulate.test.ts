import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExploreReport, SimulationReport } from '@memgrid/simulator';
import { afterEach, expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function temporaryFile(name: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-test-'));
  made.push(directory);
  return path.join(directory, name);
}

interface Simulated<Data> {
  readonly exitCode: number;
  readonly data: Data;
  readonly error: { readonly code: string; readonly message: string };
}

async function simulated<Data = SimulationReport>(
  ...argv: readonly string[]
): Promise<Simulated<Data>> {
  const terminal = recordedTerminal();
  const exitCode = await runCommandLine(['simulate', ...argv, '--json'], terminal);
  return { ...(JSON.parse(terminal.out()) as Omit<Simulated<Data>, 'exitCode'>), exitCode };
}

test('one seed is one day: the same trace hash twice, another seed another day', async () => {
  const day = ['--nodes', '3', '--time', '5s'];
  const first = await simulated('--seed', '7', ...day);
  const again = await simulated('--seed', '7', ...day);
  const other = await simulated('--seed', '8', ...day);
  expect(first.exitCode).toBe(0);
  expect(first.data.traceHash).toMatch(/^[0-9a-f]{16}$/);
  expect(again.data.traceHash).toBe(first.data.traceHash);
  expect(other.data.traceHash).not.toBe(first.data.traceHash);
});

test('a saved day runs again from its file, fault for fault', async () => {
  const file = temporaryFile('day.json');
  const first = await simulated('--seed', '3', '--nodes', '3', '--time', '8s', '--save', file);
  const again = await simulated('--scenario', file);
  expect(again.data.schedule).toEqual(first.data.schedule);
  expect(again.data.traceHash).toBe(first.data.traceHash);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ seed: 3, nodes: 3 });
});

test('--faults none and --faults crash do what they say', async () => {
  const none = await simulated('--nodes', '3', '--time', '3s', '--faults', 'none');
  expect(none.data.schedule).toEqual([]);
  expect(none.data.falseDeaths).toBe(0);
  const crash = await simulated('--nodes', '3', '--time', '20s', '--faults', 'crash');
  expect(crash.data.faultKinds).toEqual(['crash']);
});

test('a file that is no scenario: all problems at once', async () => {
  const file = temporaryFile('bad.json');
  writeFileSync(file, JSON.stringify({ seed: -1, nodes: 0, durationMs: 5, faults: [{}] }));
  const { exitCode, error } = await simulated('--scenario', file);
  expect(exitCode).toBe(2);
  expect(error.code).toBe('BAD_SCENARIO');
  for (const part of ['"seed"', '"nodes"', 'faults[0]']) expect(error.message).toContain(part);
});

test('a file that is not there is named', async () => {
  const { exitCode, error } = await simulated('--scenario', temporaryFile('none.json'));
  expect(exitCode).toBe(2);
  expect(error.message).toContain('none.json');
});

test('--scenario and --explore contradict each other', async () => {
  const { exitCode, error } = await simulated('--scenario', 'x', '--explore', '2');
  expect(exitCode).toBe(2);
  expect(error.message).toContain('its own seed');
});

test('a file that can not be written is named', async () => {
  const file = path.join(temporaryFile('none'), 'day.json');
  const argv = ['--nodes', '3', '--time', '1s', '--faults', 'none', '--save', file];
  const { exitCode, error } = await simulated(...argv);
  expect(exitCode).toBe(1);
  expect(error).toMatchObject({
    code: 'NOT_SAVED',
    message: `${file} can not be written (ENOENT).`,
  });
});

test('--explore runs every seed and reports blind spots', async () => {
  const { exitCode, data } = await simulated<ExploreReport>(
    ...['--explore', '3', '--workers', '1', '--nodes', '3', '--time', '2s'],
  );
  expect(exitCode).toBe(0);
  expect(data.seeds).toBe(3);
  expect(data.failed).toEqual([]);
  expect(data.never.length).toBeGreaterThan(0);
});

test('the timeline for people ends with the verdict and the hash', async () => {
  const terminal = recordedTerminal();
  const argv = ['simulate', '--nodes', '3', '--time', '3s', '--faults', 'none', '--plan'];
  expect(await runCommandLine(argv, terminal)).toBe(0);
  expect(terminal.out()).toMatch(/coordinator\.elected/);
  expect(terminal.out()).toMatch(/trace [0-9a-f]{16}/);
  expect(terminal.out().trimEnd()).toMatch(/no violation$/);
});
