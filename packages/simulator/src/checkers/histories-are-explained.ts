import type { Checker } from '../checker.ts';
import type { DataWorkload } from '../data-workload.ts';
import { checkRegisters } from '../history/linearizability.ts';
import { checkSessions } from '../history/session-check.ts';

/** What clients saw of registers at quorum and strong has an order that explains it. */
export function linearizable(workload: () => DataWorkload | undefined): Checker {
  return atEnd('linearizable', () => {
    const verdict = checkRegisters(workload()?.histories.register.events ?? []);
    return verdict.kind === 'violation' ? verdict.violations[0]?.explanation : undefined;
  });
}

/** With a session's token, no read is older than its own writes or its earlier reads. */
export function sessionsGoForward(workload: () => DataWorkload | undefined): Checker {
  return atEnd('sessions-go-forward', () => {
    const [first] = checkSessions(workload()?.histories.session.events ?? []);
    return first === undefined ? undefined : `${first.kind}: ${first.explanation}`;
  });
}

/** What was written once and acknowledged at quorum is there in the end. */
export function acknowledgedWritesSurvive(workload: () => DataWorkload | undefined): Checker {
  return atEnd('acknowledged-writes-survive', () => workload()?.lost[0]);
}

function atEnd(name: string, finish: () => string | undefined): Checker {
  return { name, kinds: [], observe: () => undefined, finish };
}
