import type { NodeConfig } from '@memgrid/node/config';
import type { NodeExit, RunningNode } from '@memgrid/node';
import { Option } from 'commander';
import type { Command } from 'commander';
import { withJsonLines } from '../command-options.ts';
import { showFailure } from '../command-run.ts';
import type { CommandCall } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { paintFor } from '../output/paint.ts';
import { Shutdown } from '../shutdown.ts';
import { Supervisor } from '../dev/supervisor.ts';
import { resolvedFrom, withNodeOptions } from './node-options.ts';
import type { TypedOptions } from './node-options.ts';

const HELP = `
Runs one node until SIGTERM or Ctrl-C, which make it hand over and leave in good order; a second
one ends it at once. The log goes to standard error: as text when that is a terminal and nobody
chose a --log-format, else as JSON.

Nodes that are to found a cluster together get the same --seeds and the same --expect, and each its
own --data. On one machine each needs its own --listen and --http as well. Until all of them have
met they wait, and say for whom. Later nodes find an existing cluster by the same --seeds.

Every option can also be set in the environment or in the file; the command line wins, then the
environment, then the file. \`memgrid config show\` tells what results and from where.

Examples:
  memgrid start --data /var/lib/memgrid
  memgrid start --data d2 --listen 127.0.0.1:7701 --http 127.0.0.1:7781 \\
    --expect 3 --seeds 127.0.0.1:7700,127.0.0.1:7701,127.0.0.1:7702

Exit codes: 0 stopped on request, 2 bad configuration (all problems are listed), 6 the address, the
data directory or the identity in it is in use, 1 anything else.`;

/** `memgrid start`: run one node. */
export function defineStart(command: Command, { terminal, finish }: CommandContext): void {
  withNodeOptions(withJsonLines(command))
    .addOption(new Option('--supervised').hideHelp())
    .addHelpText('after', HELP);
  command.action(async (options: TypedOptions) => {
    const call = { command: 'start', json: options['json'] === true, terminal };
    const supervisor = options['supervised'] === true ? Supervisor.ofThisProcess() : undefined;
    try {
      finish(await runNode(call, options, supervisor));
    } catch (error) {
      await supervisor?.reportFailure(error);
      finish(showFailure(call, error));
    } finally {
      supervisor?.release();
    }
  });
}

async function runNode(
  call: CommandCall,
  options: TypedOptions,
  supervisor: Supervisor | undefined,
): Promise<ExitCode> {
  using shutdown = Shutdown.listen({ ignoreInterrupt: supervisor !== undefined });
  void supervisor?.gone.then(() => shutdown.request('the supervisor is gone'));
  const { config, rows } = await resolvedFrom(options, call.terminal.environment);
  const chosen = rows.some(({ name, origin }) => name === 'logFormat' && origin !== 'default');
  const node = await startedNode(withLogFormat(config, call, chosen), supervisor, shutdown.signal);
  // Asked to stop before there was anything to stop.
  if (node === undefined) return EXIT.good;
  await announce(call, node, supervisor);
  shutdown.onRequest((count) => {
    if (count === 1) return void node.drain();
    // A signal to a whole process group (a closed terminal, a service manager) reaches a supervised
    // node twice: by itself and through its parent. Only the parent knows when patience is over.
    if (supervisor === undefined) void node.close();
  });
  const exit = await node.done;
  return showExit(call, exit);
}

async function startedNode(
  config: NodeConfig,
  supervisor: Supervisor | undefined,
  signal: AbortSignal,
): Promise<RunningNode | undefined> {
  // Loaded here and not above: sockets, disk and HTTP are most of what a start costs, and a
  // configuration that is refused needs none of them.
  const { limitHeapGrowth, startNode } = await import('@memgrid/node');
  limitHeapGrowth();
  try {
    return await startNode(
      config,
      supervisor === undefined ? {} : { foundWith: (own) => supervisor.order(own, signal) },
    );
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** A person at a terminal reads text better than JSON, unless somebody said which. */
function withLogFormat(config: NodeConfig, { terminal }: CommandCall, chosen: boolean): NodeConfig {
  return chosen || terminal.stderr.isTTY !== true ? config : { ...config, logFormat: 'text' };
}

async function announce(
  call: CommandCall,
  node: RunningNode,
  supervisor: Supervisor | undefined,
): Promise<void> {
  const { nodeId, generation } = node.status();
  const { address, httpAddress } = node;
  await supervisor?.report({ kind: 'started', nodeId, generation });
  if (!call.json) return;
  const line = {
    event: 'node.started',
    nodeId,
    generation,
    address,
    httpAddress,
    pid: process.pid,
  };
  call.terminal.stdout.write(`${JSON.stringify(line)}\n`);
}

function showExit(call: CommandCall, { code, detail, error }: NodeExit): ExitCode {
  const { stdout, stderr } = call.terminal;
  if (call.json) stdout.write(`${JSON.stringify({ event: 'node.stopped', code, detail })}\n`);
  const good = code === 'left';
  if (!good && !call.json) {
    const paint = paintFor(stderr, call.terminal);
    const trace = error instanceof Error ? `\n${error.stack ?? error.message}` : '';
    stderr.write(`${paint('red', 'error:')} The node stopped (${code}): ${detail}${trace}\n`);
    if (code === 'identityInUse') stderr.write(`${paint('dim', 'hint:')} ${COPY_HINT}\n`);
  }
  if (good) return EXIT.good;
  return code === 'identityInUse' ? EXIT.conflict : EXIT.failed;
}

const COPY_HINT =
  'Give one of the two an empty --data: it joins as a new node. A copy can not become another node.';
