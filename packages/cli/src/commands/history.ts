import type { Command } from 'commander';
import type { History } from '@memgrid/client';
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
import { absent } from './get.ts';

const HELP = `
The steps in the life of an entry, oldest first, as far as the node that answers remembers them.

Examples:
  memgrid history style --user ada

Exit codes: 0 good, 8 older steps are no longer kept, 5 nothing is known of such an entry.`;

interface HistoryOptions extends GridOptions, OwnerOptions, ReadOptions {}

/** `memgrid history`: the life of one entry. */
export function defineHistory(command: Command, { terminal, finish }: CommandContext): void {
  withReadOptions(withOwnerOptions(withGridOptions(command)))
    .argument('<id>', 'id of the entry')
    .addHelpText('after', HELP);
  command.action(async (id: string, options: HistoryOptions) => {
    const call = { command: 'history', json: options.json === true, terminal };
    finish(
      await runCommand(call, async () => {
        const ref = { id, ...ownerOf(options) };
        const history = await withGrid(options, terminal, (grid) =>
          grid.namespace(options.namespace).history(ref, readOptionsOf(options)),
        );
        if (history.steps.length === 0 && history.complete) throw absent(id);
        return resultOf(history, columnsOf(terminal.stdout, 120));
      }),
    );
  });
}

/** The columns before the content, with their gaps. */
const CONTENT_FROM = 30;

function resultOf({ steps, complete }: History, columns: number): CommandResult {
  const rows = steps.map(({ kind, at, entry }) => [
    momentText(at),
    kind,
    entry === undefined ? '' : excerpt(entry.content, Math.max(20, columns - CONTENT_FROM)),
  ]);
  return {
    data: {
      steps: steps.map(({ entry, ...step }) => ({
        ...step,
        ...(entry === undefined ? {} : { entry: entryJson(entry) }),
      })),
      complete,
    },
    text: table([{ title: 'AT (UTC)' }, { title: 'STEP' }, { title: 'CONTENT' }], rows, columns),
    warnings: complete ? [] : ['Older steps existed and are no longer kept.'],
    exitCode: complete ? EXIT.good : EXIT.partial,
  };
}
