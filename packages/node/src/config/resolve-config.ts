import { ClusterError } from '@memgrid/protocol';
import { closestName } from './closest-name.ts';
import { contradictions } from './contradictions.ts';
import type { NodeConfig, NodeOptions, OptionName } from './node-config.ts';
import { OPTION_NAMES, OPTIONS, environmentName, flagName } from './option-table.ts';
import type { RawValue } from './option-type.ts';

/** Where a value came from, strongest first. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface ConfigSources {
  /** What was typed, or passed by a program, under the option's own name. */
  readonly flags?: NodeOptions | Readonly<Record<string, RawValue>>;
  /** Usually `process.env`; only names that begin with `MEMGRID_` are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Names beginning with `MEMGRID_` that belong to somebody else, such as the command line. */
  readonly foreignEnvironment?: readonly string[];
  /** The parsed content of `memgrid.json`; see `readConfigFile`. */
  readonly file?: { readonly path: string; readonly content: RawValue };
}

export interface ResolvedConfig {
  readonly config: NodeConfig;
  readonly origins: Readonly<Record<OptionName, Origin>>;
}

interface Layer {
  readonly origin: Origin;
  /** How a person would recognise the source of this option. */
  readonly nameOf: (name: OptionName) => string;
  readonly values: ReadonlyMap<OptionName, RawValue>;
}

/** Variables that choose the configuration and are no options of it. */
const FOREIGN_ENVIRONMENT: readonly string[] = ['MEMGRID_CONFIG'];

/**
 * Makes one total configuration from flags, environment, file and defaults, in this order.
 *
 * @throws ClusterError BAD_CONFIGURATION naming every problem at once: nobody should have to start
 * a node five times to learn of five mistakes.
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const layers = [
    flagLayer(sources, problems),
    environmentLayer(sources, problems),
    fileLayer(sources, problems),
  ];
  const values = new Map<OptionName, unknown>();
  const origins = new Map<OptionName, Origin>();
  const unread = new Set<OptionName>();
  for (const name of OPTION_NAMES) {
    const layer = layers.find((one) => one.values.has(name));
    const raw = layer === undefined ? OPTIONS[name].default : layer.values.get(name);
    const reading = OPTIONS[name].type.read(raw);
    origins.set(name, layer?.origin ?? 'default');
    if ('value' in reading) values.set(name, reading.value);
    else {
      unread.add(name);
      values.set(name, OPTIONS[name].default);
      problems.push(`${layer?.nameOf(name) ?? name} ${reading.problem}.`);
    }
  }
  const config = Object.fromEntries(values) as unknown as NodeConfig;
  problems.push(...contradictions(config, unread));
  if (problems.length > 0) throw badConfiguration(problems);
  return {
    config,
    origins: Object.fromEntries(origins) as Readonly<Record<OptionName, Origin>>,
  };
}

function flagLayer(sources: ConfigSources, problems: string[]): Layer {
  const given = Object.entries(sources.flags ?? {});
  const known = knownValues(given, (key) => {
    problems.push(unknown(`Option ${key} is`, key, OPTION_NAMES));
  });
  return { origin: 'flag', nameOf: flagName, values: known };
}

function environmentLayer(sources: ConfigSources, problems: string[]): Layer {
  const byVariable = new Map(OPTION_NAMES.map((name) => [environmentName(name), name]));
  const foreign = [...FOREIGN_ENVIRONMENT, ...(sources.foreignEnvironment ?? [])];
  const values = new Map<OptionName, RawValue>();
  for (const [variable, value] of Object.entries(sources.environment ?? {})) {
    if (!variable.startsWith('MEMGRID_') || value === undefined) continue;
    const name = byVariable.get(variable);
    if (name !== undefined) values.set(name, value);
    else if (!foreign.includes(variable)) {
      const candidates = [...byVariable.keys(), ...foreign];
      problems.push(unknown(`The environment variable ${variable} is`, variable, candidates));
    }
  }
  return { origin: 'environment', nameOf: environmentName, values };
}

function fileLayer(sources: ConfigSources, problems: string[]): Layer {
  const { file } = sources;
  const layer = (values: ReadonlyMap<OptionName, RawValue>): Layer => ({
    origin: 'file',
    nameOf: (name) => `${name} in ${file?.path ?? 'the file'}`,
    values,
  });
  if (file === undefined) return layer(new Map());
  const { content } = file;
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${file.path} must hold one JSON object with options.`);
    return layer(new Map());
  }
  // An editor's schema reference is no option, and useful to keep.
  const given = Object.entries(content).filter(([key]) => key !== '$schema');
  return layer(
    knownValues(given, (key) => {
      problems.push(unknown(`The key ${key} in ${file.path} is`, key, OPTION_NAMES));
    }),
  );
}

function knownValues(
  given: readonly (readonly [string, RawValue])[],
  onUnknown: (key: string) => void,
): Map<OptionName, RawValue> {
  const values = new Map<OptionName, RawValue>();
  for (const [key, value] of given) {
    const name = OPTION_NAMES.find((one) => one === key);
    if (name === undefined) onUnknown(key);
    else if (value !== undefined) values.set(name, value);
  }
  return values;
}

function unknown(what: string, name: string, candidates: readonly string[]): string {
  const closest = closestName(name, candidates);
  const hint = closest === undefined ? '' : ` Did you mean ${closest}?`;
  return `${what} not an option of memgrid.${hint}`;
}

/** One error for any number of problems. */
export function badConfiguration(problems: readonly string[]): ClusterError<'BAD_CONFIGURATION'> {
  const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  const message = `${count} in the configuration:\n${list}`;
  return new ClusterError('BAD_CONFIGURATION', { problems }, { message });
}
