import { expect, test } from 'vitest';
import { readRepositoryFile } from '../tidy/repository.ts';
import { rowsUnder } from './markdown-table.ts';

const markdown = readRepositoryFile('docs/client.md');

/** The members of some interfaces of a source file. */
function members(file: string, ...interfaces: readonly string[]): readonly string[] {
  const source = readRepositoryFile(`packages/client/src/${file}`);
  return interfaces.flatMap((name) => {
    const [, body = ''] =
      new RegExp(`export interface ${name}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm').exec(source) ?? [];
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm)].map(([, member = '']) => member);
  });
}

function named(heading: string): readonly string[] {
  return rowsUnder(markdown, heading).map(([first = '']) => first);
}

test('docs/client.md names every option of connect', () => {
  const options = members('connect-options.ts', 'ConnectOptions');
  expect(options.length).toBeGreaterThan(15);
  expect([...named('Options of `connect`')].sort()).toEqual([...options].sort());
});

test('docs/client.md names every part of an option of connect', () => {
  const parts = members(
    'connect-options.ts',
    'TlsOptions',
    'NearCacheOptions',
    'QueueOptions',
    'HedgeOptions',
    'RetryOptions',
    'Logger',
  );
  expect(parts.length).toBeGreaterThan(10);
  for (const part of parts) expect(markdown).toContain(`\`${part}\``);
});

test('docs/client.md names every option of a call', () => {
  const options = members(
    'call-options.ts',
    'CallOptions',
    'ReadOptions',
    'GetOptions',
    'WriteOptions',
    'PutOptions',
    'ListOptions',
    'WatchOptions',
  );
  expect([...named('Options of a call')].sort()).toEqual([...new Set(options)].sort());
});

test('docs/client.md names every call', () => {
  const calls = [...members('grid.ts', 'Namespace'), ...members('grid.ts', 'Grid')];
  const text = named('Calls').join(' ');
  for (const call of calls) {
    if (call === 'name' || call === 'namespace') continue;
    expect(text).toContain(call);
  }
});
