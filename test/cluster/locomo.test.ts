import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { memgrid } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** Real conversations, which may lie beside the repository and are not part of it. */
const LOCOMO = fileURLToPath(new URL('../../../shared/data/locomo/', import.meta.url));

interface Kind {
  readonly file: string;
  /** Made of each line. */
  readonly rules: readonly string[];
  /** The field with who said it or whom it is about, which becomes the owner. */
  readonly owner: 'speaker' | 'about';
}

const KINDS: readonly Kind[] = [
  {
    file: 'turns.ndjson',
    rules: ['userId={speaker}', 'metadata.turn={turn}', 'metadata.when={when}'],
    owner: 'speaker',
  },
  {
    file: 'observations.ndjson',
    rules: ['userId={about}', 'metadata.turns={turns}'],
    owner: 'about',
  },
];

interface Line {
  readonly text: string;
  readonly conversation: string;
  readonly session: number;
  readonly speaker?: string;
  readonly about?: string;
}

interface Exported {
  readonly content: string;
  readonly userId: string;
  readonly runId: string;
}

function linesOf<Value>(file: string): readonly Value[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Value);
}

for (const { file, rules, owner } of KINDS) {
  const source = path.join(LOCOMO, file);
  const missing = existsSync(source) ? '' : ` (skipped: there is no ../shared/data/locomo)`;
  test.skipIf(missing !== '')(
    `LoCoMo ${file}: every line becomes one entry, whole, on every replica${missing}`,
    async () => {
      const lines = linesOf<Line>(source);
      using directory = new TemporaryDirectory();
      const [report, exported] = [directory.file('report'), directory.file('exported.ndjson')];
      await using cluster = await DevCluster.start('--nodes', '3');
      const nodes = ['--nodes', cluster.nodes.map(({ address }) => address).join(',')];
      const made = ['content={text}', 'runId={conversation}-{session}', ...rules];
      const importing = [source, ...nodes, ...made.flatMap((rule) => ['--set', rule])];

      const imported = await memgrid('import', ...importing, '--report', report);
      const all = { lines: lines.length, stored: lines.length, failed: [] };
      expect(imported.envelope.data).toMatchObject(all);
      const verified = await memgrid('verify', ...nodes, '--report', report);
      expect(verified.envelope.data).toMatchObject({ copies: 3 * lines.length, differences: [] });

      // What comes out is what went in, word for word: quotes, emoji and all.
      await memgrid('export', ...nodes, '--out', exported);
      const told = linesOf<Exported>(exported).map(
        ({ content, userId, runId }) => `${userId} ${runId} ${content}`,
      );
      const meant = lines.map(
        (line) => `${line[owner]} ${line.conversation}-${line.session} ${line.text}`,
      );
      expect(told.toSorted()).toEqual(meant.toSorted());

      // A second time stores nothing twice.
      const again = await memgrid('import', ...importing);
      expect(again.envelope.data).toMatchObject({ stored: 0, present: lines.length });
    },
  );
}
