import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeLeftovers, TemporaryDirectory } from '../../bench/temporary-directory.ts';

/** The id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('what a killed run has left is removed, and what a live one uses is not', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'memgrid-leftovers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dead = `memgrid-bench-${deadPid()}-aB3xYz`;
  const kept = [
    `memgrid-bench-${process.pid}-aB3xYz`,
    // Somebody else's: process 1 lives, whoever asks.
    'memgrid-bench-1-aB3xYz',
    'memgrid-bench-reports',
    'memgrid-test-4711-aB3xYz',
  ];
  for (const name of [dead, ...kept])
    mkdirSync(path.join(folder, name, 'data'), { recursive: true });
  expect(removeLeftovers(folder)).toEqual([path.join(folder, dead)]);
  expect(readdirSync(folder).toSorted()).toEqual(kept.toSorted());
});

test('what is no directory, or another user’s, is left alone', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'memgrid-leftovers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pid = deadPid();
  writeFileSync(path.join(folder, `memgrid-bench-${pid}-aFile1`), '');
  const foreign = path.join(folder, `memgrid-bench-${pid}-aUser1`);
  if (process.getuid?.() === 0) {
    mkdirSync(foreign);
    chownSync(foreign, 65_534, 65_534);
  }
  const before = readdirSync(folder);
  expect(removeLeftovers(folder)).toEqual([]);
  expect(readdirSync(folder)).toEqual(before);
});

test('a directory of a run that lives is named so that nobody removes it, and goes with it', () => {
  const directory = new TemporaryDirectory();
  expect(removeLeftovers()).not.toContain(directory.path);
  expect(existsSync(directory.path)).toBe(true);
  directory[Symbol.dispose]();
  expect(existsSync(directory.path)).toBe(false);
});
