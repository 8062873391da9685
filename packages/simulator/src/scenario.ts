import { FAULT_KINDS, isApplication } from './fault.ts';
import type { FaultKind, ScheduledFault } from './fault.ts';

/**
 * A simulated day as a file: who takes part, for how long, and what goes wrong when. Everything
 * else (latencies, pauses, restarts) is drawn from the seed.
 */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  /** The safety phase. Afterwards the world heals and has to become well again. */
  readonly durationMs: number;
  readonly faults: readonly ScheduledFault[];
  /** Logs are cut after a few entries, so that snapshots happen. Default false. */
  readonly shortLogs?: boolean;
  /** What this day showed, for the reader of a regression. */
  readonly note?: string;
}

/** The problems of a scenario file, all of them, each with its place. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join(' '));
    this.problems = problems;
  }
}

const NODES_MAX = 100;
const DURATION_MS_MAX = 24 * 3_600_000;

/** How each parameter of a fault must look. */
type Shape = 'text' | 'number' | 'flag' | 'groups';

const PARAMETERS: Readonly<Record<FaultKind, Readonly<Record<string, Shape>>>> = {
  split: { groups: 'groups' },
  isolate: { node: 'text' },
  refuse: { from: 'text', to: 'text' },
  oneway: { from: 'text', to: 'text' },
  flaky: { from: 'text', to: 'text', lossPercent: 'number', resetPercent: 'number' },
  slow: { from: 'text', to: 'text', latencyMs: 'number', jitterMs: 'number' },
  narrow: { from: 'text', to: 'text', bytesPerSecond: 'number' },
  congest: { from: 'text', to: 'text', bytes: 'number' },
  clog: { from: 'text', to: 'text' },
  reset: { from: 'text', to: 'text' },
  spoil: { from: 'text', to: 'text', how: 'text', percent: 'number' },
  pause: { node: 'text' },
  stall: { node: 'text', stallMsMin: 'number', stallMsMax: 'number', everyMs: 'number' },
  slowCpu: { node: 'text', factor: 'number' },
  crash: { node: 'text' },
  powerOff: { node: 'text' },
  dieWriting: { node: 'text', power: 'flag' },
  restart: { node: 'text' },
  wipe: { node: 'text' },
  clone: { node: 'text' },
  diskError: { node: 'text' },
  diskSlow: { node: 'text', extraMs: 'number' },
  diskFull: { node: 'text' },
  skew: { node: 'text', offsetMs: 'number' },
  jump: { node: 'text', byMs: 'number' },
  freezeClock: { node: 'text' },
  drift: { node: 'text', ppm: 'number' },
  leave: { node: 'text' },
  drain: { node: 'text' },
  flip: { node: 'text', pick: 'number' },
  heal: {},
};

/**
 * @param text JSON: see `Scenario`.
 * @throws ScenarioError naming every problem at once.
 */
export function parseScenario(text: string): Scenario {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new ScenarioError([`The scenario is not JSON: ${(error as Error).message}.`]);
  }
  const problems: string[] = [];
  if (!isRecord(raw)) throw new ScenarioError(['A scenario must be an object.']);
  const seed = whole(raw['seed'], 'seed', { from: 0, to: Number.MAX_SAFE_INTEGER }, problems);
  const nodes = whole(raw['nodes'], 'nodes', { from: 1, to: NODES_MAX }, problems);
  const durationMs = whole(
    raw['durationMs'],
    'durationMs',
    { from: 1, to: DURATION_MS_MAX },
    problems,
  );
  const faults = faultsOf(raw['faults'], nodes, problems);
  for (const key of Object.keys(raw)) {
    if (!['seed', 'nodes', 'durationMs', 'faults', 'shortLogs', 'note'].includes(key)) {
      problems.push(`"${key}" is not part of a scenario.`);
    }
  }
  if (problems.length > 0) throw new ScenarioError(problems);
  const shortLogs = raw['shortLogs'] === true ? { shortLogs: true } : {};
  const scenario = { seed, nodes, durationMs, faults, ...shortLogs };
  return typeof raw['note'] === 'string' ? { ...scenario, note: raw['note'] } : scenario;
}

/** The file that `parseScenario` reads back: one line a fault. */
export function formatScenario(scenario: Scenario): string {
  const { faults, note, seed, nodes, durationMs } = scenario;
  const lines = [`  "seed": ${seed},`, `  "nodes": ${nodes},`, `  "durationMs": ${durationMs},`];
  if (scenario.shortLogs === true) lines.push('  "shortLogs": true,');
  if (note !== undefined) lines.push(`  "note": ${JSON.stringify(note)},`);
  const listed = faults.map((fault) => `    ${JSON.stringify(fault)}`).join(',\n');
  lines.push(faults.length === 0 ? '  "faults": []' : `  "faults": [\n${listed}\n  ]`);
  return `{\n${lines.join('\n')}\n}\n`;
}

function faultsOf(raw: unknown, nodes: number, problems: string[]): readonly ScheduledFault[] {
  if (!Array.isArray(raw)) {
    problems.push('"faults" must be a list.');
    return [];
  }
  raw.forEach((fault: unknown, at) =>
    problems.push(...faultProblems(fault, `faults[${at}]`, nodes)),
  );
  return raw as readonly ScheduledFault[];
}

function faultProblems(fault: unknown, where: string, nodes: number): readonly string[] {
  if (!isRecord(fault)) return [`${where} must be an object.`];
  const kind = fault['kind'];
  if (!FAULT_KINDS.includes(kind as FaultKind)) {
    return [`${where}.kind "${String(kind)}" is none of ${FAULT_KINDS.join(', ')}.`];
  }
  const shapes = PARAMETERS[kind as FaultKind];
  const problems: string[] = [];
  if (!isTime(fault['atMs'])) problems.push(`${where}.atMs must be a number of at least 0.`);
  if (fault['forMs'] !== undefined && !isTime(fault['forMs'])) {
    problems.push(`${where}.forMs must be a number of at least 0.`);
  }
  for (const [name, shape] of Object.entries(shapes)) {
    problems.push(...parameterProblems(fault[name], `${where}.${name}`, shape, nodes));
  }
  for (const name of Object.keys(fault)) {
    if (!(name in shapes) && !['kind', 'atMs', 'forMs'].includes(name)) {
      problems.push(`${where}.${name} is not a parameter of ${String(kind)}.`);
    }
  }
  return problems;
}

function parameterProblems(
  value: unknown,
  where: string,
  shape: Shape,
  nodes: number,
): readonly string[] {
  switch (shape) {
    case 'number':
      return Number.isFinite(value) ? [] : [`${where} must be a number.`];
    case 'flag':
      return typeof value === 'boolean' ? [] : [`${where} must be true or false.`];
    case 'text':
      if (typeof value !== 'string') return [`${where} must be a text.`];
      return where.endsWith('.how') ? [] : targetProblems(value, where, nodes);
    case 'groups':
      if (!Array.isArray(value)) return [`${where} must be a list of lists of nodes.`];
      return value.flatMap((group: unknown) =>
        Array.isArray(group)
          ? group.flatMap((target) => targetProblems(String(target), where, nodes))
          : [`${where} must be a list of lists of nodes.`],
      );
  }
}

function targetProblems(target: string, where: string, nodes: number): readonly string[] {
  if (target === '*' || target === 'coordinator' || isApplication(target)) return [];
  const number = /^n(\d+)c?$/.exec(target)?.[1];
  if (number !== undefined && Number(number) >= 1 && Number(number) <= nodes) return [];
  return [
    `${where} "${target}" is no node: use n1 to n${nodes}, coordinator, c1 for an application, or *.`,
  ];
}

function whole(
  value: unknown,
  name: string,
  range: { readonly from: number; readonly to: number },
  problems: string[],
): number {
  if (Number.isSafeInteger(value)) {
    const number = value as number;
    if (number >= range.from && number <= range.to) return number;
  }
  const given = JSON.stringify(value);
  problems.push(`"${name}" (${given}) must be a whole number from ${range.from} to ${range.to}.`);
  return range.from;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
