import { setTimeout as pause } from 'node:timers/promises';
import type { MemberBody, OrphanBody, OrphansBody } from '@memgrid/node';
import { InvalidArgumentError, type Command } from 'commander';
import { AdminClient } from '../cluster/admin-client.ts';
import { shortName } from '../cluster/cluster-verdict.ts';
import { askEverybody, firstNode, urlOf } from '../cluster/everybody.ts';
import type { AskOptions, Everybody } from '../cluster/everybody.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../command-context.ts';
import { withLookOptions } from '../command-options.ts';
import type { LookOptions } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import { confirmed } from '../confirmation.ts';
import { excerpt, momentText } from '../entries/entry-text.ts';
import { EXIT } from '../exit-code.ts';
import { table } from '../output/table.ts';
import { counted } from '../progress/progress-bar.ts';
import { columnsOf } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { askOptions } from './status.ts';

const HELP = `
Writes at \`one\` that a node accepted away from the primary, and that no log has. Those that wait need
nobody: the primary takes them within seconds. One is parked when it came back after deletes of its
time were forgotten: whether it still counts only somebody who looks at it can tell, and until then
nobody reads it. Several nodes may keep the same write: it has the same VERSION.

  merge   writes it again, now: it is what reads show then, and what the key holds stays beside it
          as a concurrent value (\`memgrid history\`).
  drop    forgets it for good.

Examples:
  memgrid orphans list
  memgrid orphans list --all --json | jq -r '.data.orphans[] | [.name, .id, .preview] | @tsv'
  memgrid orphans merge 3f2a91bc/4294967301
  memgrid orphans drop 3f2a91bc/4294967301 --yes

Exit codes: 0 good, and nothing is parked, 7 something is parked, 8 an alive node did not answer,
2 not confirmed, 5 there is no such write any more, 6 it is not parked, or has expired, 3 no node
answered.`;

/** How long a merge is waited for: a primary that is there takes it within a second or two. */
const MERGE_MS = 10_000;
const LOOK_MS = 200;

interface ListOptions extends LookOptions {
  readonly all?: true;
}

interface DropOptions extends LookOptions {
  readonly yes?: true;
}

/** Where an orphan is: the beginning of its node's id, and its number there. */
interface OrphanName {
  readonly node: string;
  readonly orphan: number;
}

/** `memgrid orphans list|merge|drop`: writes that came back too late to be merged. */
export function defineOrphans(command: Command, { terminal, finish }: CommandContext): void {
  const list = command.command('list').summary('what is parked, and with --all what waits');
  withLookOptions(list.description('What is parked, and with --all what waits.'))
    .option('--all', 'also those that need nobody')
    .addHelpText('after', HELP);
  list.action(async (options: ListOptions) => {
    const call = { command: 'orphans list', json: options.json === true, terminal };
    finish(await runCommand(call, () => listed(options, terminal)));
  });
  const merge = command.command('merge').summary('write a parked one again, as a write of now');
  withLookOptions(merge.description('Write a parked one again, as a write of now.'))
    .argument('<name>', 'as `list` shows it: node/number', orphanName)
    .addHelpText('after', HELP);
  merge.action(async (name: OrphanName, options: LookOptions) => {
    const call = { command: 'orphans merge', json: options.json === true, terminal };
    finish(await runCommand(call, () => merged(name, askOptions(options, terminal))));
  });
  const drop = command.command('drop').summary('forget a parked one for good');
  withLookOptions(drop.description('Forget a parked one for good.'))
    .argument('<name>', 'as `list` shows it: node/number', orphanName)
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP);
  drop.action(async (name: OrphanName, options: DropOptions) => {
    const call = { command: 'orphans drop', json: options.json === true, terminal };
    finish(await runCommand(call, () => dropped(name, options, terminal)));
  });
}

function orphanName(text: string): OrphanName {
  const [, node, number] = /^([0-9a-f]{4,32})\/([1-9]\d{0,15})$/.exec(text) ?? [];
  if (node !== undefined && number !== undefined) return { node, orphan: Number(number) };
  throw new InvalidArgumentError('Give node/number, as `memgrid orphans list` shows it.');
}

async function listed(options: ListOptions, terminal: Terminal): Promise<CommandResult> {
  const everybody = await askEverybody<OrphansBody>('/orphans', askOptions(options, terminal));
  const { answers, warnings } = everybody;
  const rows = rowsOf(everybody, options.all === true);
  const [parked, waiting] = [count(everybody, 'parked'), count(everybody, 'waiting')];
  const missing = answers
    .filter(({ member, body }) => body === undefined && member.liveness === 'alive')
    .map(({ member }) => member.nodeId);
  const shown = rows.length < parked + (options.all === true ? waiting : 0);
  const silent = answers
    .filter(({ member, body }) => body === undefined && member.liveness !== 'left')
    .map(({ member }) => `${shortName(member.nodeId)} does not say what it keeps.`);
  return {
    data: { parked, waiting, orphans: rows.map(rowJson) },
    text: [
      summary(parked, waiting),
      ...(rows.length === 0 ? [] : ['', rowsText(rows, terminal)]),
    ].join('\n'),
    warnings: [...warnings, ...silent, ...(shown ? ['Only the first of them are shown.'] : [])],
    answeredBy: answers.filter(({ body }) => body !== undefined).map(({ member }) => member.nodeId),
    missing,
    exitCode: missing.length > 0 ? EXIT.partial : parked > 0 ? EXIT.degraded : EXIT.good,
  };
}

interface Row {
  readonly nodeId: string;
  readonly orphan: OrphanBody;
}

function rowsOf({ answers }: Everybody<OrphansBody>, all: boolean): readonly Row[] {
  return answers.flatMap(({ member, body }) =>
    (body?.orphans ?? [])
      .filter(({ state }) => all || state === 'parked')
      .map((orphan) => ({ nodeId: member.nodeId, orphan })),
  );
}

function count({ answers }: Everybody<OrphansBody>, name: 'parked' | 'waiting'): number {
  return answers.reduce((sum, { body }) => sum + (body?.[name] ?? 0), 0);
}

function nameOf({ nodeId, orphan }: Row): string {
  return `${shortName(nodeId)}/${orphan.orphan}`;
}

function rowJson(row: Row): unknown {
  return { name: nameOf(row), nodeId: row.nodeId, ...row.orphan };
}

function summary(parked: number, waiting: number): string {
  const rest = waiting === 0 ? 'none waits' : `${counted(waiting)} wait for their primary`;
  return parked === 0 ? `Nothing is parked, ${rest}.` : `${counted(parked)} parked, ${rest}.`;
}

function rowsText(rows: readonly Row[], terminal: Terminal): string {
  const cells = rows.map((row) => {
    const { shard, namespace, id, kind, version, writtenAt, bytes, preview, state } = row.orphan;
    return [
      nameOf(row),
      state,
      String(shard),
      namespace,
      excerpt(id, 36),
      momentText(writtenAt),
      version,
      counted(bytes),
      kind === 'delete' ? '(delete)' : excerpt(preview ?? '', 40),
    ];
  });
  const why = new Set(rows.flatMap(({ orphan }) => orphan.reason ?? []));
  const shown = table(
    [
      { title: 'NAME' },
      { title: 'STATE' },
      { title: 'SHARD', align: 'right' },
      { title: 'NAMESPACE' },
      { title: 'ID' },
      { title: 'WRITTEN (UTC)' },
      { title: 'VERSION', spare: true },
      { title: 'BYTES', align: 'right', spare: true },
      { title: 'CONTENT', spare: true },
    ],
    cells,
    columnsOf(terminal.stdout, Infinity),
  );
  return [shown, ...[...why].map((reason) => `\nParked: ${reason}`)].join('\n');
}

/** The node that keeps it, and what it says about it. */
async function found(
  { node, orphan }: OrphanName,
  ask: AskOptions,
): Promise<{ readonly client: AdminClient; readonly row: Row }> {
  const { client, first } = await firstNode(ask);
  const { members } = (await client.get('/cluster/members')) as {
    readonly members: readonly MemberBody[];
  };
  const fitting = members.filter(({ nodeId }) => nodeId.startsWith(node));
  const [member] = fitting;
  if (member === undefined || fitting.length > 1) {
    throw new CommandError(
      'MEMBER_NOT_FOUND',
      `${fitting.length} members have an id that begins with "${node}".`,
      { exitCode: EXIT.notFound, hint: '`memgrid members` lists the ids.' },
    );
  }
  const { timeoutMs, token } = ask;
  const holder =
    member.nodeId === first.nodeId
      ? client
      : new AdminClient({ url: urlOf(member, client.url), timeoutMs, token });
  const kept = await keptBy(holder);
  const one = kept.find((candidate) => candidate.orphan === orphan);
  if (one !== undefined) return { client: holder, row: { nodeId: member.nodeId, orphan: one } };
  const name = `${shortName(member.nodeId)}/${orphan}`;
  throw new CommandError('NOT_FOUND', `${name} is not kept: it was merged or dropped before.`, {
    exitCode: EXIT.notFound,
    hint: '`memgrid orphans list` lists what is.',
  });
}

async function keptBy(client: AdminClient): Promise<readonly OrphanBody[]> {
  return ((await client.get('/orphans?limit=10000')) as OrphansBody).orphans;
}

async function merged(name: OrphanName, ask: AskOptions): Promise<CommandResult> {
  const { client, row } = await found(name, ask);
  const { id, namespace } = row.orphan;
  const body = { orphan: row.orphan.orphan };
  const done = (await client.post('/orphans/merge', body)) as {
    readonly orphan: number;
    readonly version: string;
  };
  const about = `${JSON.stringify(id)} of ${namespace}`;
  const data = { nodeId: row.nodeId, namespace, id, version: done.version };
  const answeredBy = [row.nodeId];
  const deadline = performance.now() + MERGE_MS;
  while ((await keptBy(client)).some(({ orphan }) => orphan === done.orphan)) {
    if (performance.now() >= deadline) {
      const text = `${about} waits for its primary, as ${nameOf(row)} did not: it is merged by itself.`;
      return { data: { ...data, merged: false }, text, answeredBy, exitCode: EXIT.degraded };
    }
    await pause(LOOK_MS);
  }
  const text = `${about} is merged as version ${done.version}.`;
  return { data: { ...data, merged: true }, text, answeredBy };
}

async function dropped(
  name: OrphanName,
  options: DropOptions,
  terminal: Terminal,
): Promise<CommandResult> {
  const { client, row } = await found(name, askOptions(options, terminal));
  const { id, namespace, kind, writtenAt, bytes, preview, version } = row.orphan;
  const what = kind === 'delete' ? 'the delete' : `a ${kind} (${counted(bytes)} bytes)`;
  const lines = [
    `What is lost: ${what} of ${JSON.stringify(id)} in ${namespace}, written ${momentText(writtenAt)} ` +
      `UTC as version ${version}.`,
    ...(preview === null ? [] : [`It begins: ${excerpt(preview, 70)}`]),
  ];
  await confirmed(terminal, { lines, yes: options.yes === true });
  await client.post('/orphans/drop', { orphan: row.orphan.orphan });
  return {
    data: { nodeId: row.nodeId, namespace, id, version },
    text: `${nameOf(row)} is dropped. ${lines.join(' ')}`,
    answeredBy: [row.nodeId],
  };
}
