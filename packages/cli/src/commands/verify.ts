import { Option, type Command } from 'commander';
import { sliceOfEntry, sliceOfId, type NodeId } from '@memgrid/protocol';
import { shortName } from '../cluster/cluster-verdict.ts';
import { CommandError } from '../command-error.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { withGridOptions } from '../entries/grid-options.ts';
import type { GridOptions } from '../entries/grid-options.ts';
import { withGrid } from '../entries/with-grid.ts';
import { EXIT } from '../exit-code.ts';
import { counted, ProgressBar } from '../progress/progress-bar.ts';
import type { Terminal } from '../terminal.ts';
import { DirectLink, type DirectLinkOptions } from '../verify/direct-link.ts';
import { expectedEntries } from '../verify/expected-entries.ts';
import { compareReplicas } from '../verify/replica-comparison.ts';
import type { ComparisonReport, ExpectedEntry } from '../verify/replica-comparison.ts';

const HELP = `
Reads entries from every replica, each node asked itself, and compares version and bytes with a
strong read. With --report these are the entries that an import has stored, with --history those that
a set workload (with --keep) was told are stored: one that is nowhere is found as well. Both know
their namespace. Without either they are the entries of the namespace.

Examples:
  memgrid import turns.ndjson --set content={text} --report turns.report
  memgrid verify --report turns.report
  memgrid workload set --keep --history set.ndjson && memgrid verify --history set.ndjson
  memgrid verify --namespace notes --json | jq '.data.differences[]'

Exit codes: 0 every copy is what it has to be, 1 some are not: each is listed, 5 there is nothing to
compare, 8 some nodes did not answer, so that nothing is known of their copies, 3 no node answered.`;

interface VerifyOptions extends GridOptions {
  readonly report?: string;
  readonly history?: string;
  readonly progress: boolean;
}

interface NamespacedOptions extends VerifyOptions {
  /** Whether somebody has named the namespace. */
  readonly isGiven: boolean;
}

/** Differences that are shown; --json has all. */
const SHOWN_MAX = 20;
const PAGE_ENTRIES = 1_000;

/** `memgrid verify`: compares what the replicas hold. */
export function defineVerify(command: Command, { terminal, finish }: CommandContext): void {
  withGridOptions(command)
    .option(
      '--report <file>',
      'what `memgrid import --report` wrote (default: the whole namespace)',
    )
    .addOption(
      new Option('--history <file>', 'what `memgrid workload set --history` wrote').conflicts(
        'report',
      ),
    )
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP);
  command.action(async (options: VerifyOptions) => {
    const call = { command: 'verify', json: options.json === true, terminal };
    const isGiven = command.getOptionValueSource('namespace') !== 'default';
    finish(await runCommand(call, () => verify({ ...options, isGiven }, terminal)));
  });
}

async function verify(options: NamespacedOptions, terminal: Terminal): Promise<CommandResult> {
  const { report, history, namespace: given, isGiven } = options;
  const expected = await expectedEntries({
    ...(report === undefined ? {} : { report }),
    ...(history === undefined ? {} : { history }),
    ...(isGiven ? { namespace: given } : {}),
  });
  const namespace = expected?.namespace ?? options.namespace;
  using links = await openLinks(options, terminal);
  const bar = new ProgressBar(terminal, {
    label: 'comparing',
    unit: 'entries',
    total: expected?.entries.length,
    shown: options.progress,
    nowMs: () => performance.now(),
  });
  const entries = expected === undefined ? everything(options, terminal) : each(expected.entries);
  let done = 0;
  try {
    const comparison = await compareReplicas(entries, {
      namespace,
      placement: links.first.placement,
      shardCount: links.first.welcome.shardCount,
      links: links.byNode,
      timeoutMs: options.timeout,
      compared: (differences) => {
        done += 1;
        bar.update(done, differences === 0 ? '' : `${counted(differences)} differ`);
      },
    });
    if (comparison.entries === 0) throw nothingToCompare(options, namespace);
    return resultOf(comparison, links);
  } finally {
    bar.end();
  }
}

/** Success would sound as if something had been looked at. */
function nothingToCompare({ report, history }: VerifyOptions, namespace: string): CommandError {
  const file = report ?? history;
  const message =
    file === undefined
      ? `The namespace ${JSON.stringify(namespace)} has no entries: nothing was compared.`
      : `${file} names no entries that have to be stored: nothing was compared.`;
  const hint =
    file === undefined ? '--namespace or MEMGRID_NAMESPACE names another one.' : undefined;
  return new CommandError('NOTHING_TO_COMPARE', message, { exitCode: EXIT.notFound, hint });
}

interface Links extends Disposable {
  readonly first: DirectLink;
  readonly byNode: ReadonlyMap<NodeId, DirectLink>;
  readonly away: readonly NodeId[];
}

async function openLinks(options: GridOptions, terminal: Terminal): Promise<Links> {
  const settings: DirectLinkOptions = {
    token: terminal.environment['MEMGRID_TOKEN'] ?? '',
    secure: options.nodes.some((address) => address.startsWith('wss://')),
    timeoutMs: options.timeout,
  };
  const first = await firstLink(options, terminal, settings);
  const byNode = new Map([[first.welcome.nodeId, first]]);
  const away: NodeId[] = [];
  const others = first.placement.nodes.filter(({ nodeId }) => nodeId !== first.welcome.nodeId);
  await Promise.all(
    others.map(async ({ nodeId, address }) => {
      try {
        byNode.set(nodeId, await DirectLink.open(address, settings));
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        away.push(nodeId);
      }
    }),
  );
  return {
    first,
    byNode,
    away,
    [Symbol.dispose]: () => {
      for (const link of byNode.values()) link[Symbol.dispose]();
    },
  };
}

async function firstLink(
  options: GridOptions,
  terminal: Terminal,
  settings: DirectLinkOptions,
): Promise<DirectLink> {
  const failures: CommandError[] = [];
  for (const address of options.nodes) {
    try {
      return await DirectLink.open(address, settings);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.push(error);
    }
  }
  // An ordinary client is told why it is not let in; this kind of socket is not.
  await withGrid(options, terminal, () => Promise.resolve());
  const said = failures.map(({ message }) => message).join(' ');
  throw new CommandError('NO_NODE_REACHABLE', said, {
    exitCode: EXIT.unreachable,
    hint: 'Is one of them running? --nodes or MEMGRID_NODES names another.',
  });
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* everything(
  options: VerifyOptions,
  terminal: Terminal,
): AsyncGenerator<ExpectedEntry> {
  const ids = await withGrid(options, terminal, async (grid) => {
    const entries = grid.namespace(options.namespace);
    const found: ExpectedEntry[] = [];
    let cursor: string | undefined;
    do {
      const settings = { read: 'strong', limit: PAGE_ENTRIES } as const;
      const page = await entries.list(
        {},
        cursor === undefined ? settings : { ...settings, cursor },
      );
      for (const { entry } of page.items) {
        const { id, namespace, userId = '', agentId = '', appId = '', runId = '' } = entry;
        const address = { namespace, userId, agentId, appId, runId, key: id };
        found.push({ id, slice: sliceOfId(id) ?? sliceOfEntry(address) });
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found;
  });
  yield* ids;
}

function resultOf(report: ComparisonReport, { byNode, away }: Links): CommandResult {
  const { entries, copies, unread, reasons, differences } = report;
  const shown = differences.slice(0, SHOWN_MAX).map(({ id, line, shard, node, problem }) => {
    const where = node === undefined ? `shard ${shard}` : `shard ${shard} on ${shortName(node)}`;
    return `${line === undefined ? '' : `Line ${line}, `}${id}, ${where}: ${problem}.`;
  });
  if (differences.length > SHOWN_MAX) {
    shown.push(`… and ${counted(differences.length - SHOWN_MAX)} more differences.`);
  }
  for (const { node, reason, copies: count } of reasons) {
    shown.push(`${counted(count)} copies on ${shortName(node)} could not be read: ${reason}.`);
  }
  const missing = unread === 0 ? '' : ` ${counted(unread)} copies could not be read.`;
  const good = copies === 0 ? 'none was compared' : 'every one is right';
  const verdict = differences.length === 0 ? good : `${counted(differences.length)} are not right`;
  return {
    data: { entries, copies, unread, reasons, differences },
    text: `${counted(entries)} entries, ${counted(copies)} copies read: ${verdict}.${missing}`,
    warnings: shown,
    answeredBy: [...byNode.keys()],
    missing: away,
    exitCode: differences.length > 0 ? EXIT.failed : unread > 0 ? EXIT.partial : EXIT.good,
  };
}
