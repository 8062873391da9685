import type { MemberBody, ShardsBody } from '@memgrid/node';
import type { Command } from 'commander';
import { shortName } from '../cluster/cluster-verdict.ts';
import { decide } from '../cluster/decide.ts';
import { firstNode } from '../cluster/everybody.ts';
import { givenUp, type GivenUp } from '../cluster/given-up.ts';
import { withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { confirmed } from '../confirmation.ts';
import { counted } from '../progress/progress-bar.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions } from './status.ts';

const HELP = `
For shards whose majority was on nodes that were expelled: they go on with the copies that are left.
Writes that were acknowledged by the expelled nodes only are lost, and nobody can say which these
are. No other shard is touched, and a shard without any copy left stays closed. If one of the nodes
can be brought back, do that instead, before it is expelled.

Examples:
  memgrid expel 3f2a91 && memgrid revive
  memgrid revive --yes

Exit codes: 0 revived, or there was nothing to revive, 2 not confirmed, 6 refused: the reason is
named.`;

interface ReviveOptions extends LookOptions {
  readonly yes?: true;
}

/** `memgrid revive`: lets shards go on without a majority of their copies. */
export function defineRevive(command: Command, { terminal, finish }: CommandContext): void {
  withLookOptions(command, '10s').option('--yes', 'do not ask').addHelpText('after', HELP);
  command.action(async (options: ReviveOptions) => {
    const call = { command: 'revive', json: options.json === true, terminal };
    finish(await runCommand(call, () => revive(options, terminal)));
  });
}

async function revive(options: ReviveOptions, terminal: Terminal): Promise<CommandResult> {
  const { client, first } = await firstNode(askOptions(options, terminal));
  const { members } = (await client.get('/cluster/members')) as {
    readonly members: readonly MemberBody[];
  };
  const { shards } = (await client.get('/cluster/shards')) as ShardsBody;
  const expelled = members.filter(({ status }) => status === 'expelled');
  const what = givenUp(shards, new Set(expelled.map(({ nodeId }) => nodeId)));
  const revived = what.closed.filter((shard) => !what.lost.includes(shard));
  const data = { revived, lost: what.lost };
  const answeredBy = [first.nodeId];
  const warnings = warningsOf(members, what);
  if (revived.length === 0) {
    const text = 'No shard has lost its majority to expelled nodes: there is nothing to revive.';
    return { data, text, warnings, answeredBy };
  }
  const who = expelled.map(({ nodeId }) => shortName(nodeId)).join(', ');
  const lines = [
    `${counted(revived.length)} shards go on with the copies that are left. Writes to them that were ` +
      `acknowledged by ${who} only are lost.`,
  ];
  await confirmed(terminal, { lines: [...lines, ...warnings], yes: options.yes === true });
  await decide(client, '/cluster/shards/revive', {});
  return { data, text: `${counted(revived.length)} shards are revived.`, warnings, answeredBy };
}

function warningsOf(members: readonly MemberBody[], { lost }: GivenUp): readonly string[] {
  const dead = members.filter(({ liveness, status }) => liveness === 'dead' && status === 'normal');
  return [
    ...(lost.length === 0
      ? []
      : [`Of ${counted(lost.length)} shards no copy is left: they stay closed.`]),
    ...dead.map(({ nodeId }) => {
      const name = shortName(nodeId);
      return `${name} is dead and not expelled: what waits for it goes on waiting (memgrid expel ${name}).`;
    }),
  ];
}
