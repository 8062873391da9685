import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Grid } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import { durationMs, wholeNumber } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { withGridOptions, withWriteOptions, writeOptionsOf } from '../entries/grid-options.ts';
import type { GridOptions, WriteOptions } from '../entries/grid-options.ts';
import { openGrid, withSession } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import { parseFieldRule } from '../import/field-template.ts';
import type { FieldRule } from '../import/field-template.ts';
import { readReport } from '../import/import-report.ts';
import type { ReadReport } from '../import/import-report.ts';
import { Importer } from '../import/importer.ts';
import type { LineOutcome } from '../import/importer.ts';
import { LineEntries } from '../import/line-entries.ts';
import { readLines } from '../import/read-lines.ts';
import { ReportWriter } from '../import/report-writer.ts';
import { counted, ProgressBar } from '../progress/progress-bar.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Reads one JSON object a line. Without --set a line is an entry, as \`memgrid export\` writes it. With
--set (once for each field) entries are made of lines of any form: {name} is a field of the line,
{a.b} one inside another, {name?} one that may be missing, {{ and }} are braces. Fields are id,
userId, agentId, appId, runId, content, category, categories, expiresAt, ttlMs, immutable and
metadata.<name>.

A line is stored once, however often it is imported: its id follows from the name of the file
(--source), its number and its text, and an entry that is there already is left as it is. So an
import that was interrupted is simply started again. With --report it also skips what the report
says is stored, and \`memgrid verify --report\` compares every replica afterwards.

Examples:
  memgrid import entries.ndjson
  memgrid import turns.ndjson --set content={text} --set userId={speaker} \\
    --set runId={conversation}-{session} --set metadata.turn={turn} --report turns.report
  zcat entries.ndjson.gz | memgrid import - --source entries

Exit codes: 0 every line is stored, 8 some lines are not: they are listed with their numbers,
2 the file or a rule makes no sense, 3 no node answered.`;

interface ImportOptions extends GridOptions, WriteOptions {
  readonly set: readonly FieldRule[];
  readonly source?: string;
  readonly report?: string;
  readonly concurrency: number;
  readonly patience: number;
  readonly replace?: true;
  readonly progress: boolean;
}

/** Complaints that are shown, the lines that each names, and the lines that --json lists. */
const SHOWN_MAX = 20;
const NUMBERS_MAX = 5;
const FAILED_KEPT_MAX = 1_000;
/** Longer, and nobody knows any more whether anything happens. */
const CONNECT_PATIENCE_MS = 20_000;

/** `memgrid import`: stores the lines of a file, each once. */
export function defineImport(command: Command, { terminal, finish }: CommandContext): void {
  withWriteOptions(withGridOptions(command))
    .argument('<file>', 'NDJSON to read; - for standard input')
    .addOption(
      new Option('--set <field=template>', 'how a field is made of a line; once for each field')
        .argParser(addRule)
        .default([], 'lines are entries'),
    )
    .option('--source <name>', 'what the file is called in the ids (default: its name)')
    .option('--report <file>', 'write what became of each line, and go on where it ends')
    .option(
      '--concurrency <n>',
      'lines under way at the same time',
      wholeNumber({ min: 1, max: 4_096 }),
      256,
    )
    .addOption(
      new Option(
        '--patience <duration>',
        'how long a line is tried, and how long the cluster may take none at all',
      )
        .argParser(durationMs)
        .default(60_000, '1m'),
    )
    .option('--replace', 'write over entries that are there already')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP);
  command.action(async (file: string, options: ImportOptions) => {
    const call = { command: 'import', json: options.json === true, terminal };
    finish(await runCommand(call, () => importFile(file, options, terminal)));
  });
}

async function importFile(
  file: string,
  options: ImportOptions,
  terminal: Terminal,
): Promise<CommandResult> {
  const { namespace } = options;
  const source = options.source ?? (file === '-' ? 'stdin' : basename(file));
  const total = file === '-' ? undefined : await lineCount(file);
  const earlier = options.report === undefined ? undefined : await readReport(options.report);
  if (earlier !== undefined) assertSame(earlier, { namespace, source });
  using shutdown = Shutdown.listen();
  const tally = new Tally();
  let gaveUp = false;
  const bar = new ProgressBar(terminal, {
    label: 'importing',
    unit: 'lines',
    total,
    shown: options.progress,
    nowMs: () => performance.now(),
  });
  const head = { report: 'memgrid import', namespace, source } as const;
  const report =
    options.report === undefined
      ? undefined
      : await ReportWriter.open(options.report, earlier === undefined ? head : undefined);
  try {
    // A cluster that is starting or electing is waited for, as a line would be.
    const patienceMs = Math.min(options.patience, CONNECT_PATIENCE_MS);
    const connectTimeoutMs = Math.max(options.timeout, patienceMs);
    const { signal } = shutdown;
    const session = await openGrid(options, terminal, { connectTimeoutMs, signal });
    await withSession(session, async (grid) => {
      const importer = importerOf({ grid, options, source, earlier, shutdown });
      const stream = file === '-' ? process.stdin : createReadStream(file);
      for await (const outcome of importer.run(readLines(stream))) {
        tally.add(outcome);
        await report?.add(outcome);
        bar.update(tally.lines, tally.failedCount === 0 ? '' : `${tally.failedCount} failed`);
      }
      ({ gaveUp } = importer);
    });
  } finally {
    bar.end();
    await report?.close();
  }
  const made = options.set.length > 0;
  return resultOf(tally, { source, made, gaveUp, interrupted: shutdown.signal.aborted });
}

interface ImporterParts {
  readonly grid: Grid;
  readonly options: ImportOptions;
  readonly source: string;
  readonly earlier: ReadReport | undefined;
  readonly shutdown: Shutdown;
}

function importerOf({ grid, options, source, earlier, shutdown }: ImporterParts): Importer {
  const { namespace, set: rules, concurrency, patience } = options;
  const { durability, sync } = writeOptionsOf(options);
  return new Importer({
    namespace: grid.namespace(namespace),
    entries: new LineEntries({ namespace, source, rules }),
    concurrency,
    patienceMs: patience,
    replace: options.replace === true,
    write: { durability, sync },
    done: new Set(earlier?.entries.keys()),
    signal: shutdown.signal,
    nowMs: () => performance.now(),
    pause: (ms) => pause(ms),
  });
}

type FailedLine = Extract<LineOutcome, { kind: 'failed' }>;

/** What became of all lines so far. */
class Tally {
  lines = 0;
  stored = 0;
  present = 0;
  skipped = 0;
  failedCount = 0;
  /** The first of them: a file of the wrong kind may fail in every line. */
  readonly failed: FailedLine[] = [];

  add(outcome: LineOutcome): void {
    this.lines += 1;
    if (outcome.kind === 'stored') this.stored += 1;
    if (outcome.kind === 'present') this.present += 1;
    if (outcome.kind === 'skipped') this.skipped += 1;
    if (outcome.kind !== 'failed') return;
    this.failedCount += 1;
    if (this.failed.length < FAILED_KEPT_MAX) this.failed.push(outcome);
  }
}

interface Circumstances {
  readonly source: string;
  /** Entries were made of the lines with --set. */
  readonly made: boolean;
  readonly gaveUp: boolean;
  readonly interrupted: boolean;
}

/** Each complaint once, with the lines that it is about: in a file of the wrong kind it is one. */
function complaints(failed: readonly FailedLine[], failedCount: number): string[] {
  const alike = Map.groupBy(failed, ({ code, message, applied }) => {
    return `${message} (${code}${applied === 'no' ? '' : ', may be stored'})`;
  });
  let told = 0;
  const shown = [...alike].slice(0, SHOWN_MAX).map(([complaint, about]) => {
    told += about.length;
    const numbers = about.slice(0, NUMBERS_MAX).map(({ line }) => line);
    const more = about.length - numbers.length;
    const rest = more === 0 ? '' : ` and ${counted(more)} more`;
    return `Line${about.length === 1 ? '' : 's'} ${numbers.join(', ')}${rest}: ${complaint}`;
  });
  if (failedCount > told) shown.push(`… and ${counted(failedCount - told)} more lines.`);
  return shown;
}

function resultOf(
  { lines, stored, present, skipped, failed, failedCount }: Tally,
  { source, made, gaveUp, interrupted }: Circumstances,
): CommandResult {
  const ordered = failed.toSorted((a, b) => a.line - b.line);
  const shown = complaints(ordered, failedCount);
  const isForeign = ({ code }: FailedLine): boolean => code === 'INVALID_ENTRY';
  if (lines > 0 && failedCount === lines && !made && failed.every(isForeign)) {
    shown.push('No line is an entry as it is: --set makes entries of lines of any form.');
  }
  if (interrupted) shown.push('Interrupted: start it again to go on.');
  else if (gaveUp) shown.push('The cluster took nothing any more: start it again to go on.');
  const before = present + skipped;
  const was = before === 0 ? '' : `, ${counted(before)} were there already`;
  const not = failedCount === 0 ? '' : `, ${counted(failedCount)} could not be stored`;
  const empty = lines - stored - before - failedCount;
  const none = empty === 0 ? '' : `, ${counted(empty)} were empty`;
  const partial = failedCount > 0 || gaveUp || interrupted;
  return {
    data: {
      source,
      lines,
      stored,
      present,
      skipped,
      failedCount,
      failed: ordered,
      interrupted,
      gaveUp,
    },
    text: `${counted(stored)} of ${counted(lines)} lines stored${was}${not}${none}.`,
    warnings: shown,
    exitCode: partial ? EXIT.partial : EXIT.good,
  };
}

async function lineCount(file: string): Promise<number> {
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is no file');
    let count = 0;
    for await (const line of readLines(createReadStream(file))) count = line.number;
    return count;
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

function assertSame(
  { head }: ReadReport,
  { namespace, source }: { namespace: string; source: string },
): void {
  if (head.namespace === namespace && head.source === source) return;
  throw new CommandError(
    'OTHER_REPORT',
    `The report is about ${head.source} in namespace ${head.namespace}, not ${source} in ${namespace}.`,
    { exitCode: EXIT.conflict, hint: 'Name another file with --report.' },
  );
}

function addRule(text: string, rules: readonly FieldRule[]): readonly FieldRule[] {
  try {
    return [...rules, parseFieldRule(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
