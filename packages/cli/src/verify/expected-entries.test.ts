import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sliceOfEntry } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { expectedEntries } from './expected-entries.ts';

function fileOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'memgrid-expected-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  writeFileSync(path, text);
  return path;
}

function historyOf(...events: readonly object[]): string {
  return fileOf(
    events.map((event, index) => `${JSON.stringify({ index, time: index, ...event })}\n`).join(''),
  );
}

const add = (process: number, type: string, value?: number) => ({
  process,
  type,
  f: 'add',
  key: 'run-s0',
  ...(value === undefined ? {} : { value }),
});

test('of a history of sets, what was acknowledged has to be stored, and nothing else', async () => {
  const history = historyOf(
    add(0, 'invoke', 1),
    add(1, 'invoke', 2),
    add(1, 'fail'),
    add(0, 'ok'),
    add(0, 'invoke', 3),
    add(0, 'info'),
    { process: 2, type: 'invoke', f: 'read', key: 'run-s0' },
    { process: 2, type: 'ok', f: 'read', key: 'run-s0', value: [1] },
  );
  const id = 'run-s0-1';
  const address = { namespace: 'n', userId: 'run-s0', agentId: '', appId: '', runId: '', key: id };
  expect(await expectedEntries({ history, namespace: 'n' })).toEqual({
    namespace: 'n',
    entries: [{ id, slice: sliceOfEntry(address), line: 4 }],
  });
  expect(await expectedEntries({ history })).toMatchObject({ namespace: 'run', entries: [{ id }] });
});

test('a report says itself which namespace it is about', async () => {
  const report = fileOf(
    [
      '{"report":"memgrid import","namespace":"notes","source":"turns"}',
      '{"line":1,"outcome":"stored","id":"a","slice":7,"version":"v"}',
      '{"line":2,"outcome":"failed","id":"b","code":"TIMEOUT","message":"","applied":"unknown"}',
    ].join('\n'),
  );
  expect(await expectedEntries({ report, namespace: 'default' })).toEqual({
    namespace: 'notes',
    entries: [{ id: 'a', slice: 7, line: 1 }],
  });
});

test('without a file nobody was told anything', async () => {
  expect(await expectedEntries({ namespace: 'n' })).toBeUndefined();
});

test.each([
  {
    what: 'a history of registers',
    text: '{"index":0,"time":0,"process":0,"type":"invoke","f":"write","key":"k","value":1}\n',
    says: 'no history of sets',
  },
  { what: 'no history', text: '{}', says: 'cannot be read' },
])('$what is refused', async ({ text, says }) => {
  const history = fileOf(text);
  await expect(expectedEntries({ history, namespace: 'n' })).rejects.toThrow(says);
});

test('a report that is not there is refused', async () => {
  const report = '/no/such/report';
  await expect(expectedEntries({ report, namespace: 'n' })).rejects.toThrow('There is no report');
});
