import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ReadLevel, SyncClass } from '@memgrid/client';
import { benchCluster, type BenchClusterResult } from '../bench/bench-cluster.ts';
import { benchDataset, DATASET_COUNT_MAX } from '../bench/bench-dataset.ts';
import { LOAD_LIMITS } from '../bench/check-load.ts';
import { BATCH_ENTRIES, DATASET_SIZES, SCOPE_ENTRIES, type DatasetSize } from '../bench/dataset.ts';
import { machineText, markdownReport, versionsText } from '../bench/markdown-report.ts';
import { reportColumns } from '../bench/report-cells.ts';
import { readingAid } from '../bench/reading-aid.ts';
import { checkPlan, type LoadPlan } from '../bench/rounds.ts';
import { WORKLOADS, type WorkloadName } from '../bench/subject.ts';
import { svgPlot } from '../bench/svg-plot.ts';
import { wholeNumber, withJson } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { nodesOption, timeoutOption } from '../entries/grid-options.ts';
import { openGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { FileSink } from '../output/file-sink.ts';
import { table } from '../output/table.ts';
import { ProgressBar } from '../progress/progress-bar.ts';
import { Shutdown } from '../shutdown.ts';
import { columnsOf } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Measures a running cluster with one client, in this process: on a machine that also runs the nodes
they share its cores. The entries are stored in a namespace of their own first, and deleted at the end
unless --keep says otherwise. Ctrl-C ends it early: what was measured is shown, marked as partial; a
second one leaves out the deleting.

Without --rate it is a closed loop: --in-flight calls at any time, as soon as one is answered the next
begins. That tells how much the cluster can do. With --rate it is an open loop: so many calls are due
each second, and the latency of each counts from then, whoever was slow. That tells what a user sees.

Workloads:
  set    store entries                     list   the ${SCOPE_ENTRIES} entries of one owner
  get    read entries at --read            cas    store unless changed since it was read
  mix    nine reads, one write (Zipf)      near   read entries from the near cache
  batch  store ${BATCH_ENTRIES} entries in one call        watch  one writer, --watchers who listen

Examples:
  memgrid bench
  memgrid bench --workload set,get --sync memory --in-flight 256 --rounds 5
  memgrid bench --workload mix --rate 20000 --seconds 30 --svg latency.svg
  memgrid bench --workload watch --rate 500 --watchers 20 --json | jq .data.report.rows

Exit codes: 0 all of it was measured, 7 so it was, and some operations failed or some changes were not
heard, 8 partial: it was interrupted, or the cluster stopped answering, 3 no node answered, 1 the
entries could not be stored.`;

interface BenchCommandOptions {
  readonly json?: true;
  readonly nodes: readonly string[];
  readonly timeout: number;
  readonly workload: readonly WorkloadName[];
  readonly inFlight?: number;
  readonly rate?: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly rounds: number;
  readonly size: DatasetSize;
  readonly entries?: number;
  readonly turns?: string;
  readonly keys?: 'uniform' | 'zipf';
  readonly seed: number;
  readonly watchers: number;
  readonly sync: SyncClass;
  readonly read: ReadLevel;
  readonly markdown?: string;
  readonly svg?: string;
  readonly keep?: true;
  readonly progress: boolean;
}

/** `memgrid bench`: throughput and latency of a running cluster. */
export function defineBench(command: Command, { terminal, finish }: CommandContext): void {
  withReportOptions(
    withLoadOptions(command.addOption(nodesOption()).addOption(timeoutOption('5s'))),
  ).addHelpText('after', HELP);
  command.action(async (options: BenchCommandOptions) => {
    const call = { command: 'bench', json: options.json === true, terminal };
    finish(await runCommand(call, () => bench(options, terminal)));
  });
}

const ENTRIES = { min: SCOPE_ENTRIES, max: DATASET_COUNT_MAX };

function withLoadOptions(command: Command): Command {
  const { inFlight, rate, seconds, warmupSeconds, rounds, watchers } = LOAD_LIMITS;
  return command
    .addOption(
      new Option('--workload <name,…>', `${WORKLOADS.join(', ')}; several are measured in turn`)
        .argParser(workloads)
        .default(['set', 'get', 'mix'], 'set,get,mix'),
    )
    .option(
      '--in-flight <n>',
      'calls under way at any time (default: 256; 16 of batch, list and watch)',
      wholeNumber(inFlight),
    )
    .addOption(
      new Option('--rate <n>', 'calls that are due each second, instead of --in-flight')
        .argParser(wholeNumber(rate))
        .conflicts('inFlight'),
    )
    .option('--seconds <n>', 'measured in each round', wholeNumber({ ...seconds, min: 1 }), 5)
    .option('--warmup <n>', 'seconds before that in each round', wholeNumber(warmupSeconds), 1)
    .option('--rounds <n>', 'how often; medians are shown', wholeNumber(rounds), 3)
    .addOption(
      new Option('--size <size>', 'what an entry holds: a turn of a talk, or bytes of text')
        .choices(DATASET_SIZES)
        .default('turns'),
    )
    .option(
      '--entries <n>',
      `how many, ${SCOPE_ENTRIES} of each owner (default: 10000; 1000 of 16384 bytes)`,
      wholeNumber(ENTRIES),
    )
    .option('--turns <file>', 'talks of your own: one {"speaker", "text"} a line')
    .addOption(
      new Option(
        '--keys <how>',
        'which entries (default: zipf for mix, otherwise uniform)',
      ).choices(['uniform', 'zipf']),
    )
    .option('--seed <n>', 'the same seed asks for the same entries', wholeNumber(SEEDS), 1)
    .option('--watchers <n>', 'of the workload watch', wholeNumber(watchers), 10)
    .addOption(
      new Option('--sync <class>', 'what a majority does before a write is acknowledged')
        .choices(['memory', 'os', 'disk'])
        .default('disk'),
    )
    .addOption(
      new Option('--read <level>', 'of get, mix and list')
        .choices(['one', 'quorum', 'strong'])
        .default('one'),
    );
}

const SEEDS = { min: 0, max: 2 ** 32 };

function withReportOptions(command: Command): Command {
  return withJson(command)
    .option('--markdown <file>', 'write the table as Markdown')
    .option('--svg <file>', 'draw throughput and latency')
    .option('--keep', 'leave the entries in the cluster')
    .option('--no-progress', 'show no progress bar');
}

function workloads(text: string): readonly WorkloadName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isWorkload(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no workload "${unknown}"; there are ${WORKLOADS.join(', ')}.`,
    );
  }
  return [...new Set(names.filter(isWorkload))];
}

function isWorkload(name: string): name is WorkloadName {
  return (WORKLOADS as readonly string[]).includes(name);
}

async function bench(options: BenchCommandOptions, terminal: Terminal): Promise<CommandResult> {
  const { size, entries, turns, seconds, warmup, watchers } = options;
  const dataset = await benchDataset({
    size,
    ...(entries === undefined ? {} : { count: entries }),
    ...(turns === undefined ? {} : { turnsFile: turns }),
  });
  const plans = options.workload.map((workload) => planOf(workload, options));
  const load = { seconds, warmupSeconds: warmup, watchers, dataset };
  for (const plan of plans) checkPlan(plan, { name: 'memgrid', workloads: EVERY_WORKLOAD }, load);
  // Not after minutes of measuring, and not over a file that nobody can write.
  const files = await Files.open(options);
  try {
    using shutdown = Shutdown.listen();
    const hurry = new AbortController();
    shutdown.onRequest((count) => {
      if (count > 1) hurry.abort();
    });
    const result = await benchCluster({
      ...options,
      ...load,
      plans,
      keep: options.keep === true,
      open: ({ nearBytesMax }) =>
        openGrid(options, terminal, {
          signal: hurry.signal,
          ...(nearBytesMax === undefined ? {} : { nearCache: { bytesMax: nearBytesMax } }),
        }),
      signal: shutdown.signal,
      hurry: hurry.signal,
      bar: (label, unit, total) =>
        new ProgressBar(terminal, {
          label,
          unit,
          total,
          shown: options.progress,
          nowMs: () => performance.now(),
        }),
    });
    files.write(result);
    const aid = readingAid({ ...options, ...load, plans });
    return resultOf(result, { ...options, aid }, terminal);
  } finally {
    await files.close();
  }
}

const EVERY_WORKLOAD: ReadonlySet<WorkloadName> = new Set(WORKLOADS);

function planOf(workload: WorkloadName, { rate, inFlight, keys }: BenchCommandOptions): LoadPlan {
  const usual = MANY_IN_ONE.has(workload) ? IN_FLIGHT_OF_MANY : IN_FLIGHT;
  const loop =
    rate === undefined
      ? ({ kind: 'closed', inFlight: inFlight ?? usual } as const)
      : ({ kind: 'open', rate } as const);
  return keys === undefined ? { workload, loop } : { workload, loop, keys };
}

const IN_FLIGHT = 256;
/** One call of these is the work of dozens. */
const MANY_IN_ONE: ReadonlySet<WorkloadName> = new Set(['batch', 'list', 'watch']);
const IN_FLIGHT_OF_MANY = 16;

/** The reports that go into files. */
class Files {
  readonly #markdown: FileSink | undefined;
  readonly #svg: FileSink | undefined;

  private constructor(markdown: FileSink | undefined, svg: FileSink | undefined) {
    this.#markdown = markdown;
    this.#svg = svg;
  }

  /** @throws CommandError when one cannot be opened. */
  static async open({ markdown, svg }: BenchCommandOptions): Promise<Files> {
    const sink = async (path: string | undefined): Promise<FileSink | undefined> =>
      path === undefined ? undefined : await FileSink.open(path, 'w');
    return new Files(await sink(markdown), await sink(svg));
  }

  write({ report }: BenchClusterResult): void {
    this.#markdown?.write(markdownReport(report));
    this.#svg?.write(svgPlot(report));
  }

  /** @throws CommandError when one does not hold all of its report. */
  async close(): Promise<void> {
    await this.#markdown?.close();
    await this.#svg?.close();
  }
}

function resultOf(
  { report, namespace, left }: BenchClusterResult,
  { markdown, svg, aid }: BenchCommandOptions & { readonly aid: readonly string[] },
  terminal: Terminal,
): CommandResult {
  // There is one, which everybody knows who has asked for this.
  const columns = reportColumns(report.rows).filter(({ title }) => title !== 'subject');
  const cells = report.rows.map((row) => columns.map(({ cell }) => cell(row)));
  const written = [markdown, svg].filter((file) => file !== undefined);
  const widthMax = terminal.stdout.isTTY === true ? columnsOf(terminal.stdout, Infinity) : Infinity;
  return {
    data: { report, namespace, entries: left.kind, files: written },
    text: [
      table(columns, cells, widthMax),
      '',
      ...aid,
      `${machineText(report)}; ${versionsText(report)}`,
      ...written.map((file) => `written: ${file}`),
    ].join('\n'),
    warnings: warningsOf({ report, namespace, left }),
    exitCode: exitCodeOf(report),
  };
}

function warningsOf({ report, namespace, left }: BenchClusterResult): readonly string[] {
  const failures = report.rows.flatMap(({ plan, rounds }) =>
    rounds.flatMap((round) =>
      round.failures.map(({ what, count }) => `${plan.workload}: ${count} x ${what}`),
    ),
  );
  return [
    ...(report.partial ? ['This is partial: not all of it was measured.'] : []),
    ...failures,
    ...(left.kind === 'kept' ? [`The entries are kept in namespace ${namespace}.`] : []),
    ...(left.kind === 'notDeleted'
      ? [`Not every entry of namespace ${namespace} was deleted: ${left.problem}`]
      : []),
  ];
}

function exitCodeOf({ partial, rows }: BenchClusterResult['report']): ExitCode {
  if (partial) return EXIT.partial;
  const isWhole = rows.every(({ numbers }) => {
    const missed = (numbers?.watch?.missing ?? 0) + (numbers?.watch?.gaps ?? 0);
    return (numbers?.failed ?? 0) + missed === 0;
  });
  return isWhole ? EXIT.good : EXIT.degraded;
}
