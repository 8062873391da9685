import { createReadStream, existsSync } from 'node:fs';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { readLines } from './read-lines.ts';

/** The first line of a report. */
export interface ReportHead {
  readonly report: 'memgrid import';
  readonly namespace: string;
  readonly source: string;
}

/** An entry that an import has stored, or found to be stored. */
export interface ReportedEntry {
  readonly line: number;
  readonly id: string;
  /** Where its owner puts it: an id of somebody's own does not tell. */
  readonly slice: number;
}

export interface ReadReport {
  readonly head: ReportHead;
  /** By id. */
  readonly entries: ReadonlyMap<string, ReportedEntry>;
}

/**
 * The report of earlier runs, or undefined when there is no such file. A last line that was cut off
 * by a crash is left out: its entry is imported again, which changes nothing.
 *
 * @throws CommandError for a file that is no report.
 */
export async function readReport(path: string): Promise<ReadReport | undefined> {
  if (!existsSync(path)) return undefined;
  let head: ReportHead | undefined;
  const entries = new Map<string, ReportedEntry>();
  for await (const line of readLines(createReadStream(path))) {
    const value = line.content.kind === 'text' ? parsed(line.content.text) : undefined;
    if (line.number === 1) {
      head = headOf(value);
      if (head === undefined) break;
      continue;
    }
    const { outcome, id, line: number, slice } = (value ?? {}) as Record<string, unknown>;
    const kept = outcome === 'stored' || outcome === 'present';
    const isPlaced = typeof number === 'number' && typeof slice === 'number';
    if (kept && typeof id === 'string' && isPlaced) {
      entries.set(id, { line: number, id, slice });
    }
  }
  if (head === undefined) {
    throw new CommandError('BAD_REPORT', `${path} is no report of memgrid import.`, {
      exitCode: EXIT.usage,
      hint: 'Name another file with --report.',
    });
  }
  return { head, entries };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headOf(value: unknown): ReportHead | undefined {
  const { report, namespace, source } = (value ?? {}) as Record<string, unknown>;
  const isHead =
    report === 'memgrid import' && typeof namespace === 'string' && typeof source === 'string';
  return isHead ? { report, namespace, source } : undefined;
}
