import type { Command } from 'commander';
import { runCommand } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { savedText } from '../entries/entry-text.ts';
import {
  OWN_ID_HINT,
  ownerOf,
  withGridOptions,
  withOwnerOptions,
  withWriteOptions,
  writeOptionsOf,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, WriteOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';

const HELP = `
Deleting what is not there is no failure, unless --if-version names a version: it says so, and
--json has "existed": false.

Examples:
  memgrid delete style --user ada

Exit codes: 0 there is no such entry any more, whether there was one or not, 6 it has another
version, 1 nobody knows what became of it.`;

interface DeleteOptions extends GridOptions, OwnerOptions, WriteOptions {
  readonly ifVersion?: string;
}

/** `memgrid delete`: forgets an entry. */
export function defineDelete(command: Command, { terminal, argv, finish }: CommandContext): void {
  withWriteOptions(withOwnerOptions(withGridOptions(command)))
    .argument('<id>', 'id of the entry')
    .option('--if-version <version>', 'only when the stored entry has this version')
    .addHelpText('after', HELP);
  command.action(async (id: string, options: DeleteOptions) => {
    const call = { command: 'delete', json: options.json === true, terminal, argv };
    finish(
      await runCommand(call, async () => {
        const ref = { id, ...ownerOf(options) };
        const { ifVersion } = options;
        const settings = {
          ...writeOptionsOf(options),
          ...(ifVersion === undefined ? {} : { ifVersion }),
        };
        const saved = await withGrid(options, terminal, (grid) =>
          grid.namespace(options.namespace).delete(ref, settings),
        );
        if (saved.existed !== false) return { data: saved, text: savedText(saved) };
        const text = `There was no entry ${JSON.stringify(id)}: nothing was deleted.`;
        return { data: saved, text, warnings: [OWN_ID_HINT] };
      }),
    );
  });
}
