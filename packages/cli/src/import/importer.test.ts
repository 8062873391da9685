import { ClusterError, type Namespace, type NewEntry, type PutOptions } from '@memgrid/client';
import { expect, test } from 'vitest';
import { Importer, type ImporterOptions, type LineOutcome } from './importer.ts';
import { LineEntries } from './line-entries.ts';
import type { Line } from './read-lines.ts';

type Answer = 'stored' | ClusterError;

/** A namespace of which only `put` answers, as it is told for each attempt of each line. */
function recordingNamespace(answers: Readonly<Record<string, readonly Answer[]>> = {}) {
  const puts: { entry: NewEntry; options: PutOptions | undefined }[] = [];
  const attempts = new Map<string, number>();
  let running = 0;
  let runningMax = 0;
  const put = async (entry: NewEntry, options?: PutOptions): Promise<{ version: string }> => {
    puts.push({ entry, options });
    running += 1;
    runningMax = Math.max(runningMax, running);
    // Long enough for every other that is allowed to run to have begun.
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    running -= 1;
    const attempt = attempts.get(entry.content) ?? 0;
    attempts.set(entry.content, attempt + 1);
    const answer = answers[entry.content]?.[attempt] ?? 'stored';
    if (answer !== 'stored') throw answer;
    return { version: `v-${entry.content}` };
  };
  return {
    namespace: { name: 'default', put } as unknown as Namespace,
    puts,
    runningMax: () => runningMax,
  };
}

function importerOf(
  namespace: Namespace,
  overrides: Partial<ImporterOptions> = {},
): { importer: Importer; advance: () => number } {
  let now = 0;
  const importer = new Importer({
    namespace,
    entries: new LineEntries({ namespace: 'default', source: 'test', rules: [] }),
    concurrency: 4,
    patienceMs: 1_000,
    replace: false,
    write: { durability: 'quorum', sync: 'disk' },
    done: new Set(),
    signal: new AbortController().signal,
    nowMs: () => now,
    pause: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    ...overrides,
  });
  return { importer, advance: () => now };
}

async function* lines(...contents: readonly string[]): AsyncGenerator<Line> {
  for (const [at, content] of contents.entries()) {
    const text = content === '' ? '' : JSON.stringify({ content });
    yield { number: at + 1, content: { kind: 'text', text }, bytes: 0 };
  }
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function outcomesOf(importer: Importer, source: AsyncIterable<Line>): Promise<LineOutcome[]> {
  const outcomes = await gathered(importer.run(source));
  return outcomes.toSorted((a, b) => a.line - b.line);
}

test('every line is stored once, only where there is nothing, at most so many at a time', async () => {
  const { namespace, puts, runningMax } = recordingNamespace();
  const { importer } = importerOf(namespace);
  const contents = Array.from({ length: 40 }, (_, at) => `c${at}`);
  const outcomes = await outcomesOf(importer, lines(...contents));
  expect(outcomes.map(({ kind }) => kind)).toEqual(contents.map(() => 'stored'));
  expect(puts).toHaveLength(40);
  expect(puts.every(({ options }) => options?.ifAbsent === true)).toBe(true);
  expect(runningMax()).toBe(4);
});

test('a second import finds everything there', async () => {
  const conflict = new ClusterError('VERSION_CONFLICT', { current: 'v1' });
  const { namespace } = recordingNamespace({ a: [conflict] });
  const { importer } = importerOf(namespace);
  expect(await outcomesOf(importer, lines('a'))).toMatchObject([{ kind: 'present', line: 1 }]);
});

test('what fails in passing is tried again, under the same id', async () => {
  const timeout = new ClusterError('TIMEOUT', { timeoutMs: 5 });
  const { namespace, puts } = recordingNamespace({ a: [timeout, timeout] });
  const { importer } = importerOf(namespace);
  expect(await outcomesOf(importer, lines('a'))).toMatchObject([{ kind: 'stored' }]);
  expect(new Set(puts.map(({ entry }) => entry.id)).size).toBe(1);
});

test('an unknown outcome followed by "it is there" is stored', async () => {
  const timeout = new ClusterError('TIMEOUT', { timeoutMs: 5 });
  const conflict = new ClusterError('VERSION_CONFLICT', { current: 'v1' });
  const { namespace } = recordingNamespace({ a: [timeout, conflict] });
  const { importer } = importerOf(namespace);
  expect(await outcomesOf(importer, lines('a'))).toMatchObject([{ kind: 'present' }]);
});

test('patience ends, and then a line that may be stored says so', async () => {
  const timeout = new ClusterError('TIMEOUT', { timeoutMs: 5 });
  const { namespace } = recordingNamespace({ a: Array.from({ length: 999 }, () => timeout) });
  const { importer, advance } = importerOf(namespace);
  expect(await outcomesOf(importer, lines('a'))).toMatchObject([
    { kind: 'failed', code: 'TIMEOUT', applied: 'unknown' },
  ]);
  expect(advance()).toBeGreaterThanOrEqual(1_000);
});

test('when the cluster takes nothing for so long, the rest of the file is left alone', async () => {
  const timeout = new ClusterError('TIMEOUT', { timeoutMs: 5 });
  const contents = Array.from({ length: 100 }, (_, at) => `c${at}`);
  const never = Array.from({ length: 999 }, () => timeout);
  const { namespace } = recordingNamespace(
    Object.fromEntries(contents.slice(1).map((content) => [content, never])),
  );
  const { importer, advance } = importerOf(namespace);
  const outcomes = await outcomesOf(importer, lines(...contents));
  expect(importer.gaveUp).toBe(true);
  expect(outcomes.map(({ kind }) => kind)).toContain('stored');
  expect(outcomes.length).toBeLessThan(12);
  expect(advance()).toBeLessThan(20_000);
});

test('what is wrong with a line is told at once, and the others go on', async () => {
  const invalid = new ClusterError('INVALID_ENTRY', { problems: ['content: expected text.'] });
  const { namespace, puts } = recordingNamespace({ b: [invalid] });
  const { importer } = importerOf(namespace);
  const outcomes = await outcomesOf(importer, lines('a', 'b', '', 'd'));
  expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'failed', 'blank', 'stored']);
  expect(outcomes[1]).toMatchObject({ code: 'INVALID_ENTRY', applied: 'no', line: 2 });
  expect(puts).toHaveLength(3);
});

test('lines of an earlier report are skipped', async () => {
  const { namespace, puts } = recordingNamespace();
  const first = await outcomesOf(importerOf(namespace).importer, lines('a', 'b'));
  const [done] = first.flatMap((outcome) => (outcome.kind === 'stored' ? [outcome.id] : []));
  const { importer } = importerOf(namespace, { done: new Set([done ?? '']) });
  const second = await outcomesOf(importer, lines('a', 'b'));
  expect(second.map(({ kind }) => kind)).toEqual(['skipped', 'stored']);
  expect(puts).toHaveLength(3);
});

test('after an interruption nothing new begins', async () => {
  const { namespace, puts } = recordingNamespace();
  const controller = new AbortController();
  const { importer } = importerOf(namespace, { concurrency: 1, signal: controller.signal });
  const run = importer.run(lines('a', 'b', 'c', 'd'));
  await run.next();
  controller.abort();
  await gathered(run);
  expect(puts.length).toBeLessThan(4);
});

test('a failure that is none of the cluster ends the import', async () => {
  const namespace = {
    put: () => Promise.reject(new TypeError('a bug')),
  } as unknown as Namespace;
  const { importer } = importerOf(namespace);
  await expect(outcomesOf(importer, lines('a'))).rejects.toThrow('a bug');
});
