import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseDuration } from './duration.ts';

/**
 * Where look commands ask when nobody says otherwise: the default port, then the next two, which
 * is where `memgrid dev` puts its nodes. One of them may just have been killed.
 */
export const DEFAULT_NODES = [7780, 7781, 7782].map((port) => `http://127.0.0.1:${port}`);

export interface LookOptions {
  readonly json?: true;
  /** Admin addresses, tried in order until one answers. */
  readonly node: readonly string[];
  readonly timeout: number;
}

/** For commands that answer once. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON envelope instead of text');
}

/** For commands that tell things as they happen. */
export function withJsonLines(command: Command): Command {
  return command.option('--json', 'print one JSON object a line instead of text');
}

/** The options of every command that asks a running cluster. */
export function withLookOptions(command: Command, timeout = '3s'): Command {
  return withJson(command)
    .addOption(
      new Option(
        '--node <url,…>',
        'admin address to ask; several are tried in order. For https with an authority of your own set NODE_EXTRA_CA_CERTS',
      )
        .argParser(adminAddresses)
        .env('MEMGRID_NODE')
        .default(DEFAULT_NODES, '127.0.0.1, ports 7780 to 7782'),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long one answer may take: 500ms, 3s, 1m')
        .argParser(durationMs)
        .default(durationMs(timeout), timeout),
    );
}

/** Reads a duration or refuses it, naming what would be right. */
export function durationMs(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined || parsed === 0) {
    throw new InvalidArgumentError('Give a number with a unit: 500ms, 20s, 10m, 1h.');
  }
  return parsed;
}

/** Reads the beginning of a node's id or refuses it. */
export function nodeIdPrefix(text: string): string {
  if (/^[0-9a-f]{4,32}$/.test(text)) return text;
  throw new InvalidArgumentError('Give 4 to 32 hex digits; `memgrid members` lists the ids.');
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A parser for whole numbers of a range. */
export function wholeNumber({ min, max }: Range): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function adminAddresses(text: string): readonly string[] {
  return text.split(',').map((one) => {
    const address = one.trim();
    const url = URL.parse(address.includes('://') ? address : `http://${address}`);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new InvalidArgumentError(`"${address}" is no address like http://127.0.0.1:7780.`);
    }
    const { pathname, search, hash, username, password } = url;
    if (pathname !== '/' || [search, hash, username, password].some((part) => part !== '')) {
      throw new InvalidArgumentError(
        `"${address}" must name no more than a host and a port, like http://127.0.0.1:7780.`,
      );
    }
    return url.origin;
  });
}
