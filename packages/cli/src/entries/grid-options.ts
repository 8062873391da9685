import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Durability, Owner, ReadLevel, SyncClass } from '@memgrid/client';
import { durationMs, wholeNumber, withJson } from '../command-options.ts';

/** Where `memgrid dev` puts its nodes: the default port for clients, then the next two. */
export const DEFAULT_GRID_NODES = [7700, 7701, 7702].map((port) => `127.0.0.1:${port}`);

/** What every command takes that works with entries. */
export interface GridOptions {
  readonly json?: true;
  /** Addresses for clients, of which one is enough. */
  readonly nodes: readonly string[];
  readonly namespace: string;
  readonly timeout: number;
}

/** Adds the options of every command that works with entries. */
export function withGridOptions(command: Command, timeout = '5s'): Command {
  return withJson(withClusterOptions(command, timeout));
}

/** The same without `--json`, for commands that print objects one a line. */
export function withClusterOptions(command: Command, timeout = '5s'): Command {
  return command
    .addOption(nodesOption())
    .addOption(
      new Option('--namespace <name>', 'whose entries').env('MEMGRID_NAMESPACE').default('default'),
    )
    .addOption(timeoutOption(timeout));
}

/** Where a client begins. */
export function nodesOption(): Option {
  return new Option('--nodes <address,…>', 'where to begin: host:port or ws://host:port')
    .argParser(gridAddresses)
    .env('MEMGRID_NODES')
    .default(DEFAULT_GRID_NODES, '127.0.0.1, ports 7700 to 7702');
}

/** How long a client waits for an answer. */
export function timeoutOption(timeout: string): Option {
  return new Option('--timeout <duration>', 'how long one call may take, retries included')
    .argParser(durationMs)
    .default(durationMs(timeout), timeout);
}

export interface OwnerOptions {
  readonly user?: string;
  readonly agent?: string;
  readonly app?: string;
  readonly run?: string;
}

/** Adds the options that say whose memory it is. */
export function withOwnerOptions(command: Command): Command {
  return command
    .option('--user <id>', 'whose memory it is: the user')
    .option('--agent <id>', 'the agent')
    .option('--app <id>', 'the application')
    .option('--run <id>', 'the run or session');
}

/** The owner that the options name. */
export function ownerOf({ user, agent, app, run }: OwnerOptions): Owner {
  return {
    ...(user === undefined ? {} : { userId: user }),
    ...(agent === undefined ? {} : { agentId: agent }),
    ...(app === undefined ? {} : { appId: app }),
    ...(run === undefined ? {} : { runId: run }),
  };
}

/** For whoever finds nothing under an id. */
export const OWN_ID_HINT =
  'An id of your own is looked for under the owner given with --user, --agent, --app, --run.';

export interface ReadOptions {
  readonly read: ReadLevel;
  readonly schemaVersion?: number;
}

/** Adds the option that says which version of the schema the caller knows. */
export function withSchemaVersion(command: Command): Command {
  return command.option(
    '--schema-version <n>',
    'version of the schema to speak (default: the committed one)',
    wholeNumber({ min: 1, max: 2 ** 31 }),
  );
}

/** What an entry is read with. */
export function readOptionsOf({ read, schemaVersion }: ReadOptions): ReadOptions {
  return { read, ...(schemaVersion === undefined ? {} : { schemaVersion }) };
}

export function withReadOptions(command: Command, level: ReadLevel = 'one'): Command {
  return withSchemaVersion(command).addOption(
    new Option(
      '--read <level>',
      'who answers: any replica, a majority, or the primary after asking one',
    )
      .choices(['one', 'quorum', 'strong'])
      .default(level),
  );
}

export interface WriteOptions {
  readonly durability: Durability;
  readonly sync: SyncClass;
  readonly operationId?: string;
}

export function withWriteOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--durability <level>', 'answered when the primary, or a majority, has it')
        .choices(['one', 'quorum'])
        .default('quorum'),
    )
    .addOption(
      new Option('--sync <class>', 'what "has it" means')
        .choices(['memory', 'os', 'disk'])
        .default('disk'),
    )
    .option(
      '--operation-id <uuid>',
      'repeat an earlier write: the same id is never carried out twice',
    );
}

/** What a write is called with. */
export function writeOptionsOf({ durability, sync, operationId }: WriteOptions): {
  readonly durability: Durability;
  readonly sync: SyncClass;
  readonly operationId?: string;
} {
  return { durability, sync, ...(operationId === undefined ? {} : { operationId }) };
}

/** Reads a JSON object or refuses it, with what is wrong. */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidArgumentError('Give a JSON object: \'{"topic": "tabs"}\'.');
}

function gridAddresses(text: string): readonly string[] {
  return text.split(',').map((one) => {
    const address = one.trim();
    const url = URL.parse(address.includes('://') ? address : `ws://${address}`);
    if (url === null || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.port === '') {
      throw new InvalidArgumentError(`"${address}" is no address like 127.0.0.1:7700.`);
    }
    return address;
  });
}
