import { existsSync } from 'node:fs';
import type { StatusBody } from '@memgrid/node';
import type { Command } from 'commander';
import { AdminClient } from '../cluster/admin-client.ts';
import { shortName, verdictOf } from '../cluster/cluster-verdict.ts';
import { askEverybody, urlOf } from '../cluster/everybody.ts';
import type { AskOptions } from '../cluster/everybody.ts';
import { CommandError } from '../command-error.ts';
import { nodeIdPrefix, withJson, withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { facts } from '../output/table.ts';
import { askOptions } from './status.ts';

const SHOW_HELP = `
Exit codes: 0 there is one and every node that answered agrees, 7 otherwise, 3 no node answered.`;

const HANDOVER_HELP = `
The coordinator brings the chosen voter up to date, then tells it to take over: no decision is
lost, and nothing can be decided for about the time of one round trip.

Examples:
  memgrid coordinator handover               to the voter that is most up to date
  memgrid coordinator handover --to 3f2a91   to this one (as many digits as are unique)

Exit codes: 0 handed over, 6 refused: the reason is named and the coordinator is the same as before.`;

const RECOVER_HELP = `
For the day on which most voters are gone for good and no coordinator can be elected. Stop the node
first. Its log counts as everything that was decided; whatever only the lost voters knew is gone.
They are expelled: a lost voter that turns up later has to start with an empty directory. Members
without a vote come back by themselves.

Choose the survivor with the highest "lastIndex": without --yes this command only looks.

Examples:
  memgrid coordinator force-recover --data ./memgrid-data          what would happen
  memgrid coordinator force-recover --data ./memgrid-data --yes    do it, then start the node

Exit codes: 0 looked or done, 1 there is nothing to recover from, 6 the node is still running.`;

interface RecoverOptions {
  readonly data: string;
  readonly yes?: true;
  readonly json?: true;
}

interface HandoverOptions extends LookOptions {
  readonly to?: string;
}

interface HandoverBody {
  readonly coordinator: string;
  readonly before: string | null;
}

/** `memgrid coordinator show|handover|force-recover`. */
export function defineCoordinator(command: Command, { terminal, finish }: CommandContext): void {
  const show = command.command('show').summary('who coordinates, in which term, with whose votes');
  withLookOptions(
    show.description('Who coordinates, in which term, with whose votes.'),
  ).addHelpText('after', SHOW_HELP);
  show.action(async (options: LookOptions) => {
    const call = { command: 'coordinator show', json: options.json === true, terminal };
    finish(await runCommand(call, () => showCoordinator(askOptions(options, terminal))));
  });
  const handover = command.command('handover').summary('hand the role over to another voter');
  // The coordinator itself gives up after 5 s, and says why.
  withLookOptions(handover.description('Hand the role over to another voter.'), '10s')
    .option('--to <node>', 'id of the next coordinator, or its first digits', nodeIdPrefix)
    .addHelpText('after', HANDOVER_HELP);
  handover.action(async (options: HandoverOptions) => {
    const call = { command: 'coordinator handover', json: options.json === true, terminal };
    const ask = askOptions(options, terminal);
    finish(await runCommand(call, () => handOver(ask, options.to)));
  });
  const recover = command
    .command('force-recover')
    .summary('let one survivor go on alone after most voters are lost for good');
  withJson(
    recover.description(
      'Let one stopped survivor go on alone after most voters are lost for good.',
    ),
  )
    .requiredOption('--data <directory>', 'data directory of the stopped survivor')
    .option('--yes', 'do it; without this nothing is changed')
    .addHelpText('after', RECOVER_HELP);
  recover.action(async (options: RecoverOptions) => {
    const call = { command: 'coordinator force-recover', json: options.json === true, terminal };
    finish(await runCommand(call, () => recoverByForce(options)));
  });
}

async function recoverByForce(options: RecoverOptions): Promise<CommandResult> {
  if (!existsSync(options.data)) {
    throw new CommandError('DIRECTORY_MISSING', `There is no directory ${options.data}.`, {
      exitCode: EXIT.notFound,
      hint: 'Give the --data directory of the survivor.',
    });
  }
  const apply = options.yes === true;
  const { forceRecover } = await import('@memgrid/node');
  const { nodeId, groupEpoch, lastIndex, expelled } = await forceRecover(options.data, { apply });
  return {
    data: { applied: apply, nodeId, groupEpoch, lastIndex, expelled },
    text: facts([
      ['survivor', nodeId],
      ['lastIndex', `${lastIndex} (whatever came after it is lost)`],
      ['expelled', expelled.length === 0 ? 'nobody' : expelled.join(', ')],
      ['group epoch', String(groupEpoch)],
      ['changed', apply ? 'yes: start the node now' : 'nothing; repeat with --yes to do it'],
    ]),
  };
}

async function showCoordinator(options: AskOptions): Promise<CommandResult> {
  const everybody = await askEverybody<StatusBody>('/cluster/status', options);
  const { coordinator, term, agreed, voters, problems, answeredBy, missing } = verdictOf(everybody);
  const leader = everybody.answers.find(({ member }) => member.nodeId === coordinator);
  const certain = coordinator !== null && agreed;
  return {
    data: {
      coordinator,
      term,
      agreed,
      address: leader?.member.address ?? null,
      httpAddress: leader?.member.httpAddress ?? null,
      voters,
    },
    text: facts([
      ['coordinator', coordinator ?? 'none'],
      ['address', leader?.member.address ?? '-'],
      ['http', leader?.member.httpAddress ?? '-'],
      ['term', String(term ?? '-')],
      ['voters', `${voters.alive} of ${voters.total} alive, ${voters.majority} needed`],
      ['agreed', certain ? 'yes, by every node that answered' : 'no'],
    ]),
    warnings: certain ? everybody.warnings : [...everybody.warnings, ...problems],
    answeredBy,
    missing,
    exitCode: certain ? EXIT.good : EXIT.degraded,
  };
}

async function handOver(options: AskOptions, to: string | undefined): Promise<CommandResult> {
  const { answers, first, url } = await askEverybody<StatusBody>('/cluster/status', options);
  const leader = answers.find(({ member }) => member.nodeId === first.coordinator)?.member;
  if (leader === undefined) {
    const hint = first.waitingFor ?? 'Wait for the election, then try again.';
    throw new CommandError('NO_COORDINATOR', 'There is no coordinator.', {
      exitCode: EXIT.degraded,
      hint,
    });
  }
  // Only the coordinator can hand its role over, so it is asked itself.
  const { timeoutMs, token } = options;
  const client = new AdminClient({ url: urlOf(leader, url), timeoutMs, token });
  const body = to === undefined ? {} : { to };
  const done = (await client.post('/cluster/coordinator/handover', body)) as HandoverBody;
  const before = done.before ?? leader.nodeId;
  return {
    data: { before, coordinator: done.coordinator },
    text: `The coordinator is ${shortName(done.coordinator)} now; it was ${shortName(before)}.`,
    answeredBy: [leader.nodeId],
  };
}
