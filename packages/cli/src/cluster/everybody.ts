import type { MemberBody, StatusBody } from '@memgrid/node';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { AdminClient } from './admin-client.ts';

export interface AskOptions {
  /** Admin addresses of which one is enough. */
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  readonly token: string;
}

/** One member, as the node that was asked first knows it, and what it said itself. */
export interface Answer<Body> {
  readonly member: MemberBody;
  /** Undefined when it did not answer. */
  readonly body: Body | undefined;
}

export interface Everybody<Body> {
  /** The node that was asked first, and where. */
  readonly first: StatusBody;
  readonly url: string;
  /** Every member of the first node's view, itself included, by node id. */
  readonly answers: readonly Answer<Body>[];
  /** Addresses of `urls` that did not answer before one did, one sentence each. */
  readonly warnings: readonly string[];
}

interface MembersBody {
  readonly members: readonly MemberBody[];
}

/**
 * Asks every member of a cluster the same question, beginning with any one of them.
 *
 * No node's view is the truth about a cluster that may be split, so nobody's view is shown alone.
 *
 * @throws CommandError when no address of `urls` answers.
 */
export async function askEverybody<Body>(
  path: string,
  options: AskOptions,
): Promise<Everybody<Body>> {
  const { client, first, warnings } = await firstNode(options);
  const { members } = (await client.get('/cluster/members')) as MembersBody;
  const answers = await Promise.all(
    members.map(async (member) => ({
      member,
      body: await bodyOf<Body>(member, path, options, client),
    })),
  );
  return { first, url: client.url, answers, warnings };
}

/** The first of the addresses that answers, with what it says about itself. */
export async function firstNode(options: AskOptions): Promise<{
  readonly client: AdminClient;
  readonly first: StatusBody;
  readonly warnings: readonly string[];
}> {
  const failures: CommandError[] = [];
  for (const url of options.urls) {
    const client = new AdminClient({ url, timeoutMs: options.timeoutMs, token: options.token });
    try {
      const first = (await client.get('/cluster/status')) as StatusBody;
      return { client, first, warnings: failures.map(({ message }) => message) };
    } catch (error) {
      // A node that answers "you may not" is no reason to ask its neighbour.
      if (!(error instanceof CommandError) || !isAway(error)) throw error;
      failures.push(error);
    }
  }
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only;
  throw new CommandError('NO_NODE_REACHABLE', failures.map(({ message }) => message).join(' '), {
    exitCode: EXIT.unreachable,
    hint: 'Is one of them running? `memgrid dev` starts a cluster here; --node or MEMGRID_NODE names another.',
  });
}

/** Not there, or there and still reading its disk. */
function isAway({ exitCode, code }: CommandError): boolean {
  return exitCode === EXIT.unreachable || code === 'STARTING';
}

async function bodyOf<Body>(
  member: MemberBody,
  path: string,
  options: AskOptions,
  client: AdminClient,
): Promise<Body | undefined> {
  if (!isAsked(member)) return undefined;
  const { timeoutMs, token } = options;
  // The node that was asked first may not know itself by the address that reached it.
  const asked = member.self
    ? client
    : new AdminClient({ url: urlOf(member, client.url), timeoutMs, token });
  try {
    return (await asked.get(path)) as Body;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Left members are gone on purpose, and some nodes serve no HTTP. */
function isAsked(member: MemberBody): boolean {
  const served = member.httpAddress !== '' && member.httpAddress !== 'none';
  return member.self || (member.liveness !== 'left' && served);
}

/** All nodes of a cluster serve HTTP, or all serve HTTPS. */
export function urlOf({ httpAddress }: MemberBody, like: string): string {
  return `${new URL(like).protocol}//${httpAddress}`;
}
