import { readFileSync } from 'node:fs';
import type { SchemaRegistryImage } from '@memgrid/core';
import { MEMORY_SCHEMA, schemaJson, type JsonObject } from '@memgrid/protocol';
import type { Command } from 'commander';
import { firstNode } from '../cluster/everybody.ts';
import { CommandError } from '../command-error.ts';
import { withLookOptions, wholeNumber } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { table } from '../output/table.ts';
import { askOptions } from './status.ts';

const HELP = `
A schema is defined first, then a namespace is bound to it; \`commit\` says which version writers
write. docs/schemas.md tells what a schema may hold, and how a new version is rolled out.

Examples:
  memgrid schema define note-2.json
  memgrid schema bind notes note
  memgrid schema commit note 2
  memgrid schema show note 2

Exit codes: 0 good, 2 it is no schema: all problems are listed, 6 it may not follow what is there,
5 there is no such schema, 3 no node answered.`;

/** `memgrid schema list|show|define|commit|bind`. */
export function defineSchema(command: Command, context: CommandContext): void {
  const list = command.command('list').summary('every schema and every namespace');
  action(list.description('Every schema and every namespace.'), context, 'list', ask);
  const show = command.command('show').summary('one version of one schema, as JSON');
  show
    .argument('<name>', 'of the schema')
    .argument('[version]', 'default: the committed one', VERSION);
  action(show.description('One version of one schema, as JSON.'), context, 'show', showOne);
  const define = command.command('define').summary('add a version of a schema');
  define.argument('<file>', 'JSON; see docs/schemas.md');
  action(define.description('Add a version of a schema.'), context, 'define', defineOne);
  const commit = command.command('commit').summary('say which version writers write');
  commit.argument('<name>', 'of the schema').argument('<version>', 'a defined one', VERSION);
  action(commit.description('Say which version writers write.'), context, 'commit', commitOne);
  const bind = command.command('bind').summary('let a namespace follow a schema, for good');
  bind.argument('<namespace>', 'whose entries').argument('<name>', 'of the schema');
  action(bind.description('Let a namespace follow a schema, for good.'), context, 'bind', bindOne);
}

const VERSION = wholeNumber({ min: 1, max: 2 ** 31 });

/** The arguments of a subcommand, as commander gives them: those first, then the options. */
type Words = readonly (string | number | undefined)[];
type Act = (words: Words, options: LookOptions, context: CommandContext) => Promise<CommandResult>;

function action(command: Command, context: CommandContext, name: string, act: Act): void {
  withLookOptions(command, '10s').addHelpText('after', HELP);
  command.action(async (...given: unknown[]) => {
    const options = command.opts<LookOptions>();
    const words = given.slice(0, -2) as Words;
    const { terminal, finish } = context;
    const call = { command: `schema ${name}`, json: options.json === true, terminal };
    finish(await runCommand(call, () => act(words, options, context)));
  });
}

async function client(options: LookOptions, { terminal }: CommandContext) {
  return (await firstNode(askOptions(options, terminal))).client;
}

async function registry(
  options: LookOptions,
  context: CommandContext,
): Promise<SchemaRegistryImage> {
  return (await (await client(options, context)).get('/cluster/schemas')) as SchemaRegistryImage;
}

interface SchemaRow {
  readonly name: string;
  readonly committed: number;
  readonly definitions: readonly JsonObject[];
}

/** With the built-in version, which the registry does not hold. */
function rowsOf({ schemas }: SchemaRegistryImage): readonly SchemaRow[] {
  const builtIn = schemas.find(({ name }) => name === MEMORY_SCHEMA.name);
  const memory: SchemaRow = {
    name: MEMORY_SCHEMA.name,
    committed: builtIn?.committed ?? 1,
    definitions: [schemaJson(MEMORY_SCHEMA), ...(builtIn?.definitions ?? [])],
  };
  return [memory, ...schemas.filter((schema) => schema !== builtIn)];
}

async function ask(
  _words: Words,
  options: LookOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const image = await registry(options, context);
  const rows = rowsOf(image).map(({ name, committed, definitions }) => {
    const bound = image.namespaces.filter(({ schema }) => schema === name);
    const namespaces = bound.map(({ namespace }) => namespace);
    const everybody = name === MEMORY_SCHEMA.name ? ['every other'] : [];
    return {
      name,
      committed,
      versions: definitions.length,
      namespaces: [...namespaces, ...everybody],
    };
  });
  return {
    data: { schemas: rows, namespaces: image.namespaces },
    text: table(
      [
        { title: 'SCHEMA' },
        { title: 'VERSIONS', align: 'right' },
        { title: 'COMMITTED', align: 'right' },
        { title: 'NAMESPACES' },
      ],
      rows.map(({ name, committed, versions, namespaces }) => [
        name,
        String(versions),
        String(committed),
        namespaces.join(', '),
      ]),
    ),
  };
}

async function showOne(
  [name, version]: Words,
  options: LookOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const row = rowsOf(await registry(options, context)).find((schema) => schema.name === name);
  const wanted = version ?? row?.committed ?? 1;
  const definition = row?.definitions.find((it) => it['version'] === wanted);
  if (definition === undefined) {
    throw new CommandError('NOT_FOUND', `There is no schema ${name} in version ${wanted}.`, {
      exitCode: EXIT.notFound,
      hint: '`memgrid schema list` lists them.',
    });
  }
  return { data: definition, text: JSON.stringify(definition, undefined, 2) };
}

async function defineOne(
  [file]: Words,
  options: LookOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const definition = readJson(String(file));
  const done = await (await client(options, context)).post('/cluster/schemas', definition);
  const { name, version, fingerprint } = done as {
    name: string;
    version: number;
    fingerprint: string;
  };
  return { data: done, text: `${name} version ${version} is defined (${fingerprint}).` };
}

async function commitOne(
  [name, version]: Words,
  options: LookOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const done = await (
    await client(options, context)
  ).post('/cluster/schemas/commit', { name, version });
  return { data: done, text: `Writers write version ${version} of ${name} now.` };
}

async function bindOne(
  [namespace, name]: Words,
  options: LookOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const done = await (
    await client(options, context)
  ).post('/cluster/schemas/bind', { namespace, name });
  return { data: done, text: `Entries of ${namespace} follow ${name} now.` };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandError(
      'UNREADABLE_FILE',
      `${file} cannot be read: ${(error as Error).message}.`,
      {
        exitCode: EXIT.usage,
        cause: error,
      },
    );
  }
}
