import type { Checker } from '../checker.ts';
import type { DataWorkload } from '../data-workload.ts';
import { checkLists } from '../history/list-check.ts';
import { checkRegisters } from '../history/linearizability.ts';
import { checkSessions } from '../history/session-check.ts';

/** What clients saw of registers at quorum and strong has an order that explains it. */
export function linearizable(workload: () => DataWorkload | undefined): Checker {
  return {
    ...AT_THE_END,
    name: 'linearizable',
    finish: () => {
      const verdict = checkRegisters(workload()?.histories.register.events ?? []);
      return verdict.kind === 'violation' ? verdict.violations[0]?.explanation : undefined;
    },
  };
}

/** With a session's token, no read is older than its own writes or its earlier reads. */
export function sessionsGoForward(workload: () => DataWorkload | undefined): Checker {
  return {
    ...AT_THE_END,
    name: 'sessions-go-forward',
    finish: () => {
      const [first] = checkSessions(workload()?.histories.session.events ?? []);
      return first === undefined ? undefined : `${first.kind}: ${first.explanation}`;
    },
  };
}

/** A list has all that was there when it began, and nothing that was gone or never there. */
export function listsAreComplete(workload: () => DataWorkload | undefined): Checker {
  return {
    ...AT_THE_END,
    name: 'lists-are-complete',
    finish: () => {
      const [first] = checkLists(workload()?.histories.list.events ?? []);
      return first === undefined ? undefined : `${first.key}: ${first.explanation}`;
    },
  };
}

/** What was written once and acknowledged at quorum is there in the end. */
export function acknowledgedWritesSurvive(workload: () => DataWorkload | undefined): Checker {
  return {
    ...AT_THE_END,
    name: 'acknowledged-writes-survive',
    finish: () => workload()?.lost[0],
  };
}

/** A history says nothing before it is whole. */
const AT_THE_END = { kinds: [], observe: () => undefined } as const;
