import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import {
  OPTION_NAMES,
  helpText,
  optionHelp,
  readConfigFile,
  resolveConfig,
  showValue,
} from '@memgrid/node/config';
import type { NodeConfig, OptionName, Origin } from '@memgrid/node/config';

/** What commander hands over: only options that were typed, under their own names. */
export type TypedOptions = Readonly<Record<string, unknown>>;

/** Variables of the command line that are no options of a node. */
const FOREIGN_ENVIRONMENT = [
  'MEMGRID_NODE',
  'MEMGRID_NODES',
  'MEMGRID_NAMESPACE',
  'MEMGRID_CONFIG',
];

interface ConfigRow {
  readonly name: OptionName;
  readonly value: string;
  readonly origin: Origin;
}

interface Resolved {
  readonly config: NodeConfig;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  readonly rows: readonly ConfigRow[];
}

/**
 * Adds every option of a node to a command.
 *
 * Values stay text here: `resolveConfig` reads them, so that a flag, a variable and a file are
 * judged by the same rules and all problems come out at once.
 */
export function withNodeOptions(command: Command): Command {
  command.option('--config <file>', 'configuration file (MEMGRID_CONFIG; default memgrid.json)');
  for (const name of OPTION_NAMES) {
    const { flag, placeholder, text } = optionHelp(name);
    const option = new Option(placeholder === undefined ? flag : `${flag} <${placeholder}>`, text);
    if (placeholder !== undefined) option.argParser(onlyOnce(flag));
    // Shown below instead, where a paragraph has room.
    command.addOption(option.hideHelp());
  }
  return command.addHelpText(
    'after',
    `\nOptions of a node, with variable and file key:\n\n${helpText()}`,
  );
}

/** The total configuration from what was typed, the environment and the file. */
export async function resolvedFrom(
  options: TypedOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Resolved> {
  const named = options['config'] ?? environment['MEMGRID_CONFIG'];
  const file = readConfigFile(typeof named === 'string' ? named : undefined);
  const flags = Object.fromEntries(
    OPTION_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  const { config, origins } = resolveConfig({
    flags,
    environment,
    foreignEnvironment: FOREIGN_ENVIRONMENT,
    ...(file === undefined ? {} : { file }),
  });
  const rows = OPTION_NAMES.map((name) => ({
    name,
    value: showValue(name, config[name]),
    origin: origins[name],
  }));
  return { config, file: file?.path, rows };
}

/** Two values for one flag is a mistake somewhere in a script; taking either would hide it. */
function onlyOnce(flag: string): (text: string, previous: unknown) => string {
  return (text, previous) => {
    if (previous !== undefined) throw new InvalidArgumentError(`${flag} is given twice.`);
    return text;
  };
}
