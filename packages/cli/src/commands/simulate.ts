import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { LIMITS } from '@memgrid/protocol';
import {
  SWARM_KINDS,
  ScenarioError,
  explore,
  formatHistory,
  formatScenario,
  parseScenario,
  renderSchedule,
  renderTimeline,
  repeatCommand,
  simulate,
} from '@memgrid/simulator';
import type {
  ExploreReport,
  FaultChoice,
  Scenario,
  SeedOutcome,
  SimulateOptions,
  SwarmKind,
} from '@memgrid/simulator';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { durationMs, wholeNumber, withJson } from '../command-options.ts';
import { runCommand } from '../command-run.ts';
import type { CommandResult } from '../command-run.ts';
import type { CommandContext } from '../command-context.ts';
import { showDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { facts } from '../output/table.ts';
import { Shutdown } from '../shutdown.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `
Runs the production machines of a whole cluster in one process, under a simulated clock, network
and disks. Everything that goes wrong follows from the seed, so the same command always prints the
same day, and its trace hash is the same on every machine. First the faults, with every safety
property checked at every step; then healing, within a limit.

Examples:
  memgrid simulate --seed 7 --nodes 5 --time 10m
  memgrid simulate --seed 7 --faults crash,isolate --node n2    only n2's side of the story
  memgrid simulate --explore 200                                200 seeds; the worst one is named
  memgrid simulate --seed 7 --save day.json                     the day as a file to edit …
  memgrid simulate --scenario day.json                          … and to run again
  memgrid simulate --seed 7 --history day.ndjson                what clients saw, for a checker

Exit codes: 0 no violation, 1 a property was violated (the command that repeats it is printed).`;

interface SimulateFlags {
  readonly seed: number;
  readonly nodes?: number;
  readonly time?: number;
  readonly faults?: readonly string[];
  readonly scenario?: string;
  readonly save?: string;
  readonly history?: string;
  readonly explore?: number;
  readonly workers?: number;
  readonly node?: string;
  readonly lines?: number;
  readonly plan?: true;
  readonly json?: true;
}

const SEED_MAX = Number.MAX_SAFE_INTEGER;
/** How many nodes can found a cluster together. */
const NODES_MAX = LIMITS.foundingPeersMax;
const WORKERS_MAX = 64;

/** `memgrid simulate`: a bad day that can be repeated. */
export function defineSimulate(command: Command, { terminal, finish }: CommandContext): void {
  withJson(command)
    .option('--seed <n>', 'what everything follows from', wholeNumber({ min: 0, max: SEED_MAX }), 1)
    .option('--nodes <n>', 'how many nodes (default: 5)', wholeNumber({ min: 1, max: NODES_MAX }))
    .option(
      '--time <duration>',
      'how long faults go on, in simulated time (default: 1m)',
      durationMs,
    )
    .option('--faults <kind,…>', '`none`, or only these kinds (default: a random half)', kinds)
    .option('--scenario <file>', 'run the faults of a file instead of random ones')
    .option('--save <file>', 'write the day as a scenario file')
    .option('--history <file>', 'write what clients saw of registers, a JSON object a line')
    .option('--explore <n>', 'run so many seeds, from --seed on', wholeNumber({ min: 1, max: 1e6 }))
    .option(
      '--workers <n>',
      'threads of --explore (default: one per processor)',
      wholeNumber({ min: 1, max: WORKERS_MAX }),
    )
    .option('--node <name>', 'show only what this node did: n1, n2, …')
    .option('--lines <n>', 'show only the last lines', wholeNumber({ min: 1, max: 1e6 }))
    .option('--plan', 'show the planned faults first')
    .addHelpText('after', HELP);
  command.action(async (flags: SimulateFlags) => {
    const call = { command: 'simulate', json: flags.json === true, terminal };
    const act = (): Promise<CommandResult> =>
      flags.explore === undefined ? oneDay(flags) : manyDays(flags, flags.explore, terminal);
    finish(await runCommand(call, act));
  });
}

async function oneDay(flags: SimulateFlags): Promise<CommandResult> {
  const report = simulate(optionsOf(flags));
  const { seed, nodes, durationMs: lastedMs, schedule, violations } = report;
  if (flags.node !== undefined && !isNodeOf(nodes, flags.node)) {
    throw usageError(`There is no node ${flags.node}.`, `The nodes are n1 to n${nodes}.`);
  }
  if (flags.save !== undefined) {
    const scenario = { seed, nodes, durationMs: lastedMs, faults: schedule };
    save(flags.save, '--save', formatScenario(scenario));
  }
  if (flags.history !== undefined) {
    save(flags.history, '--history', formatHistory(report.history));
  }
  const plan = flags.plan === true ? `${renderSchedule(report)}\n` : '';
  return {
    // The history is a file of its own: see `--history`.
    data: { ...report, history: report.history.length, repeat: repeatCommand(report) },
    text: plan + renderTimeline(report, renderOptions(flags)).trimEnd(),
    exitCode: violations.length === 0 ? EXIT.good : EXIT.failed,
  };
}

async function manyDays(
  flags: SimulateFlags,
  count: number,
  terminal: Terminal,
): Promise<CommandResult> {
  refuseFlagsOfOneDay(flags);
  using shutdown = Shutdown.listen();
  const { faults, nodes, durationMs: lastedMs } = optionsOf(flags);
  const startedAt = performance.now();
  const progress = progressOf(count, flags.json === true, terminal);
  const report = await explore({
    firstSeed: flags.seed,
    count,
    workers: flags.workers ?? availableParallelism(),
    signal: shutdown.signal,
    progress: progress.step,
    ...(nodes === undefined ? {} : { nodes: [nodes] }),
    ...(lastedMs === undefined ? {} : { durationMs: lastedMs }),
    ...(faults === undefined ? {} : { faults }),
  })
    .catch((error: unknown) => {
      if (!shutdown.signal.aborted) throw error;
      const seeds = `${progress.doneCount()} of ${count} seeds`;
      throw new CommandError('INTERRUPTED', `Stopped after ${seeds} (${shutdown.reason}).`);
    })
    .finally(progress.end);
  const tookMs = Math.round(performance.now() - startedAt);
  return {
    data: { ...report, tookMs, failed: report.failed.map(withRepeat) },
    text: exploreText(report, tookMs),
    exitCode: report.failed.length === 0 ? EXIT.good : EXIT.failed,
  };
}

/** What would be ignored in silence is refused. */
function refuseFlagsOfOneDay(flags: SimulateFlags): void {
  const useless = (['save', 'history', 'node', 'lines', 'plan'] as const)
    .filter((name) => flags[name] !== undefined)
    .map((name) => `--${name}`);
  if (useless.length === 0) return;
  throw usageError(
    `--explore runs many days and ${useless.join(', ')} is about one day.`,
    `Leave out ${useless.join(', ')}, or run one seed of them with --seed.`,
  );
}

function isNodeOf(nodes: number, name: string): boolean {
  const number = /^n([1-9]\d{0,3})$/.exec(name)?.[1];
  return number !== undefined && Number(number) <= nodes;
}

function usageError(message: string, hint: string): CommandError {
  return new CommandError('USAGE', message, {
    exitCode: EXIT.usage,
    hint: `${hint} See \`memgrid simulate --help\`.`,
  });
}

function save(file: string, flag: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError('NOT_SAVED', `${file} can not be written (${code ?? 'unknown'}).`, {
      hint: `Choose another file with ${flag}: the same seed is the same day again.`,
      cause: error,
    });
  }
}

function optionsOf(flags: SimulateFlags): SimulateOptions {
  if (flags.scenario !== undefined) return fromScenario(flags.scenario, flags);
  return {
    seed: flags.seed,
    ...(flags.nodes === undefined ? {} : { nodes: flags.nodes }),
    ...(flags.time === undefined ? {} : { durationMs: flags.time }),
    ...(flags.faults === undefined ? {} : { faults: choiceOf(flags.faults) }),
  };
}

function fromScenario(path: string, flags: SimulateFlags): SimulateOptions {
  if (flags.faults !== undefined || flags.explore !== undefined) {
    throw usageError(
      '--scenario brings its own seed and faults.',
      'Leave out --faults and --explore.',
    );
  }
  const { seed, nodes, durationMs: lastsMs, faults } = readScenario(path);
  return {
    seed,
    nodes: flags.nodes ?? nodes,
    durationMs: flags.time ?? lastsMs,
    faults: { kind: 'schedule', faults },
  };
}

function readScenario(path: string): Scenario {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError('NO_SCENARIO', `${path} can not be read (${code ?? 'unknown'}).`, {
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  try {
    return parseScenario(text);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const list = error.problems.map((problem) => `  - ${problem}`).join('\n');
    throw new CommandError('BAD_SCENARIO', `${path} is no scenario:\n${list}`, {
      exitCode: EXIT.usage,
      hint: '`memgrid simulate --save day.json` writes one to begin with.',
      cause: error,
    });
  }
}

function choiceOf(names: readonly string[]): FaultChoice {
  if (names.length === 1 && names[0] === 'none') return { kind: 'none' };
  return { kind: 'swarm', only: names.filter(isKind) };
}

function isKind(name: string): name is SwarmKind {
  return SWARM_KINDS.some((kind) => kind === name);
}

function kinds(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const bad = names.find((name) => !isKind(name) && (name !== 'none' || names.length > 1));
  if (bad !== undefined) {
    throw new InvalidArgumentError(
      `"${bad}" is not \`none\` or some of ${SWARM_KINDS.join(', ')}.`,
    );
  }
  return names;
}

function renderOptions({ node, lines }: SimulateFlags): { node?: string; linesMax?: number } {
  return {
    ...(node === undefined ? {} : { node }),
    ...(lines === undefined ? {} : { linesMax: lines }),
  };
}

function withRepeat(outcome: SeedOutcome): SeedOutcome & { readonly repeat: string } {
  return { ...outcome, repeat: repeatCommand(outcome) };
}

function exploreText(report: ExploreReport, tookMs: number): string {
  const { seeds, simulatedMs, failed, worst, falseDeaths, never } = report;
  const speed = Math.round(simulatedMs / Math.max(1, tookMs));
  const worstText =
    worst === undefined
      ? '-'
      : `seed ${worst.seed}${worst.healedMs === undefined ? '' : `, whole again after ${showDuration(worst.healedMs)}`}`;
  const summary = facts([
    ['seeds', `${seeds}, ${failed.length} failed`],
    ['simulated', `${showDuration(simulatedMs)} in ${showDuration(tookMs)} (${speed} x real time)`],
    ['worst', worstText],
    ['false deaths', String(falseDeaths)],
    ['look at it', worst === undefined ? '-' : repeatCommand(worst)],
    ['never seen', never.length === 0 ? 'nothing: every situation occurred' : never.join('; ')],
  ]);
  return [summary, ...failed.map(failureText)].join('\n');
}

function failureText(outcome: SeedOutcome): string {
  const { seed, violations, deterministic } = outcome;
  const why = violations.map(({ checker, message }) => `${checker}: ${message}`);
  if (!deterministic) why.push('two runs of this seed differed');
  return `\nseed ${seed}: ${why.join('\n  ')}\n  repeat with: ${repeatCommand(outcome)}`;
}

interface Progress {
  readonly step: () => void;
  readonly end: () => void;
  readonly doneCount: () => number;
}

/** Counts; shown on a terminal's standard error only, so that logs stay short. */
function progressOf(count: number, json: boolean, { stderr }: Terminal): Progress {
  const shown = !json && stderr.isTTY === true;
  let done = 0;
  return {
    step: () => {
      done += 1;
      if (shown) stderr.write(`\r${done} of ${count} seeds`);
    },
    end: () => {
      if (shown) stderr.write('\r\u001B[K');
    },
    doneCount: () => done,
  };
}
