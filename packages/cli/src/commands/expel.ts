import type { MemberBody, ShardsBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName } from '../cluster/cluster-verdict.ts';
import { decide } from '../cluster/decide.ts';
import { firstNode } from '../cluster/everybody.ts';
import { givenUp, type GivenUp } from '../cluster/given-up.ts';
import { CommandError } from '../command-error.ts';
import { nodeIdPrefix, withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { confirmed } from '../confirmation.ts';
import { EXIT } from '../exit-code.ts';
import { counted } from '../progress/progress-bar.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions } from './status.ts';

const HELP = `
For a node that is dead and never comes back. What still has a majority is copied to other nodes, as
it is after 30 s of silence anyway; its vote goes to another. If its process starts again, it is
refused and has to begin with an empty directory: what only this node had is lost. What it would take
with it is shown first. A node that lives is emptied by \`memgrid drain\`.

Examples:
  memgrid expel 3f2a91
  memgrid expel 3f2a91 --yes

Exit codes: 0 expelled, now or before, 2 not confirmed, 5 no such member, 6 refused: the reason is
named.`;

interface ExpelOptions extends LookOptions {
  readonly yes?: true;
}

/** `memgrid expel`: gives a dead node up. */
export function defineExpel(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command, '10s')
    .argument('<node>', 'id of the node, or its first digits', nodeIdPrefix)
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP);
  command.action(async (node: string, options: ExpelOptions) => {
    const call = { command: 'expel', json: options.json === true, terminal };
    finish(await runCommand(call, () => expel(node, options, terminal)));
  });
}

async function expel(
  node: string,
  options: ExpelOptions,
  terminal: Terminal,
): Promise<CommandResult> {
  const { client, first } = await firstNode(askOptions(options, terminal));
  const { members } = (await client.get('/cluster/members')) as {
    readonly members: readonly MemberBody[];
  };
  const member = memberOf(node, members);
  const { nodeId } = member;
  const name = shortName(nodeId);
  const data = { nodeId, status: 'expelled' };
  if (member.status === 'expelled') return { data, text: `${name} was expelled before.` };
  if (member.liveness === 'alive' || member.liveness === 'suspect') {
    throw new CommandError('CONFLICT', `${name} is ${member.liveness}, and not dead.`, {
      exitCode: EXIT.conflict,
      hint: `\`memgrid drain ${name}\` empties a node that lives; to give it up, stop its process first.`,
    });
  }
  const { shards } = (await client.get('/cluster/shards')) as ShardsBody;
  const expelled = members.filter(({ status }) => status === 'expelled');
  const gone = new Set([nodeId, ...expelled.map((one) => one.nodeId)]);
  const what = givenUp(shards, gone);
  await confirmed(terminal, { lines: linesOf(member, what), yes: options.yes === true });
  await decide(client, '/cluster/members/expel', { node: nodeId });
  const { held, closed, lost } = what;
  const next = closed.length === 0 ? '' : ' `memgrid revive` lets the closed shards go on.';
  return {
    data: { ...data, held, closed, lost },
    text: `${name} is expelled.${next}`,
    answeredBy: [first.nodeId],
  };
}

function memberOf(node: string, members: readonly MemberBody[]): MemberBody {
  const found = members.filter(({ nodeId }) => nodeId.startsWith(node));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const hint = '`memgrid members` lists the ids.';
  if (only === undefined) {
    const message = `No member has an id that begins with "${node}".`;
    throw new CommandError('MEMBER_NOT_FOUND', message, { exitCode: EXIT.notFound, hint });
  }
  const message = `${found.length} members have an id that begins with "${node}".`;
  throw new CommandError('USAGE', message, { exitCode: EXIT.usage, hint });
}

function linesOf({ nodeId, address }: MemberBody, what: GivenUp): readonly string[] {
  const { held, closed, lost } = what;
  return [
    `${shortName(nodeId)} at ${address} is given up for good: if its process starts again it is ` +
      'refused, and what is in its directory is lost.',
    held === 0 ? 'It has no copy of any shard.' : `It has copies of ${counted(held)} shards.`,
    ...(closed.length === 0
      ? held === 0
        ? []
        : ['Each of them has a majority without it: nothing that was acknowledged is lost.']
      : [
          `With it ${counted(closed.length)} shards have no majority any more, and stay closed for ` +
            'writes and strong reads until `memgrid revive`.',
        ]),
    ...(lost.length === 0 ? [] : [`Of ${counted(lost.length)} of them no other copy is left.`]),
  ];
}
