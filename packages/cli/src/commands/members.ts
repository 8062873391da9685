import type { MemberBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName } from '../cluster/cluster-verdict.ts';
import { askEverybody } from '../cluster/everybody.ts';
import type { Answer, AskOptions } from '../cluster/everybody.ts';
import { withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { paintFor } from '../output/paint.ts';
import { table } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions, paintedState, strangerText } from './status.ts';

const HELP = `
Shows the members as the asked node sees them (its own line is marked *), and warns where another
node sees one of them differently.

  STATE   what gossip says: alive, suspect, dead, left. A hint, not a decision.
  STATUS  what the control group decided: joining, normal, draining, left, expelled.
  LAG MS  how late the node's event loop ran of late, in 99 of 100 cases at most.

On a narrow terminal some columns are left out; --json has everything.

Examples:
  memgrid members
  memgrid members --json | jq -r '.data.members[] | select(.liveness != "alive") | .address'

Exit codes: 0 every member is alive or has left, and all see the same; 7 not so, or this node has no
cluster yet; 8 an alive member did not answer; 3 no node answered.`;

interface MembersBody {
  readonly members: readonly MemberBody[];
}

/** `memgrid members`: every member, its role and how it is. */
export function defineMembers(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command).addHelpText('after', HELP);
  command.action(async (options: LookOptions) => {
    const call = { command: 'members', json: options.json === true, terminal };
    finish(await runCommand(call, () => members(askOptions(options, terminal), terminal)));
  });
}

async function members(options: AskOptions, terminal: Terminal): Promise<CommandResult> {
  const everybody = await askEverybody<MembersBody>('/cluster/members', options);
  const { answers, warnings, first } = everybody;
  const paint = paintFor(terminal.stdout, terminal);
  const rows = answers.map(({ member }) => member);
  const answered = answers.filter(({ body }) => body !== undefined);
  const missing = answers
    .filter(({ member, body }) => body === undefined && member.liveness === 'alive')
    .map(({ member }) => member.nodeId);
  const differences = differencesOf(answers);
  const isMember = first.clusterId !== null;
  const well =
    isMember && differences.length === 0 && rows.every(({ liveness }) => isWell(liveness));
  return {
    data: { members: rows, differences },
    text: isMember ? membersTable(rows, terminal) : strangerText(everybody, paint),
    warnings: [...warnings, ...differences],
    answeredBy: answered.map(({ member }) => member.nodeId),
    missing,
    exitCode: missing.length > 0 ? EXIT.partial : well ? EXIT.good : EXIT.degraded,
  };
}

/** Where a node that answered sees a member differently from the node that was asked first. */
function differencesOf(answers: readonly Answer<MembersBody>[]): readonly string[] {
  const first = answers.map(({ member }) => member);
  return answers.flatMap(({ member: observer, body }) =>
    (body?.members ?? []).flatMap((seen) => {
      const known = first.find(({ nodeId }) => nodeId === seen.nodeId);
      if (known?.liveness === seen.liveness) return [];
      const here = known?.liveness ?? 'unknown';
      const there = seen.liveness ?? 'unknown';
      return [
        `${shortName(observer.nodeId)} sees ${shortName(seen.nodeId)} as ${there}, not ${here}.`,
      ];
    }),
  );
}

function isWell(liveness: MemberBody['liveness']): boolean {
  return liveness === 'alive' || liveness === 'left';
}

function membersTable(members: readonly MemberBody[], terminal: Terminal): string {
  const paint = paintFor(terminal.stdout, terminal);
  return table(
    [
      { title: 'NODE' },
      { title: 'ROLE' },
      { title: 'STATE' },
      { title: 'STATUS' },
      { title: 'ADDRESS' },
      { title: 'HTTP', spare: true },
      { title: 'ZONE', spare: true },
      { title: 'GENERATION', align: 'right' },
      { title: 'LAG MS', align: 'right', spare: true },
    ],
    members.map((member) => [
      shortName(member.nodeId) + (member.self ? '*' : ''),
      member.role === 'coordinator' ? paint('bold', member.role) : member.role,
      paintedState(member.liveness ?? 'unknown', paint) + (member.unstable ? ' (unstable)' : ''),
      member.status ?? 'unregistered',
      member.address,
      member.httpAddress,
      member.zone,
      String(member.generation),
      lagOf(member),
    ]),
    terminal.stdout.columns,
  );
}

/** What a member said last about itself says nothing once it is gone. */
function lagOf({ liveness, loopLagP99Ms }: MemberBody): string {
  const isGone = liveness === 'dead' || liveness === 'left';
  return isGone || loopLagP99Ms === null ? '' : String(Math.round(loopLagP99Ms));
}
