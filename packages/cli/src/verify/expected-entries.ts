import { readFileSync } from 'node:fs';
import { sliceOfEntry } from '@memgrid/protocol';
import { parseHistory, type HistoryEvent } from '@memgrid/simulator';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { readReport } from '../import/import-report.ts';
import { elementId, runOf } from '../workload/set-workload.ts';
import type { ExpectedEntry } from './replica-comparison.ts';

export interface ExpectedSources {
  readonly report?: string;
  readonly history?: string;
  /**
   * Where a history's entries are: without it, in the namespace that the run made for itself. A
   * report says so itself.
   */
  readonly namespace?: string;
}

/**
 * The entries that somebody was told are stored, by one of the files; undefined without either.
 *
 * @throws CommandError for a file that is none of those.
 */
export async function expectedEntries(options: ExpectedSources): Promise<Expected | undefined> {
  if (options.report !== undefined) return await reported(options.report);
  if (options.history === undefined) return undefined;
  return recorded(options.history, options.namespace);
}

export interface Expected {
  readonly namespace: string;
  readonly entries: readonly ExpectedEntry[];
}

/** The elements whose adds were acknowledged. */
function recorded(path: string, given: string | undefined): Expected {
  const events = historyIn(path);
  const strange = events.find(({ f }) => f !== 'add' && f !== 'read');
  if (strange !== undefined) {
    throw new CommandError(
      'OTHER_HISTORY',
      `${path} has a ${strange.f}: it is no history of sets.`,
      {
        exitCode: EXIT.usage,
        hint: 'Of registers and sessions only the checker can tell what has to be stored.',
      },
    );
  }
  const [first] = events;
  const namespace = given ?? runOf(first?.key ?? '');
  const entries: ExpectedEntry[] = [];
  const open = new Map<number, HistoryEvent>();
  for (const event of events) {
    if (event.type === 'invoke') open.set(event.process, event);
    const begun = open.get(event.process);
    if (event.type !== 'ok' || event.f !== 'add' || begun?.key === undefined) continue;
    const id = elementId(begun.key, begun.value as string | number);
    const address = { ...NOBODY, namespace, userId: begun.key, key: id };
    entries.push({ id, slice: sliceOfEntry(address), line: event.index + 1 });
  }
  return { namespace, entries };
}

const NOBODY = { agentId: '', appId: '', runId: '' };

function historyIn(path: string): readonly HistoryEvent[] {
  try {
    return parseHistory(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandError(
      'UNREADABLE_FILE',
      `${path} cannot be read: ${(error as Error).message}`,
      {
        exitCode: EXIT.usage,
        cause: error,
      },
    );
  }
}

async function reported(path: string): Promise<Expected> {
  const report = await readReport(path);
  if (report === undefined) {
    throw new CommandError('UNREADABLE_FILE', `There is no report ${path}.`, {
      exitCode: EXIT.usage,
      hint: 'memgrid import --report writes one.',
    });
  }
  const entries = [...report.entries.values()].map(({ id, line, slice }) => ({ id, line, slice }));
  return { namespace: report.head.namespace, entries };
}
