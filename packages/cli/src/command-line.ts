import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CommandError } from './command-error.ts';
import { showFailure } from './command-run.ts';
import { COMMANDS } from './command-table.ts';
import type { CommandContext } from './command-context.ts';
import { EXIT, EXIT_CODE_HELP } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `Examples:
  memgrid dev                          three nodes on this machine; Ctrl-C stops them
  memgrid status                       what the nodes on this machine and their peers say
  memgrid status --json | jq .data.coordinator
  memgrid put "prefers tabs" --user ada
  memgrid workload register --seconds 30 --history h.ndjson
  memgrid simulate --seed 7 --nodes 5 --time 10m

Environment:
  MEMGRID_NODES     addresses for clients, for commands that work with entries
  MEMGRID_NAMESPACE whose entries those commands mean
  MEMGRID_NODE      admin addresses that look commands ask, in order
  MEMGRID_TOKEN     secret of the cluster, when it has one
  MEMGRID_CONFIG    configuration file of a node (memgrid.json)
  NO_COLOR          any value: no colour
  Every option of \`memgrid start\` has a variable of its own: see \`memgrid start --help\`.`;

/** Runs one command line against a terminal; returns the exit code and never throws. */
export async function runCommandLine(
  argv: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.good;
  const complaints: string[] = [];
  const context: CommandContext = {
    terminal,
    argv,
    finish: (code) => {
      exitCode = code;
    },
  };
  try {
    const program = await buildProgram(argv, context, complaints);
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    const call = { command: typedCommand(argv), json: argv.includes('--json'), terminal };
    if (!(error instanceof CommanderError)) return showFailure(call, error);
    if (error.exitCode === 0) return EXIT.good;
    return showFailure(call, usageError(complaints.join(''), call.command));
  }
}

/** The commander tree; only the command that was typed is filled in. */
export async function buildProgram(
  argv: readonly string[],
  context: CommandContext,
  complaints: string[] = [],
): Promise<Command> {
  const { stdout } = context.terminal;
  const program = new Command('memgrid')
    .description('The memories of AI agents, in a cluster of cache nodes in front of mem0.')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Kept back: with --json a complaint becomes part of the envelope.
      writeErr: (text) => void complaints.push(text),
    })
    .addHelpText('after', `\n${EXAMPLES}\n\n${EXIT_CODE_HELP}`);
  program.version(packageVersion(), '-V, --version', 'show the version');
  const wanted = new Set(words(argv).slice(0, 2));
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary).description(capitalised(summary));
    if (wanted.has(name)) (await load())(command, context);
  }
  return program;
}

function usageError(complaint: string, command: string): CommandError {
  const text = complaint.trim();
  // A subcommand that does not exist has no help either.
  const known = text.startsWith('error: unknown command') ? command.split(' ')[0] : command;
  const help = known === 'memgrid' ? 'memgrid --help' : `memgrid ${known} --help`;
  if (!text.startsWith('error:')) {
    return new CommandError('USAGE', 'A command is missing.', {
      exitCode: EXIT.usage,
      hint: `See \`${help}\`.`,
    });
  }
  const [message = '', ...rest] = text.replace(/^error:\s*/, '').split('\n');
  const suggestion = rest
    .join(' ')
    .replace(/^\(|\)$/g, '')
    .trim();
  return new CommandError('USAGE', `${capitalised(plainComplaint(message).replace(/\.$/, ''))}.`, {
    exitCode: EXIT.usage,
    hint: suggestion === '' ? `See \`${help}\`.` : `${suggestion} See \`${help}\`.`,
  });
}

/** What the parser of arguments says of a value, in words: the value first, then what is wanted. */
function plainComplaint(message: string): string {
  const argument = /^command-argument value '(.*)' is invalid for argument '(.*?)'\. /s;
  return message.replace(argument, (_, value: string, name: string) => {
    return `${JSON.stringify(value)} is no ${name}. `;
  });
}

/** Commands that have commands of their own. */
const GROUPS: readonly string[] = ['coordinator', 'config', 'workload', 'schema', 'orphans'];

/** The command as typed, for the envelope: `coordinator handover`. */
function typedCommand(argv: readonly string[]): string {
  const [first, second] = words(argv);
  const entry = COMMANDS.find(({ name }) => name === first);
  if (entry === undefined) return 'memgrid';
  const hasSubcommands = GROUPS.includes(entry.name);
  return hasSubcommands && second !== undefined ? `${entry.name} ${second}` : entry.name;
}

function words(argv: readonly string[]): readonly string[] {
  return argv.filter((argument) => !argument.startsWith('-'));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function packageVersion(): string {
  // The same distance from src/ and from dist/.
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
