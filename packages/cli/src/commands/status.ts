import type { StatusBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName, verdictOf } from '../cluster/cluster-verdict.ts';
import type { ClusterVerdict } from '../cluster/cluster-verdict.ts';
import { askEverybody } from '../cluster/everybody.ts';
import type { AskOptions, Everybody } from '../cluster/everybody.ts';
import { withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { paintFor } from '../output/paint.ts';
import type { Paint } from '../output/paint.ts';
import { facts, table } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Asks one node, then every member that it knows, and says where they differ. The node that was asked
is marked *. On a narrow terminal some columns are left out; --json has everything.

Examples:
  memgrid status
  memgrid status --node http://10.0.0.5:7780,http://10.0.0.6:7780
  memgrid status --json | jq -r .data.coordinator

Exit codes: 0 the cluster is well, 7 it is not and the problems are listed, 8 an alive member did
not answer, 3 no node answered.`;

/** `memgrid status`: one glance at the whole cluster. */
export function defineStatus(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command).addHelpText('after', HELP);
  command.action(async (options: LookOptions) => {
    const call = { command: 'status', json: options.json === true, terminal };
    finish(await runCommand(call, () => status(askOptions(options, terminal), terminal)));
  });
}

/** What the look commands ask with. */
export function askOptions(options: LookOptions, { environment }: Terminal): AskOptions {
  const token = environment['MEMGRID_TOKEN'] ?? '';
  return { urls: options.node, timeoutMs: options.timeout, token };
}

async function status(options: AskOptions, terminal: Terminal): Promise<CommandResult> {
  const everybody = await askEverybody<StatusBody>('/cluster/status', options);
  const verdict = verdictOf(everybody);
  const { missing, answeredBy, exitCode } = verdict;
  return {
    data: statusData(everybody, verdict),
    text: statusText(everybody, verdict, terminal),
    warnings: [
      ...everybody.warnings,
      ...missing.map((id) => `${shortName(id)} is alive and did not answer.`),
    ],
    answeredBy,
    missing,
    exitCode,
  };
}

function statusData({ first, answers }: Everybody<StatusBody>, verdict: ClusterVerdict): unknown {
  const { clusterId, coordinator, term, agreed, voters, problems } = verdict;
  return {
    healthy: verdict.exitCode === 0,
    clusterId,
    coordinator,
    term,
    agreed,
    level: first.level,
    controlIndex: first.controlIndex,
    voters,
    members: first.members,
    problems,
    nodes: answers.map(({ member, body }) => ({
      nodeId: member.nodeId,
      address: member.address,
      httpAddress: member.httpAddress,
      zone: member.zone,
      role: member.role,
      liveness: member.liveness,
      status: member.status,
      answered: body !== undefined,
      generation: body?.generation ?? member.generation,
      phase: body?.phase ?? null,
      version: body?.version ?? null,
      coordinator: body?.coordinator ?? null,
      term: body?.raft?.term ?? null,
      controlIndex: body?.controlIndex ?? null,
      healthScore: body?.healthScore ?? null,
    })),
  };
}

function statusText(
  everybody: Everybody<StatusBody>,
  verdict: ClusterVerdict,
  terminal: Terminal,
): string {
  const paint = paintFor(terminal.stdout, terminal);
  const { first, answers } = everybody;
  if (first.clusterId === null && answers.length === 0) return strangerText(everybody, paint);
  const { coordinator, term, voters, problems } = verdict;
  const leader = answers.find(({ member }) => member.nodeId === coordinator)?.member;
  const well = verdict.exitCode === 0 ? paint('green', 'healthy') : paint('red', 'not well');
  const { alive, suspect, dead, left } = first.members;
  const counts = Object.entries({ alive, suspect, dead, left })
    .filter(([name, count]) => count > 0 || name === 'alive')
    .map(([name, count]) => `${count} ${name}`);
  const head = facts([
    ['cluster', `${first.clusterId ?? 'none yet'}  ${well}`],
    [
      'coordinator',
      coordinator === null
        ? paint('red', 'none')
        : `${shortName(coordinator)} at ${leader?.address ?? 'an unknown address'}, term ${term ?? '?'}`,
    ],
    ['voters', `${voters.alive} of ${voters.total} alive, ${voters.majority} needed`],
    ['members', counts.join(', ')],
    ['control', `index ${first.controlIndex ?? '-'}, level ${first.level ?? '-'}`],
  ]);
  const trouble = problems.map((problem) => `${paint('red', '!')} ${problem}`).join('\n');
  const nodes = nodesTable(everybody, paint, terminal.stdout.columns);
  return [head, nodes, trouble].filter((part) => part !== '').join('\n\n');
}

/** What there is to say about a node without a cluster: nobody else has anything to say about it. */
export function strangerText({ first, url }: Everybody<unknown>, paint: Paint): string {
  const { nodeId, phase, address, waitingFor } = first;
  return facts([
    ['cluster', `none yet  ${paint('red', 'not well')}`],
    ['node', `${shortName(nodeId)} at ${address}, asked at ${url}`],
    ['phase', phase],
    ['waits for', waitingFor ?? '-'],
  ]);
}

function nodesTable(
  { answers }: Everybody<StatusBody>,
  paint: Paint,
  widthMax: number | undefined,
): string {
  return table(
    [
      { title: 'NODE' },
      { title: 'ROLE' },
      { title: 'STATE' },
      { title: 'ADDRESS' },
      { title: 'HTTP', spare: true },
      { title: 'SAYS COORDINATOR' },
      { title: 'TERM', align: 'right' },
      { title: 'INDEX', align: 'right' },
    ],
    answers.map(({ member, body }) => [
      shortName(member.nodeId) + (member.self ? '*' : ''),
      member.role === 'coordinator' ? paint('bold', member.role) : member.role,
      paintedState(member.liveness ?? 'unknown', paint),
      member.address,
      member.httpAddress,
      body === undefined ? 'no answer' : shortName(body.coordinator ?? 'nobody'),
      String(body?.raft?.term ?? ''),
      String(body?.controlIndex ?? ''),
    ]),
    widthMax,
  );
}

/** A liveness in its colour. */
export function paintedState(state: string, paint: Paint): string {
  if (state === 'alive') return paint('green', state);
  return paint(state === 'suspect' ? 'yellow' : state === 'dead' ? 'red' : 'dim', state);
}
