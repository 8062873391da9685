import type { ShardsBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName } from '../cluster/cluster-verdict.ts';
import { askEverybody } from '../cluster/everybody.ts';
import type { AskOptions, Everybody } from '../cluster/everybody.ts';
import { withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { table } from '../output/table.ts';
import { counted } from '../progress/progress-bar.ts';
import { columnsOf } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions } from './status.ts';

const HELP = `
The shards that each node is to hold, as committed, and how its own copies are.

  PRIMARY   shards whose writes it orders, and in brackets those that it does not serve yet.
  REPLICA   shards that it holds a copy of, the primary ones included.
  INCOMING  shards that are moving to it; OUTGOING: away from it.
  PARTIAL   copies here that are not whole yet.

Examples:
  memgrid shards
  memgrid shards --all
  memgrid shards --json | jq '.data.shards[] | select(.stage != "stable")'

Exit codes: 0 every shard is served and at rest and every holder answers, 7 not so, 8 an alive node
did not answer, 3 no node answered.`;

interface ShardsOptions extends LookOptions {
  readonly all?: true;
}

/** `memgrid shards`: who holds what, and what is on the move. */
export function defineShards(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command).option('--all', 'one line for each shard').addHelpText('after', HELP);
  command.action(async (options: ShardsOptions) => {
    const call = { command: 'shards', json: options.json === true, terminal };
    const all = options.all === true;
    finish(await runCommand(call, () => shards(askOptions(options, terminal), { all, terminal })));
  });
}

async function shards(
  options: AskOptions,
  { all, terminal }: { readonly all: boolean; readonly terminal: Terminal },
): Promise<CommandResult> {
  const everybody = await askEverybody<ShardsBody>('/cluster/shards', options);
  const { answers, warnings } = everybody;
  const best = newest(everybody);
  const missing = answers
    .filter(({ member, body }) => body === undefined && member.liveness === 'alive')
    .map(({ member }) => member.nodeId);
  const problems = problemsOf(everybody, best);
  return {
    data: dataOf(everybody, best),
    text:
      best === undefined || best.shardCount === 0
        ? 'There are no shards yet.'
        : [
            summary(best),
            '',
            all ? shardsTable(best, terminal) : nodesTable(everybody, best, terminal),
          ].join('\n'),
    warnings: [...warnings, ...problems],
    answeredBy: answers.filter(({ body }) => body !== undefined).map(({ member }) => member.nodeId),
    missing,
    exitCode: missing.length > 0 ? EXIT.partial : problems.length > 0 ? EXIT.degraded : EXIT.good,
  };
}

/** What the node says that has applied most of what the control group decided. */
function newest({ answers }: Everybody<ShardsBody>): ShardsBody | undefined {
  return answers
    .flatMap(({ body }) => body ?? [])
    .toSorted((a, b) => (b.controlIndex ?? 0) - (a.controlIndex ?? 0))[0];
}

function movesOf({ answers }: Everybody<ShardsBody>): ShardsBody['moves'] {
  return (
    answers.map(({ body }) => body?.moves).find((moves) => moves !== null && moves !== undefined) ??
    null
  );
}

function problemsOf(everybody: Everybody<ShardsBody>, best: ShardsBody | undefined): string[] {
  if (best === undefined || best.shardCount === 0) return ['There are no shards yet.'];
  const { admit, dual, switch: switching } = best.stages;
  const moving = admit + dual + switching;
  const active = everybody.answers.reduce((sum, { body }) => sum + (body?.local.active ?? 0), 0);
  const waiting = movesOf(everybody)?.waiting ?? 0;
  return [
    ...(best.shards.length < best.shardCount
      ? [`${best.shardCount - best.shards.length} shards have no owner yet.`]
      : []),
    ...(active < best.shards.length
      ? [
          `${counted(best.shards.length - active)} shards are not served by a primary that answered.`,
        ]
      : []),
    ...everybody.answers.flatMap(({ member, body }) => {
      const held = best.nodes.find(({ nodeId }) => nodeId === member.nodeId)?.replicas ?? 0;
      const who = shortName(member.nodeId);
      return body !== undefined || held === 0
        ? []
        : [`${who} does not answer: nothing is known of its ${counted(held)} copies.`];
    }),
    ...(moving > 0 ? [`${counted(moving)} shards are on the move, ${counted(waiting)} wait.`] : []),
  ];
}

function dataOf(everybody: Everybody<ShardsBody>, best: ShardsBody | undefined): unknown {
  const { answers } = everybody;
  return {
    shardCount: best?.shardCount ?? 0,
    replicationFactor: best?.replicationFactor ?? 0,
    controlIndex: best?.controlIndex ?? null,
    stages: best?.stages ?? null,
    moves: movesOf(everybody),
    nodes: answers.map(({ member, body }) => ({
      nodeId: member.nodeId,
      status: member.status,
      liveness: member.liveness,
      primaries: 0,
      replicas: 0,
      incoming: 0,
      ...best?.nodes.find(({ nodeId }) => nodeId === member.nodeId),
      local: body?.local ?? null,
    })),
    shards: (best?.shards ?? []).map(({ local: _local, ...config }) => config),
  };
}

function summary({ shardCount, replicationFactor, stages, nodes }: ShardsBody): string {
  // A cluster of fewer nodes than that holds what it can.
  const holders = nodes.filter(({ replicas }) => replicas > 0).length;
  const copies =
    holders < replicationFactor ? `${holders} of ${replicationFactor}` : `${replicationFactor}`;
  const moving = stages.admit + stages.dual + stages.switch;
  const at = moving === 0 ? 'none on the move' : `${counted(moving)} on the move`;
  return `${counted(shardCount)} shards, ${copies} copies of each, ${at}`;
}

function nodesTable(
  { answers }: Everybody<ShardsBody>,
  best: ShardsBody,
  terminal: Terminal,
): string {
  const rows = answers.map(({ member, body }) => {
    const held = best.nodes.find(({ nodeId }) => nodeId === member.nodeId);
    const local = body?.local;
    const outgoing = best.shards.filter(
      ({ replicas, next }) =>
        next.length > 0 && replicas.includes(member.nodeId) && !next.includes(member.nodeId),
    ).length;
    const waiting = local === undefined || local.inactive === 0 ? '' : ` (${local.inactive})`;
    return [
      shortName(member.nodeId) + (member.self ? '*' : ''),
      member.status ?? 'unregistered',
      `${held?.primaries ?? 0}${waiting}`,
      String(held?.replicas ?? 0),
      String(held?.incoming ?? 0),
      String(outgoing),
      local === undefined ? '' : String(local.incomplete),
      local === undefined ? '' : counted(local.entries),
    ];
  });
  return table(
    [
      { title: 'NODE' },
      { title: 'STATUS' },
      { title: 'PRIMARY', align: 'right' },
      { title: 'REPLICA', align: 'right' },
      { title: 'INCOMING', align: 'right' },
      { title: 'OUTGOING', align: 'right' },
      { title: 'PARTIAL', align: 'right', spare: true },
      { title: 'COPIES OF ENTRIES', align: 'right', spare: true },
    ],
    rows,
    columnsOf(terminal.stdout, Infinity),
  );
}

function shardsTable({ shards: all }: ShardsBody, terminal: Terminal): string {
  return table(
    [
      { title: 'SHARD', align: 'right' },
      { title: 'EPOCH', align: 'right' },
      { title: 'STAGE' },
      { title: 'PRIMARY' },
      { title: 'REPLICAS' },
      { title: 'NEXT', spare: true },
    ],
    all.map(({ shard, epoch, stage, primary, replicas, next }) => [
      String(shard),
      String(epoch),
      stage,
      shortName(primary),
      replicas.map(shortName).join(' '),
      next.map(shortName).join(' '),
    ]),
    columnsOf(terminal.stdout, Infinity),
  );
}
