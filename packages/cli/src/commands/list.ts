import type { Command } from 'commander';
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
import { table } from '../output/table.ts';
import { columnsOf } from '../terminal.ts';
import { counted } from '../progress/progress-bar.ts';

const HELP = `
One page of the entries of an owner, or of everybody. --json gives the cursor of the next page.

Examples:
  memgrid list --user ada
  memgrid list --user ada --limit 1000 --json | jq -r '.data.items[].content'
  memgrid list --count

Exit codes: 0 good, also when there is more; 3 no node answered; 1 nobody can say.`;

interface ListOptions extends GridOptions, OwnerOptions, ReadOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly count?: true;
}

/** `memgrid list`: the entries of an owner. */
export function defineList(command: Command, { terminal, finish }: CommandContext): void {
  withReadOptions(withOwnerOptions(withGridOptions(command)))
    .option('--limit <n>', 'entries a page', wholeNumber({ min: 1, max: 1_000 }), 50)
    .option('--cursor <cursor>', 'go on where a page before ended')
    .option('--count', 'only how many there are')
    .addHelpText('after', HELP);
  command.action(async (options: ListOptions) => {
    const call = { command: 'list', json: options.json === true, terminal };
    finish(
      await runCommand(call, () =>
        withGrid(options, terminal, async (grid): Promise<CommandResult> => {
          const entries = grid.namespace(options.namespace);
          const { limit, cursor } = options;
          const read = readOptionsOf(options);
          const owner = ownerOf(options);
          if (options.count === true) {
            const count = await entries.count(owner, read);
            return { data: count, text: counted(count.count) };
          }
          const settings = { ...read, limit, ...(cursor === undefined ? {} : { cursor }) };
          return pageResult(await entries.list(owner, settings), columnsOf(terminal.stdout, 120));
        }),
      ),
    );
  });
}

function pageResult(
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

/** The columns before the content, with their gaps. */
const CONTENT_FROM = 90;

function itemsTable(items: readonly Listed[], columns: number): string {
  return table(
    [
      { title: 'ID' },
      { title: 'OWNER', spare: true },
      { title: 'CATEGORY' },
      { title: 'UPDATED (UTC)', spare: true },
      { title: 'CONTENT' },
    ],
    items.map(({ entry }) => {
      const { id, userId, agentId, appId, runId, category, content, updatedAt } = entry;
      const owner = [userId, agentId, appId, runId]
        .filter((part) => part !== undefined)
        .join(' / ');
      const width = Math.max(20, columns - CONTENT_FROM);
      const shown = excerpt(content, width);
      return [excerpt(id, 36), excerpt(owner, 24), category, momentText(updatedAt), shown];
    }),
    columns,
  );
}
