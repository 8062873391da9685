import { HistoryError } from './history-error.ts';
import type { HistoryEvent } from './history-event.ts';
import { operationsOf } from './history-pairing.ts';

/** What one process was promised about its own past, and did not get. */
export interface SessionViolation {
  readonly kind: 'readYourWrites' | 'monotonicReads';
  readonly process: number;
  readonly key: string;
  /** Index of the read's end. */
  readonly index: number;
  /** A sentence with both versions. */
  readonly explanation: string;
}

interface Mark {
  readonly version: readonly number[];
  readonly index: number;
}

/**
 * Judges the promises of a session token, taking each process for one session: a read is never
 * older than the last acknowledged `write`, `cas` or `delete` of its process on the same key, and
 * never older than any earlier read of it.
 *
 * Give it only operations that carried a token; without one, nothing was promised.
 *
 * @throws HistoryError naming each acknowledged operation that has no version or no key.
 */
export function checkSessions(events: readonly HistoryEvent[]): readonly SessionViolation[] {
  const problems: string[] = [];
  const violations: SessionViolation[] = [];
  const written = new Map<string, Mark>();
  const read = new Map<string, Mark>();
  const acknowledged = operationsOf(events)
    .filter(({ outcome }) => outcome === 'ok')
    .flatMap(({ completion }) => completion ?? []);
  for (const { process, key, version, index, f } of acknowledged) {
    if (key === undefined || version === undefined) {
      problems.push(`Line ${index + 1}: a session's ${f} needs a "key" and a "version".`);
      continue;
    }
    const session = `${process} ${key}`;
    const found = (kind: SessionViolation['kind'], before: Mark | undefined): void => {
      if (before === undefined || compareVersions(version, before.version) >= 0) return;
      const explanation = explain({ version, index }, before, process);
      violations.push({ kind, process, key, index, explanation });
    };
    if (f === 'read') {
      found('readYourWrites', written.get(session));
      found('monotonicReads', read.get(session));
      read.set(session, newer(read.get(session), { version, index }));
    } else {
      written.set(session, newer(written.get(session), { version, index }));
    }
  }
  if (problems.length > 0) throw new HistoryError(problems);
  return violations;
}

/** Below 0 when `a` is older: number by number from the left, and a beginning is older. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (const [at, number] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    if (number !== other) return number - other;
  }
  return a.length - b.length;
}

function newer(before: Mark | undefined, now: Mark): Mark {
  return before !== undefined && compareVersions(before.version, now.version) > 0 ? before : now;
}

function explain(now: Mark, before: Mark, process: number): string {
  const older = `version [${now.version.join(', ')}] in line ${now.index + 1}`;
  const known = `version [${before.version.join(', ')}] of line ${before.index + 1}`;
  return `Process ${process} read ${older} although it knew ${known}.`;
}
