import { Option, type Command } from 'commander';
import type { Listed, Page } from '@memgrid/client';
import { wholeNumber } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { entryJson, excerpt, momentText } from '../entries/entry-text.ts';
import {
  ownerOf,
  readOptionsOf,
  withGridOptions,
  withOwnerOptions,
  withReadOptions,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, ReadOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import { table, type Column } from '../output/table.ts';
import { columnsOf } from '../terminal.ts';
import { counted } from '../progress/progress-bar.ts';

const HELP = `
One page of the entries of an owner, or of everybody. --json gives the cursor of the next page;
--all follows it to the end, which \`memgrid export\` does for any number of entries. On a terminal
columns are left out and texts cut until a line fits; through a pipe everything is whole.

Examples:
  memgrid list --user ada
  memgrid list --user ada --all
  memgrid list --user ada --limit 1000 --json | jq -r '.data.items[].content'
  memgrid list --count

Exit codes: 0 good, also when there is more; 3 no node answered; 1 nobody can say.`;

/** The most that a page may have. */
const PAGE_ENTRIES_MAX = 1_000;

interface ListOptions extends GridOptions, OwnerOptions, ReadOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly all?: true;
  readonly count?: true;
}

/** `memgrid list`: the entries of an owner. */
export function defineList(command: Command, { terminal, finish }: CommandContext): void {
  withReadOptions(withOwnerOptions(withGridOptions(command)))
    .option('--limit <n>', 'entries a page', wholeNumber({ min: 1, max: PAGE_ENTRIES_MAX }), 50)
    .option('--cursor <cursor>', 'go on where a page before ended')
    .addOption(new Option('--all', 'every page, one after the other').conflicts('limit'))
    .addOption(new Option('--count', 'only how many there are').conflicts(['all', 'cursor']))
    .addHelpText('after', HELP);
  command.action(async (options: ListOptions) => {
    const call = { command: 'list', json: options.json === true, terminal };
    finish(
      await runCommand(call, () =>
        withGrid(options, terminal, async (grid): Promise<CommandResult> => {
          const entries = grid.namespace(options.namespace);
          const { all, cursor } = options;
          const limit = all === true ? PAGE_ENTRIES_MAX : options.limit;
          const read = readOptionsOf(options);
          const owner = ownerOf(options);
          if (options.count === true) {
            const count = await entries.count(owner, read);
            return { data: count, text: counted(count.count) };
          }
          const settings = { ...read, limit, ...(cursor === undefined ? {} : { cursor }) };
          let page = await entries.list(owner, settings);
          const items = [...page.items];
          while (all === true && page.cursor !== undefined) {
            page = await entries.list(owner, { ...settings, cursor: page.cursor });
            items.push(...page.items);
          }
          return pageResult({ ...page, items }, columnsOf(terminal.stdout, Infinity));
        }),
      ),
    );
  });
}

export function pageResult(
  { items, cursor, complete, stalenessMs }: Page,
  columns: number,
): CommandResult {
  const more = cursor === undefined ? [] : [`There is more: --cursor ${cursor}`];
  const unknown = complete || cursor !== undefined ? [] : ['Some shards did not answer.'];
  return {
    data: {
      items: items.map(({ entry, version }) => ({ ...entryJson(entry), version })),
      cursor: cursor ?? null,
      complete,
      stalenessMs,
    },
    text: items.length === 0 ? 'No entries.' : itemsTable(items, columns),
    warnings: [...more, ...unknown],
    exitCode: unknown.length === 0 ? EXIT.good : EXIT.partial,
  };
}

/** Less of a text than this says nothing: rather a column less. */
const CONTENT_MIN = 20;

/** Between two columns. */
const GAP = 2;
const ID_MAX = 36;
const OWNER_MAX = 24;

/** Whole where it is piped (`columns` is Infinity), fitted to the lines of a terminal otherwise. */
function itemsTable(items: readonly Listed[], columns: number): string {
  const isPiped = columns === Infinity;
  const cut = (text: string, charactersMax: number): string =>
    excerpt(text, isPiped ? Infinity : charactersMax);
  const before: Column[] = [
    { title: 'ID' },
    { title: 'OWNER', spare: true },
    { title: 'CATEGORY', spare: true },
    { title: 'UPDATED (UTC)', spare: true },
  ];
  const rows = items.map(({ entry }) => {
    const { id, userId, agentId, appId, runId, category, updatedAt } = entry;
    const owner = [userId, agentId, appId, runId].filter((part) => part !== undefined).join(' / ');
    return [cut(id, ID_MAX), cut(owner, OWNER_MAX), category, momentText(updatedAt)];
  });
  const left = table(before, rows, columns - CONTENT_MIN - GAP).split('\n');
  const width = Math.max(...left.map((line) => line.length)) + GAP;
  const contents = items.map(({ entry }) => {
    return cut(entry.content, Math.max(CONTENT_MIN, columns - width));
  });
  return ['CONTENT', ...contents]
    .map((content, row) => ((left[row] ?? '').padEnd(width) + content).trimEnd())
    .join('\n');
}
