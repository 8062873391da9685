import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { runCommand } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { entryJson, foundText } from '../entries/entry-text.ts';
import {
  OWN_ID_HINT,
  ownerOf,
  readOptionsOf,
  withGridOptions,
  withOwnerOptions,
  withReadOptions,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, ReadOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';

const HELP = `
An id that memgrid made is enough. An id of your own also needs the owner with which it was put.

Examples:
  memgrid get 0192d4a1-7c00-8a31-9e2b-1f0c5d2a4b6e
  memgrid get style --user ada --read strong
  memgrid get style --user ada --json | jq -r .data.entry.content

Exit codes: 0 found, 5 known to be absent, 3 no node answered, 1 nobody can say.`;

interface GetOptions extends GridOptions, OwnerOptions, ReadOptions {}

/** `memgrid get`: one entry. */
export function defineGet(command: Command, { terminal, finish }: CommandContext): void {
  withReadOptions(withOwnerOptions(withGridOptions(command)))
    .argument('<id>', 'id of the entry')
    .addHelpText('after', HELP);
  command.action(async (id: string, options: GetOptions) => {
    const call = { command: 'get', json: options.json === true, terminal };
    finish(
      await runCommand(call, async () => {
        const ref = { id, ...ownerOf(options) };
        const found = await withGrid(options, terminal, (grid) =>
          grid.namespace(options.namespace).get(ref, readOptionsOf(options)),
        );
        if (found === undefined) throw absent(id);
        return { data: { ...found, entry: entryJson(found.entry) }, text: foundText(found) };
      }),
    );
  });
}

/** The cluster knows that there is no such entry. */
export function absent(id: string): CommandError {
  return new CommandError('NOT_FOUND', `There is no entry ${JSON.stringify(id)}.`, {
    exitCode: EXIT.notFound,
    hint: OWN_ID_HINT,
  });
}
