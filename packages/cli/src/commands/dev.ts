import { Option } from 'commander';
import type { Command } from 'commander';
import { durationMs, wholeNumber, withJsonLines } from '../command-options.ts';
import { showFailure } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { ClusterWatch } from '../dev/cluster-watch.ts';
import { closeDevDirectory, openDevDirectory } from '../dev/dev-directory.ts';
import type { DevDirectory } from '../dev/dev-directory.ts';
import { jsonReport, textReport } from '../dev/dev-report.ts';
import type { DevReport } from '../dev/dev-report.ts';
import { LocalCluster } from '../dev/local-cluster.ts';
import type { LocalNode } from '../dev/local-cluster.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Starts real processes on free ports of this machine (7700… and 7780… while those are free), waits
until they are one cluster, and stops every one of them at the end, however it comes: Ctrl-C,
SIGTERM, --for, or the end of this process.

Without --data the nodes forget everything at the end. With it a later \`memgrid dev\` with the same
directory brings the same nodes back, also those that were killed. When one ends before the others,
the line that starts it again is shown.

Examples:
  memgrid dev
  memgrid dev --nodes 5 --data ./grid
  memgrid dev --nodes 3 --for 20s --json | jq -c .

With --json one object a line: cluster.ready, coordinator.lost, coordinator.changed,
member.changed, node.ended, cluster.stopping, cluster.stopped.

Exit codes: 0 the cluster formed and what was left of it at the end stopped in good order, also
when nodes were killed meanwhile; 1 it did not form, or nothing was left, or a node had to be
killed at the end.`;

interface DevOptions {
  readonly nodes: number;
  readonly data?: string;
  readonly fresh?: true;
  readonly for?: number;
  readonly timeout: number;
  readonly json?: true;
}

/** More processes than this say nothing about a cluster and much about one laptop. */
const NODES_MAX = 20;

/** `memgrid dev`: a whole cluster on this machine. */
export function defineDev(command: Command, { terminal, finish }: CommandContext): void {
  withJsonLines(command)
    .option('--nodes <n>', 'how many nodes', wholeNumber({ min: 1, max: NODES_MAX }), 3)
    .option('--data <directory>', 'keep the data here (default: a temporary directory)')
    .option('--fresh', 'begin with an empty --data')
    .option('--for <duration>', 'stop by itself after 20s, 5m, …', durationMs)
    .addOption(
      new Option('--timeout <duration>', 'how long the cluster may take to form')
        .argParser(durationMs)
        .default(30_000, '30s'),
    )
    .addHelpText('after', HELP);
  command.action(async (options: DevOptions) => {
    const call = { command: 'dev', json: options.json === true, terminal };
    try {
      finish(await dev(options, terminal));
    } catch (error) {
      finish(showFailure(call, error));
    }
  });
}

async function dev(options: DevOptions, terminal: Terminal): Promise<ExitCode> {
  using shutdown = Shutdown.listen();
  const report = options.json === true ? jsonReport(terminal) : textReport(terminal);
  const { nodes } = options;
  const directory = openDevDirectory({
    data: options.data,
    fresh: options.fresh === true,
    nodes,
  });
  const { environment } = terminal;
  const cluster = new LocalCluster({ nodes, directory, environment });
  shutdown.onRequest((count) => {
    if (count > 1) cluster.kill();
  });
  try {
    const end = await live({ cluster, directory, options, report, shutdown, terminal });
    const stopped = await cluster.stop(end.coordinator?.process);
    const ok = end.running > 0 && stopped.killed.length === 0 && stopped.failed.length === 0;
    report.stopped(stopped, ok);
    return ok ? EXIT.good : EXIT.failed;
  } finally {
    // Also when it never formed: no process and no temporary file outlives this command.
    await cluster.stop();
    closeDevDirectory(directory);
  }
}

interface Session {
  readonly cluster: LocalCluster;
  readonly directory: DevDirectory;
  readonly options: DevOptions;
  readonly report: DevReport;
  readonly shutdown: Shutdown;
  readonly terminal: Terminal;
}

/** What there was when the wish to end came. */
interface SessionEnd {
  readonly running: number;
  readonly coordinator: LocalNode | undefined;
}

/** From the first process to the wish that it ends. */
async function live(session: Session): Promise<SessionEnd> {
  const { cluster, directory, options, report, shutdown, terminal } = session;
  const startedAt = performance.now();
  const formed = await untilRequest(async () => {
    const nodes = await cluster.start();
    const watch = new ClusterWatch(nodes, terminal.environment['MEMGRID_TOKEN'] ?? '');
    const agreement = await watch.agreement(options.timeout, shutdown.signal);
    return { nodes, watch, agreement };
  }, shutdown);
  // Asked to stop before there was a cluster: that is no failure.
  if (formed === undefined) {
    report.stopping(shutdown.reason);
    return { running: options.nodes, coordinator: undefined };
  }
  const { nodes, watch, agreement } = formed;
  const tookMs = Math.round(performance.now() - startedAt);
  report.ready({ ...agreement, nodes, directory, tookMs });
  const timer = setTimeout(() => shutdown.request('--for is over'), options.for ?? 2 ** 31 - 1);
  if (options.for === undefined) timer.unref();
  watchEndings(nodes, session);
  for await (const change of watch.changes(shutdown.signal)) report.changed(change);
  clearTimeout(timer);
  report.stopping(shutdown.reason);
  return { running: running(nodes).length, coordinator: watch.coordinator };
}

/** Reports nodes that end by themselves; when none is left there is nothing to wait for. */
function watchEndings(nodes: readonly LocalNode[], { report, shutdown }: Session): void {
  for (const node of nodes) {
    void node.process.ended.then((ending) => {
      if (shutdown.signal.aborted) return;
      report.ended(node, ending);
      if (running(nodes).length === 0) shutdown.request('no node is left');
    });
  }
}

function running(nodes: readonly LocalNode[]): readonly LocalNode[] {
  return nodes.filter(({ process }) => process.ending === undefined);
}

/** The outcome of `work`, or undefined when the process is asked to end first. */
async function untilRequest<T>(
  work: () => Promise<T>,
  { signal }: Shutdown,
): Promise<T | undefined> {
  const requested = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const outcome = work();
  // When the wish to end wins, what the work still throws is about that very end.
  outcome.catch(() => undefined);
  return Promise.race([outcome, requested]);
}
