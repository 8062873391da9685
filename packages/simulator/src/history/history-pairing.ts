import { invariant } from '@memgrid/core';
import { HistoryError } from './history-error.ts';
import type { HistoryEvent } from './history-event.ts';

/** An invocation and what came of it. */
export interface HistoryOperation {
  readonly invoke: HistoryEvent;
  /** Missing while the outcome is unknown because the recording ended first. */
  readonly completion: HistoryEvent | undefined;
  /** `fail`: certainly not applied. `unknown`: at any later time, or never. */
  readonly outcome: 'ok' | 'fail' | 'unknown';
}

/**
 * The operations of a history in the order of their invocations.
 *
 * @throws HistoryError when the events are no history: see `pairingProblems`.
 */
export function operationsOf(events: readonly HistoryEvent[]): readonly HistoryOperation[] {
  const problems = pairingProblems(events);
  if (problems.length > 0) throw new HistoryError(problems);
  const open = new Map<number, HistoryEvent>();
  const operations = new Map<HistoryEvent, HistoryOperation>();
  for (const event of events) {
    if (event.type === 'invoke') {
      open.set(event.process, event);
      operations.set(event, { invoke: event, completion: undefined, outcome: 'unknown' });
      continue;
    }
    const invoke = open.get(event.process);
    invariant(invoke !== undefined, `Line ${event.index + 1} ends nothing.`);
    open.delete(event.process);
    const outcome = event.type === 'info' ? 'unknown' : event.type;
    operations.set(invoke, { invoke, completion: event, outcome });
  }
  return [...operations.values()];
}

/**
 * What makes a list of events no history, one sentence each: processes that do two things at once
 * or live on after an unknown outcome, ends without a beginning, a clock or an index out of order.
 * A line is an index plus one.
 */
export function pairingProblems(events: readonly HistoryEvent[]): readonly string[] {
  const problems: string[] = [];
  const open = new Map<number, HistoryEvent>();
  const retired = new Map<number, number>();
  events.forEach((event, at) => {
    const say = (problem: string): void => void problems.push(`Line ${at + 1}: ${problem}`);
    const before = events[at - 1];
    if (event.index !== at) say(`"index" is ${event.index} and must be ${at}.`);
    if (before !== undefined && event.time < before.time) {
      say(`"time" goes back from ${before.time} to ${event.time}.`);
    }
    const retiredAt = retired.get(event.process);
    if (retiredAt !== undefined) {
      say(`process ${event.process} is used again after its info in line ${retiredAt}.`);
      return;
    }
    const invoke = open.get(event.process);
    if (event.type === 'invoke') {
      if (invoke !== undefined) {
        say(`process ${event.process} is still at its ${invoke.f} of line ${invoke.index + 1}.`);
      }
      open.set(event.process, event);
      return;
    }
    open.delete(event.process);
    if (event.type === 'info') retired.set(event.process, at + 1);
    if (invoke === undefined) say(`process ${event.process} has nothing under way.`);
    else if (invoke.f !== event.f || invoke.key !== event.key) {
      say(`ends ${named(event)}, but process ${event.process} began ${named(invoke)}.`);
    }
  });
  return problems;
}

function named({ f, key }: HistoryEvent): string {
  return key === undefined ? f : `${f} of ${JSON.stringify(key)}`;
}
