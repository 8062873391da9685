import type { Command } from 'commander';
import type { WatchItem } from '@memgrid/client';
import { durationMs, withJsonLines } from '../command-options.ts';
import { showFailure } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { entryJson, excerpt, momentText } from '../entries/entry-text.ts';
import { ownerOf, withClusterOptions, withOwnerOptions } from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions } from '../entries/grid-options.ts';
import { openGrid, withSession } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { paintFor } from '../output/paint.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Shows changes as they are committed, until Ctrl-C or --for, each with the schema and the version of
it that the entry is stored in. A gap is told: what happened in it has to be read again. Each change
has a position, from which a later watch goes on with --since.

Examples:
  memgrid watch --user ada
  memgrid watch --id style --user ada --json | jq -c '[.kind, .entry.content]'

With --json one object a line: put, update, delete, expire, gap.

Exit codes: 0 ended by Ctrl-C or --for, or nobody reads any more, 7 the same, and there were gaps,
3 no node answered.`;

interface WatchCommandOptions extends GridOptions, OwnerOptions {
  readonly id?: string;
  readonly since?: string;
  readonly for?: number;
}

/** `memgrid watch`: changes as they happen. */
export function defineWatch(command: Command, { terminal, finish }: CommandContext): void {
  withOwnerOptions(withJsonLines(withClusterOptions(command)))
    .option('--id <id>', 'of one entry only')
    .option('--since <position>', 'go on after this change of an earlier watch')
    .option('--for <duration>', 'stop by itself', durationMs)
    .addHelpText('after', HELP);
  command.action(async (options: WatchCommandOptions) => {
    const call = { command: 'watch', json: options.json === true, terminal };
    try {
      finish(await watch(options, terminal));
    } catch (error) {
      finish(showFailure(call, error));
    }
  });
}

async function watch(options: WatchCommandOptions, terminal: Terminal): Promise<ExitCode> {
  using shutdown = Shutdown.listen();
  const { id, since, namespace } = options;
  const session = await openGrid(options, terminal, { signal: shutdown.signal });
  return await withSession(session, async (grid) => {
    const filter = { ...ownerOf(options), ...(id === undefined ? {} : { id }) };
    const changes = grid.namespace(namespace).watch(filter, since === undefined ? {} : { since });
    shutdown.signal.addEventListener('abort', () => changes.close(), { once: true });
    // Nobody looks any more (`memgrid watch | head -1`); a pipe tells with the first line in vain.
    terminal.readerGone?.addEventListener('abort', () => changes.close(), { once: true });
    const timer = setTimeout(() => shutdown.request('--for is over'), options.for ?? 2 ** 31 - 1);
    if (options.for === undefined) timer.unref();
    let gaps = 0;
    try {
      for await (const item of changes) {
        if (item.kind === 'gap') gaps += 1;
        show(item, options, terminal);
      }
    } finally {
      clearTimeout(timer);
    }
    return gaps === 0 ? EXIT.good : EXIT.degraded;
  });
}

function show(item: WatchItem, { json }: WatchCommandOptions, terminal: Terminal): void {
  const { stdout } = terminal;
  if (json === true) {
    const entry =
      item.kind !== 'gap' && item.entry !== undefined ? entryJson(item.entry) : undefined;
    stdout.write(`${JSON.stringify(entry === undefined ? item : { ...item, entry })}\n`);
    return;
  }
  const paint = paintFor(stdout, terminal);
  if (item.kind === 'gap') {
    stdout.write(`${paint('yellow', 'gap')}  changes were missed here (${item.reason})\n`);
    return;
  }
  const { kind, id, entry } = item;
  const at = momentText(entry?.updatedAt ?? Date.now());
  const content = entry === undefined ? '' : `  ${excerpt(entry.content, 60)}`;
  const schema =
    entry?.schema === undefined
      ? ''
      : `  ${paint('dim', `${entry.schema.name}@${entry.schema.version}`)}`;
  stdout.write(`${at}  ${paint('bold', kind.padEnd(6))}  ${excerpt(id, 36)}${schema}${content}\n`);
}
