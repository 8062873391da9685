import { describeFault } from './fault.ts';
import type { SimulationReport } from './simulate.ts';
import { clockText } from './timeline.ts';
import type { TimelineEntry } from './timeline.ts';

export interface RenderOptions {
  /** Only what this node did, and what was done to everybody. */
  readonly node?: string;
  /** At most so many lines, the last ones. */
  readonly linesMax?: number;
}

/** A day as a person reads it: what was planned, what happened, how it ended. */
export function renderTimeline(report: SimulationReport, options: RenderOptions = {}): string {
  const lines = [...header(report), '', ...happened(report, options), '', ...ending(report)];
  return `${lines.join('\n')}\n`;
}

/** The command that repeats a day. */
export function repeatCommand(
  report: Pick<SimulationReport, 'seed' | 'nodes' | 'durationMs'>,
): string {
  const { durationMs, nodes, seed } = report;
  return `memgrid simulate --seed ${seed} --nodes ${nodes} --time ${durationMs / 1000}s`;
}

function header(report: SimulationReport): readonly string[] {
  const { faultKinds, schedule } = report;
  const faults = faultKinds.length === 0 ? 'none' : faultKinds.join(', ');
  return [
    `seed ${report.seed}, ${report.nodes} nodes, ${report.durationMs / 1000} s`,
    `faults: ${faults} (${schedule.length} times)`,
  ];
}

function happened(report: SimulationReport, options: RenderOptions): readonly string[] {
  const { node } = options;
  const wanted = (entry: TimelineEntry): boolean =>
    node === undefined || entry.node === undefined || entry.node === node;
  const entries = report.timeline.filter(wanted);
  const shown = entries.slice(-(options.linesMax ?? entries.length));
  const lines = shown.map(line);
  if (shown.length < entries.length) {
    lines.unshift(`… ${entries.length - shown.length} earlier lines`);
  }
  if (report.timelineLeftOut > 0) lines.push(`… ${report.timelineLeftOut} more lines`);
  return lines;
}

function line(entry: TimelineEntry): string {
  const node = entry.node ?? '***';
  return `${clockText(entry.atMs)}  ${node.padEnd(4)} ${entry.what} ${entry.detail}`.trimEnd();
}

function ending(report: SimulationReport): readonly string[] {
  const lines = report.states.map(
    (state) =>
      `${state.node.padEnd(4)} ${state.phase}, generation ${state.generation}, ${state.role}, ` +
      `term ${state.term}, applied ${state.applied}, coordinator ${state.coordinator}, ` +
      `sees ${state.alive.join('+') || 'nobody'}`,
  );
  const { healedMs } = report;
  lines.push('');
  if (healedMs !== undefined) lines.push(`whole again ${healedMs / 1000} s after the last fault`);
  lines.push(`trace ${report.traceHash}, ${Object.values(report.messages).reduce(sum)} messages`);
  for (const { atMs, checker, message, node } of report.violations) {
    lines.push(`VIOLATION ${clockText(atMs)} ${node ?? '***'} ${checker}: ${message}`);
  }
  if (report.violations.length > 0) lines.push(`repeat with: ${repeatCommand(report)}`);
  else lines.push('no violation');
  return lines;
}

function sum(a: number, b: number): number {
  return a + b;
}

/** The planned faults, one a line. */
export function renderSchedule(report: SimulationReport): string {
  return report.schedule
    .map((fault) => `${clockText(fault.atMs)}  ${describeFault(fault)}\n`)
    .join('');
}
