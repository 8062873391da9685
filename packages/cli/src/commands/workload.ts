import { Option, type Command } from 'commander';
import type { ReadLevel } from '@memgrid/client';
import { wholeNumber } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { withGridOptions } from '../entries/grid-options.ts';
import type { GridOptions } from '../entries/grid-options.ts';
import { openGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import { facts } from '../output/table.ts';
import { counted, ProgressBar } from '../progress/progress-bar.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';
import { RegisterWorkload } from '../workload/register-workload.ts';
import { runWorkload } from '../workload/run-workload.ts';
import type { RunReport } from '../workload/run-workload.ts';
import { SessionWorkload } from '../workload/session-workload.ts';
import { SetWorkload } from '../workload/set-workload.ts';
import type { Workload, WorkloadOptions } from '../workload/workload.ts';

const HELP = `
Drives a running cluster with real clients, writes down what they saw, and judges it. Kill nodes
meanwhile: that is what it is for. Every run has a namespace of its own, or entries of its own in the
one that is given, and deletes them at the end, unless --keep says otherwise or something was wrong.
Ctrl-C ends the run early, and what was done is judged; a second one leaves out what is left to do.

The history has one JSON object a line: an operation's beginning (invoke) and its end (ok, fail, or
info where nobody knows the outcome). A checker reads it again at any time. A compare-and-set that
missed, because another value was there, is a fail in it and no failure of the cluster.

Examples:
  memgrid workload register --seconds 30 --history h.ndjson
  memgrid workload set --seconds 60 --clients 20 --rate 500
  memgrid workload set --history s.ndjson --keep && memgrid verify --history s.ndjson
  memgrid workload session --keys 20 --no-check --history s.ndjson

Exit codes: 0 what was promised was kept, 1 it was not: every violation is shown, 7 not everything
could be judged, 3 no node answered.`;

interface Kind {
  readonly name: string;
  readonly summary: string;
  readonly keys: number;
  readonly read: ReadLevel;
  readonly make: (options: WorkloadOptions) => Workload;
}

const KINDS: readonly Kind[] = [
  {
    name: 'register',
    summary: 'read, write and compare-and-set registers; judged as linearizable',
    keys: 10,
    read: 'strong',
    make: (options) => new RegisterWorkload(options),
  },
  {
    name: 'set',
    summary: 'add to sets, then read them: nothing acknowledged may be missing',
    keys: 16,
    read: 'strong',
    make: (options) => new SetWorkload(options),
  },
  {
    name: 'session',
    summary: 'read at level one and write: own writes are read, nothing older returns',
    keys: 10,
    read: 'one',
    make: (options) => new SessionWorkload(options),
  },
];

interface WorkloadCommandOptions extends GridOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly keys: number;
  readonly rate: number;
  readonly read: ReadLevel;
  readonly history?: string;
  readonly keep?: true;
  readonly check: boolean;
  readonly progress: boolean;
}

/** `memgrid workload register|set|session`: drives a cluster and judges it. */
export function defineWorkload(command: Command, { terminal, finish }: CommandContext): void {
  for (const kind of KINDS) {
    const sub = command.command(kind.name).summary(kind.summary);
    withGridOptions(sub.description(`${capitalised(kind.summary)}.`))
      .option('--seconds <n>', 'how long', wholeNumber({ min: 1, max: 86_400 }), 30)
      .option('--clients <n>', 'clients, each with a session of its own', wholeNumber(CLIENTS), 10)
      .option('--keys <n>', 'how many of them at a time', wholeNumber(KEYS), kind.keys)
      .option(
        '--rate <n>',
        'operations a second of all together; 0: no limit',
        wholeNumber(RATE),
        200,
      )
      .addOption(
        new Option('--read <level>', 'of the reads that are judged')
          .choices(['quorum', 'strong'])
          .default(kind.read),
      )
      .option('--history <file>', 'write what the clients saw, one object a line')
      .option('--keep', 'leave the entries in the cluster')
      .option('--no-check', 'do not judge it')
      .option('--no-progress', 'show no progress bar')
      .addHelpText('after', HELP);
    // What a session promises is about reads at level one.
    if (kind.read === 'one') hideRead(sub);
    ownNamespace(sub);
    sub.action(async (options: WorkloadCommandOptions) => {
      const call = { command: `workload ${kind.name}`, json: options.json === true, terminal };
      const isGiven = sub.getOptionValueSource('namespace') !== 'default';
      const namespace = isGiven ? options.namespace : undefined;
      finish(await runCommand(call, () => workload(kind, { ...options, namespace }, terminal)));
    });
  }
}

const CONNECT_TIMEOUT_MS = 15_000;
const CLIENTS = { min: 1, max: 1_000 };
const KEYS = { min: 1, max: 10_000 };
const RATE = { min: 0, max: 1_000_000 };

function hideRead(command: Command): void {
  command.options.find((option) => option.long === '--read')?.hideHelp();
}

function ownNamespace(command: Command): void {
  const option = command.options.find(({ long }) => long === '--namespace');
  if (option !== undefined) option.defaultValueDescription = 'one of its own';
}

async function workload(
  kind: Kind,
  options: Omit<WorkloadCommandOptions, 'namespace'> & { readonly namespace: string | undefined },
  terminal: Terminal,
): Promise<CommandResult> {
  const { namespace, seconds, clients, keys, rate, read, history, check } = options;
  using shutdown = Shutdown.listen();
  const hurry = new AbortController();
  shutdown.onRequest((count) => {
    if (count > 1) hurry.abort();
  });
  const report = await runWorkload({
    make: kind.make,
    open: (atLeast) =>
      openGrid(options, terminal, {
        ...(atLeast === undefined ? {} : { atLeast }),
        // A session that begins while nodes are killed must not end the run.
        connectTimeoutMs: Math.max(options.timeout, CONNECT_TIMEOUT_MS),
        signal: hurry.signal,
      }),
    namespace,
    seconds,
    clients,
    keys,
    rate,
    read,
    history,
    check,
    keep: options.keep === true,
    signal: shutdown.signal,
    hurry: hurry.signal,
    bar: new ProgressBar(terminal, {
      label: kind.name,
      unit: 'seconds',
      total: seconds,
      shown: options.progress,
      nowMs: () => performance.now(),
    }),
  });
  return resultOf(report, history);
}

function resultOf(report: RunReport, history: string | undefined): CommandResult {
  const { runId, namespace, durationMs, operations, verdict, left } = report;
  const { ok, missed, fail, info } = operations;
  const counts = [
    `${counted(ok)} ok`,
    ...(missed === 0 ? [] : [`${counted(missed)} cas missed`]),
    `${counted(fail)} failed`,
    `${counted(info)} unknown`,
  ];
  const judged = verdict === undefined ? 'not asked' : VERDICTS[verdict.kind];
  const found = Object.entries(verdict?.facts ?? {});
  return {
    data: {
      runId,
      namespace,
      durationMs,
      operations,
      verdict: verdict ?? null,
      history: history ?? null,
      entries: left.kind,
    },
    text: facts([
      ['operations', counts.join(', ')],
      ['a second', counted(Math.round((ok * 1_000) / Math.max(durationMs, 1)))],
      ...found.map(([name, count]) => [name, counted(count)] as const),
      ...(history === undefined ? [] : [['history', history] as const]),
      ...(left.kind === 'deleted' ? [] : [['entries', `left in namespace ${namespace}`] as const]),
      ['verdict', judged],
    ]),
    warnings: [
      ...(verdict?.problems ?? []),
      ...(left.kind === 'notDeleted' ? [`Not every entry was deleted: ${left.problem}`] : []),
    ],
    exitCode: EXIT_BY_VERDICT[verdict?.kind ?? 'valid'],
  };
}

const VERDICTS = {
  valid: 'everything that was promised was kept',
  violation: 'VIOLATED',
  unknown: 'nothing wrong was seen, and not everything could be judged',
} as const;

const EXIT_BY_VERDICT = {
  valid: EXIT.good,
  violation: EXIT.failed,
  unknown: EXIT.degraded,
} as const;

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
