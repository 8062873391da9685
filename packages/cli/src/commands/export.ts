import process from 'node:process';
import type { Command } from 'commander';
import type { Listed, Namespace } from '@memgrid/client';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import {
  ownerOf,
  readOptionsOf,
  withGridOptions,
  withOwnerOptions,
  withReadOptions,
} from '../entries/grid-options.ts';
import type { GridOptions, OwnerOptions, ReadOptions } from '../entries/grid-options.ts';
import { openGrid, withSession } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import { FileSink } from '../output/file-sink.ts';
import { untilDrained } from '../output/until-drained.ts';
import { counted, ProgressBar } from '../progress/progress-bar.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Writes one entry a line, as \`memgrid import\` reads it: the id and the owner with it, so that an
import into another cluster, with any number of shards, has the same entries under the same ids.
Shards are read one after the other while others write: every line was true at some moment of the
export, all of them together need not have been.

Examples:
  memgrid export --out everything.ndjson
  memgrid export --user ada > ada.ndjson

Exit codes: 0 everything was written, or the reader wanted no more of it (\`… | head\`), 8 it was
interrupted or some shards did not answer.`;

interface ExportOptions extends GridOptions, OwnerOptions, ReadOptions {
  readonly out?: string;
  readonly progress: boolean;
}

/** Entries asked for at once: the most that a page may have. */
const PAGE_ENTRIES = 1_000;

/** `memgrid export`: writes entries as lines. */
export function defineExport(command: Command, { terminal, finish }: CommandContext): void {
  withReadOptions(withOwnerOptions(withGridOptions(command, '30s')), 'quorum')
    .option('--out <file>', 'where to write (default: standard output)')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP);
  command.action(async (options: ExportOptions) => {
    // Lines and an envelope on the same stream would be neither.
    const json = options.json === true && options.out !== undefined;
    const call = { command: 'export', json, terminal };
    finish(await runCommand(call, () => exportEntries(options, terminal)));
  });
}

async function exportEntries(options: ExportOptions, terminal: Terminal): Promise<CommandResult> {
  using shutdown = Shutdown.listen();
  const session = await openGrid(options, terminal, { signal: shutdown.signal });
  return await withSession(session, async (grid) => {
    const entries = grid.namespace(options.namespace);
    const owner = ownerOf(options);
    const { count } = await entries.count(owner, readOptionsOf(options));
    const bar = new ProgressBar(terminal, {
      label: 'exporting',
      unit: 'entries',
      total: count,
      shown: options.progress && (options.out !== undefined || terminal.stdout.isTTY !== true),
      nowMs: () => performance.now(),
    });
    const file = options.out === undefined ? undefined : await FileSink.open(options.out, 'w');
    let written = 0;
    let complete = false;
    try {
      for await (const page of pages(entries, options, shutdown.signal)) {
        const lines = page.items.map(lineOf).join('');
        if (file === undefined) {
          if (!(await writeOut(lines, terminal))) break;
        } else {
          file.write(lines);
          await file.drained();
        }
        written += page.items.length;
        complete = page.complete;
        bar.update(written);
      }
    } finally {
      bar.end();
      await file?.close();
    }
    // Whoever took only the beginning has what it wanted.
    if (options.out === undefined && terminal.readerGone?.aborted === true) {
      return { data: { written, complete }, text: '' };
    }
    const where = options.out === undefined ? '' : ` to ${options.out}`;
    return {
      data: { written, complete },
      // On standard output are the lines and nothing else.
      text: options.out === undefined ? '' : `${counted(written)} entries written${where}.`,
      warnings: complete ? [] : ['Not everything was written.'],
      exitCode: complete ? EXIT.good : EXIT.partial,
    };
  });
}

/** False when whoever read the lines went away (`memgrid export | head`): there is no more to do. */
async function writeOut(text: string, { readerGone }: Terminal): Promise<boolean> {
  if (!process.stdout.write(text)) await untilDrained(process.stdout);
  return readerGone?.aborted !== true;
}

async function* pages(entries: Namespace, options: ExportOptions, signal: AbortSignal) {
  let cursor: string | undefined;
  do {
    if (signal.aborted) return;
    const settings = { ...readOptionsOf(options), limit: PAGE_ENTRIES };
    const page = await entries.list(
      ownerOf(options),
      cursor === undefined ? settings : { ...settings, cursor },
    );
    yield page;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** An entry as `memgrid import` reads it; what it cannot set is there for people. */
export function lineOf({ entry, version }: Listed): string {
  const { id, userId, agentId, appId, runId, content, category, categories, metadata } = entry;
  const { expiresAt, immutable, schema, createdAt, updatedAt } = entry;
  const line = {
    id,
    userId,
    agentId,
    appId,
    runId,
    content,
    category: category === '' ? undefined : category,
    categories: categories.length === 0 ? undefined : categories,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    expiresAt,
    immutable: immutable ? true : undefined,
    schema,
    createdAt,
    updatedAt,
    version,
  };
  return `${JSON.stringify(line)}\n`;
}
