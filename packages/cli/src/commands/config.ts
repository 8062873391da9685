import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import { withJson } from '../command-options.ts';
import { table } from '../output/table.ts';
import { resolvedFrom, withNodeOptions } from './node-options.ts';
import type { TypedOptions } from './node-options.ts';

/** `memgrid config check|show`: what a node would start with, without starting it. */
export function defineConfig(command: Command, context: CommandContext): void {
  const check = command
    .command('check')
    .summary('report every problem at once; exit 2 if any')
    .description('Reports every problem of the configuration at once, and starts nothing.');
  const show = command
    .command('show')
    .summary('every option, its value and where it comes from')
    .description('Every option, its value and where it comes from. Secrets are not shown.');
  for (const [subcommand, name] of [
    [check, 'config check'],
    [show, 'config show'],
  ] as const) {
    withNodeOptions(withJson(subcommand));
    subcommand.action(async (options: TypedOptions) => {
      const call = { command: name, json: options['json'] === true, terminal: context.terminal };
      const act = name === 'config check' ? checkConfig : showConfig;
      context.finish(await runCommand(call, () => act(options, context)));
    });
  }
}

async function checkConfig(
  options: TypedOptions,
  { terminal }: CommandContext,
): Promise<CommandResult> {
  const { config, file, rows } = await resolvedFrom(options, terminal.environment);
  const source = file === undefined ? 'no configuration file' : file;
  const changed = rows.filter(({ origin }) => origin !== 'default').length;
  return {
    data: { file: file ?? null, problems: [], changed },
    text: `The configuration is good: ${changed} of ${rows.length} options set, ${source}, data in ${config.data}.`,
  };
}

async function showConfig(
  options: TypedOptions,
  { terminal }: CommandContext,
): Promise<CommandResult> {
  const { file, rows } = await resolvedFrom(options, terminal.environment);
  return {
    data: {
      file: file ?? null,
      options: Object.fromEntries(rows.map(({ name, value, origin }) => [name, { value, origin }])),
    },
    text: table(
      [{ title: 'OPTION' }, { title: 'VALUE' }, { title: 'FROM' }],
      rows.map(({ name, value, origin }) => [name, value, origin]),
    ),
  };
}
