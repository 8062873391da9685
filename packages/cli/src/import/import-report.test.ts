import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readReport } from './import-report.ts';
import { ReportWriter } from './report-writer.ts';

const HEAD = { report: 'memgrid import', namespace: 'default', source: 'turns' } as const;

function temporary(): { readonly path: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'memgrid-report-'));
  return {
    path: join(directory, 'report'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test('a report says what was stored, over several runs', async () => {
  using file = temporary();
  expect(await readReport(file.path)).toBeUndefined();
  const first = await ReportWriter.open(file.path, HEAD);
  await first.add({ kind: 'stored', line: 1, id: 'a', slice: 7, version: 'v' });
  await first.add({ kind: 'blank', line: 2 });
  await first.add({ kind: 'failed', line: 3, id: 'c', code: 'X', message: 'x', applied: 'no' });
  await first.close();
  // The process was killed in the middle of a line.
  appendFileSync(file.path, '{"line":4,"outcome":"sto');
  const second = await ReportWriter.open(file.path, undefined);
  await second.add({ kind: 'present', line: 5, id: 'e', slice: 9 });
  await second.add({ kind: 'skipped', line: 1, id: 'a' });
  await second.close();
  const report = await readReport(file.path);
  expect(report?.head).toEqual(HEAD);
  expect([...(report?.entries.values() ?? [])]).toEqual([
    { line: 1, id: 'a', slice: 7 },
    { line: 5, id: 'e', slice: 9 },
  ]);
});

test.each(['', '{}', 'anything', '{"report":"other"}'])('"%s" is no report', async (text) => {
  using file = temporary();
  writeFileSync(file.path, text);
  await expect(readReport(file.path)).rejects.toThrow('is no report of memgrid import');
});
