import { InvalidArgumentError, type Command } from 'commander';
import type { EntryPatch, JsonObject } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import { runCommand } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { savedText } from '../entries/entry-text.ts';
import {
  jsonObject,
  ownerOf,
  withGridOptions,
  withOwnerOptions,
  withSchemaVersion,
  withWriteOptions,
  writeOptionsOf,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, WriteOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';

const HELP = `
What is not named stays. In --metadata a name with null is removed (JSON merge patch, RFC 7396).

Examples:
  memgrid update style --user ada --content "prefers spaces"
  memgrid update style --user ada --metadata '{"topic": null, "sure": true}'
  memgrid update style --user ada --expires never --if-version "$version"

Exit codes: 0 changed, 5 there is no such entry, 6 it has another version or is immutable,
1 refused: all problems of the entry are listed, or nobody knows what became of it, 2 an option or
its value makes no sense: nothing was sent.`;

interface UpdateOptions extends GridOptions, OwnerOptions, WriteOptions {
  readonly content?: string;
  readonly category?: string;
  readonly metadata?: JsonObject;
  readonly expires?: number | 'never';
  readonly ifVersion?: string;
  readonly schemaVersion?: number;
}

/** `memgrid update`: changes parts of an entry. */
export function defineUpdate(command: Command, { terminal, argv, finish }: CommandContext): void {
  withSchemaVersion(withWriteOptions(withOwnerOptions(withGridOptions(command))))
    .argument('<id>', 'id of the entry')
    .option('--content <text>', 'the new text')
    .option('--category <name>', 'the new category')
    .option('--metadata <json>', 'a JSON merge patch of the metadata', jsonObject)
    .option('--expires <moment>', 'an ISO date, or never', moment)
    .option('--if-version <version>', 'only when the stored entry has this version')
    .addHelpText('after', HELP);
  command.action(async (id: string, options: UpdateOptions) => {
    const call = { command: 'update', json: options.json === true, terminal, argv };
    finish(
      await runCommand(call, async () => {
        const ref = { id, ...ownerOf(options) };
        const { ifVersion, schemaVersion } = options;
        const settings = {
          ...writeOptionsOf(options),
          ...(ifVersion === undefined ? {} : { ifVersion }),
          ...(schemaVersion === undefined ? {} : { schemaVersion }),
        };
        const patch = patchOf(options);
        const saved = await withGrid(options, terminal, (grid) =>
          grid.namespace(options.namespace).update(ref, patch, settings),
        );
        return { data: saved, text: savedText(saved) };
      }),
    );
  });
}

function patchOf({ content, category, metadata, expires }: UpdateOptions): EntryPatch {
  const patch = {
    ...(content === undefined ? {} : { content }),
    ...(category === undefined ? {} : { category }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(expires === undefined ? {} : { expiresAt: expires === 'never' ? null : expires }),
  };
  if (Object.keys(patch).length > 0) return patch;
  throw new CommandError('USAGE', 'Nothing to change was named.', {
    exitCode: EXIT.usage,
    hint: 'Give --content, --category, --metadata or --expires.',
  });
}

/** `never` stays a word: an option's parser that answers null counts as one that got no value. */
function moment(text: string): number | 'never' {
  if (text === 'never') return text;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('Give an ISO date, 2027-01-31T12:00:00Z, or never.');
  return ms;
}
