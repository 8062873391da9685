import { setTimeout as pause } from 'node:timers/promises';
import type { MemberBody, ShardsSummaryBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName } from '../cluster/cluster-verdict.ts';
import type { AdminClient } from '../cluster/admin-client.ts';
import { decide } from '../cluster/decide.ts';
import { askEverybody, firstNode } from '../cluster/everybody.ts';
import type { AskOptions } from '../cluster/everybody.ts';
import { CommandError } from '../command-error.ts';
import { durationMs, nodeIdPrefix, withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { showDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { counted, ProgressBar } from '../progress/progress-bar.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions } from './status.ts';

const HELP = `
The node gets no new shards, and those that it holds move to others while everybody reads and
writes. When nothing is left it may be stopped without anybody noticing. Ctrl-C ends the waiting and
not the drain; --undo ends the drain.

Examples:
  memgrid drain 3f2a91
  memgrid drain 3f2a91 --no-wait
  memgrid drain 3f2a91 --wait 10m && ssh host-3 systemctl stop memgrid
  memgrid drain 3f2a91 --undo

Exit codes: 0 nothing is left on the node, or --no-wait or --undo was taken in, 7 something is left
after --wait, 5 no such member, 6 refused: the reason is named.`;

interface DrainOptions extends LookOptions {
  /** False: not at all. True: until it is done. */
  readonly wait: number | boolean;
  readonly undo?: true;
  readonly progress: boolean;
}

/** How often the table is looked at. Moves take seconds. */
const LOOK_MS = 500;

/** `memgrid drain`: empties a node, so that it can be stopped. */
export function defineDrain(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command, '10s')
    .argument('<node>', 'id of the node, or its first digits', nodeIdPrefix)
    .option('--wait <duration>', 'wait at most this long (default: until it is done)', durationMs)
    .option('--no-wait', 'only begin')
    .option('--undo', 'let the node hold shards again')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP);
  command.action(async (node: string, options: DrainOptions) => {
    const call = { command: 'drain', json: options.json === true, terminal };
    finish(await runCommand(call, () => drain(node, options, terminal)));
  });
}

async function drain(
  node: string,
  options: DrainOptions,
  terminal: Terminal,
): Promise<CommandResult> {
  const ask = askOptions(options, terminal);
  const { client } = await firstNode(ask);
  const path = options.undo === true ? '/cluster/members/undrain' : '/cluster/members/drain';
  const { nodeId } = (await decide(client, path, { node })) as { nodeId: string };
  if (options.undo === true) {
    return { data: { nodeId, status: 'normal' }, text: `${shortName(nodeId)} holds shards again.` };
  }
  const warnings = await tooFew(client, nodeId);
  if (options.wait === false) {
    const data = { nodeId, status: 'draining' };
    return { data, text: `${shortName(nodeId)} is draining.`, warnings };
  }
  // Whoever waits is to know it now, and not when everything is done.
  if (options.json !== true)
    for (const line of warnings) terminal.stderr.write(`warning: ${line}\n`);
  const waitMs = typeof options.wait === 'number' ? options.wait : Infinity;
  const result = await untilEmpty(nodeId, ask, { waitMs, progress: options.progress, terminal });
  return options.json === true ? { ...result, warnings } : result;
}

/** What the others cannot take over: a shard has no more copies than there are nodes to hold them. */
async function tooFew(client: AdminClient, nodeId: string): Promise<readonly string[]> {
  const { members } = (await client.get('/cluster/members')) as {
    readonly members: readonly MemberBody[];
  };
  const { replicationFactor } = (await client.get('/cluster/shards?summary')) as ShardsSummaryBody;
  const left = members.filter((member) => {
    const lives = member.liveness === 'alive' || member.liveness === 'suspect';
    return member.nodeId !== nodeId && member.status === 'normal' && lives && member.weight > 0;
  }).length;
  if (left >= replicationFactor) return [];
  const name = shortName(nodeId);
  if (left === 0) return [`No other node can hold shards: ${name} keeps what it has.`];
  const nodes = left === 1 ? 'one node is' : `${left} nodes are`;
  return [
    `Only ${nodes} left to hold shards: without ${name} each has ${left} of ${replicationFactor} ` +
      'copies. Add a node, or take the drain back with --undo.',
  ];
}

interface WaitOptions {
  readonly waitMs: number;
  readonly progress: boolean;
  readonly terminal: Terminal;
}

async function untilEmpty(
  nodeId: string,
  ask: AskOptions,
  { waitMs, progress, terminal }: WaitOptions,
): Promise<CommandResult> {
  using shutdown = Shutdown.listen();
  const startedAt = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedAt);
  let held = await heldBy(nodeId, ask);
  const total = held?.copies ?? 0;
  const bar = new ProgressBar(terminal, {
    label: 'draining',
    unit: 'shards',
    total,
    shown: progress,
    nowMs: () => performance.now(),
  });
  try {
    // A look that fails is no end: whoever was asked may be the node that leaves.
    while (held === undefined || held.copies > 0) {
      if (shutdown.signal.aborted || tookMs() >= waitMs) {
        return leftResult(nodeId, { held, total, tookMs: tookMs() });
      }
      if (held !== undefined) bar.update(Math.max(0, total - held.copies));
      await pause(LOOK_MS);
      held = await heldBy(nodeId, ask);
    }
  } finally {
    bar.end();
  }
  const took = showDuration(tookMs());
  return {
    data: { nodeId, left: 0, moved: total, tookMs: tookMs() },
    text: `${shortName(nodeId)} holds nothing any more (${counted(total)} shards in ${took}): it can be stopped.`,
  };
}

interface Held {
  /** Shards of which it has, or is about to have, a copy. */
  readonly copies: number;
}

/** As the node says that knows most; undefined when nobody answered this time. */
async function heldBy(nodeId: string, ask: AskOptions): Promise<Held | undefined> {
  try {
    const { answers } = await askEverybody<ShardsSummaryBody>('/cluster/shards?summary', ask);
    const [best] = answers
      .flatMap(({ body }) => body ?? [])
      .toSorted((a, b) => (b.controlIndex ?? 0) - (a.controlIndex ?? 0));
    if (best === undefined) return undefined;
    const own = best.nodes.find((node) => node.nodeId === nodeId);
    return { copies: own === undefined ? 0 : own.replicas + own.incoming };
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.unreachable) return undefined;
    throw error;
  }
}

function leftResult(
  nodeId: string,
  { held, total, tookMs }: { held: Held | undefined; total: number; tookMs: number },
): CommandResult {
  const left = held?.copies ?? null;
  const what = left === null ? 'Nobody says what' : `${counted(left)} of ${counted(total)} shards`;
  return {
    data: { nodeId, left, moved: left === null ? null : total - left, tookMs },
    text: `${what} ${left === null ? 'is' : 'are'} left on ${shortName(nodeId)} after ${showDuration(tookMs)}; the drain goes on.`,
    exitCode: EXIT.degraded,
  };
}
