import { buffer } from 'node:stream/consumers';
import process from 'node:process';
import type { Command } from 'commander';
import type { JsonObject } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import { durationMs } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { savedText } from '../entries/entry-text.ts';
import {
  jsonObject,
  ownerOf,
  withGridOptions,
  withOwnerOptions,
  withWriteOptions,
  writeOptionsOf,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, WriteOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';

const HELP = `
Examples:
  memgrid put "prefers tabs" --user ada --category PATTERN
  memgrid put "prefers spaces" --user ada --id style --metadata '{"topic": "layout"}'
  fortune | memgrid put - --run today --ttl 1h
  id=$(memgrid put "first" --json | jq -r .data.id)

Exit codes: 0 stored, 6 there is such an entry, another version of it, or an immutable one,
1 refused: all problems of the entry are listed, or nobody knows what became of it, 2 an option or
its value makes no sense: nothing was sent, 3 no node answered.`;

interface PutOptions extends GridOptions, OwnerOptions, WriteOptions {
  readonly id?: string;
  readonly category?: string;
  readonly metadata?: JsonObject;
  readonly ttl?: number;
  readonly immutable?: true;
  readonly ifAbsent?: true;
  readonly ifVersion?: string;
}

/** `memgrid put`: stores an entry. */
export function definePut(command: Command, { terminal, argv, finish }: CommandContext): void {
  withWriteOptions(withOwnerOptions(withGridOptions(command)))
    .argument('<content>', 'the text to remember; - reads it from standard input')
    .option('--id <id>', 'an id of your own (default: memgrid makes one)')
    .option('--category <name>', 'PATTERN, ERROR, TEAM, PROJECT, or what the schema allows')
    .option('--metadata <json>', 'a JSON object', jsonObject)
    .option('--ttl <duration>', 'forget it after this', durationMs)
    .option('--immutable', 'refuse later updates')
    .option('--if-absent', 'only when there is no such entry')
    .option('--if-version <version>', 'only when the stored entry has this version')
    .addHelpText('after', HELP);
  command.action(async (content: string, options: PutOptions) => {
    const call = { command: 'put', json: options.json === true, terminal, argv };
    finish(
      await runCommand(call, async () => {
        const text = content === '-' ? await standardInput() : content;
        const saved = await withGrid(options, terminal, (grid) =>
          grid.namespace(options.namespace).put(entryOf(text, options), conditionsOf(options)),
        );
        return { data: saved, text: savedText(saved) };
      }),
    );
  });
}

/** Other bytes than UTF-8 would be stored as something else than what was given. */
async function standardInput(): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await buffer(process.stdin));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandError('NO_TEXT', 'Standard input is no UTF-8.', {
      exitCode: EXIT.usage,
      hint: 'Convert it first, or store bytes as base64.',
      cause: error,
    });
  }
}

function entryOf(content: string, options: PutOptions) {
  const { id, category, metadata, ttl, immutable } = options;
  return {
    ...ownerOf(options),
    content,
    ...(id === undefined ? {} : { id }),
    ...(category === undefined ? {} : { category }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(immutable === undefined ? {} : { immutable }),
  };
}

function conditionsOf(options: PutOptions) {
  const { ifAbsent, ifVersion } = options;
  return {
    ...writeOptionsOf(options),
    ...(ifAbsent === undefined ? {} : { ifAbsent }),
    ...(ifVersion === undefined ? {} : { ifVersion }),
  };
}
