import type { NodeConfig, OptionName } from './node-config.ts';
import { OPTION_NAMES, OPTIONS, environmentName, flagName } from './option-table.ts';

/** One option as help, documents and completions show it. */
export interface OptionHelp {
  readonly name: OptionName;
  readonly flag: string;
  /** `host:port`, `n`, …; undefined for a flag without a value. */
  readonly placeholder: string | undefined;
  readonly environment: string;
  readonly unit: string | undefined;
  readonly choices: readonly string[] | undefined;
  readonly defaultText: string;
  readonly text: string;
}

export function optionHelp(name: OptionName): OptionHelp {
  const { type, text } = OPTIONS[name];
  return {
    name,
    flag: flagName(name),
    placeholder: type.placeholder,
    environment: environmentName(name),
    unit: type.unit,
    choices: type.choices?.map(String),
    defaultText: showValue(name, OPTIONS[name].default),
    text,
  };
}

/** All options, one paragraph each, wrapped at `width` columns. */
export function helpText(width = 100): string {
  return OPTION_NAMES.map((name) => paragraph(optionHelp(name), width)).join('\n\n');
}

/** A value as a person would type it; a secret only says whether there is one. */
export function showValue<Name extends OptionName>(name: Name, value: NodeConfig[Name]): string {
  if (OPTIONS[name].type.secret === true) return value === '' ? '(none)' : '(set)';
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(',');
  return value === '' ? '(none)' : String(value);
}

function paragraph(help: OptionHelp, width: number): string {
  const value = help.placeholder === undefined ? '' : ` <${help.placeholder}>`;
  const facts = [`default ${help.defaultText}`, help.environment, `"${help.name}"`];
  const body = wrap(help.text, width - 6).map((line) => `      ${line}`);
  return [`  ${help.flag}${value}   [${facts.join(', ')}]`, ...body].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
