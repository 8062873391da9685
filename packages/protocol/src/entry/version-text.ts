import type { ActorId } from '../ids.ts';
import type { EntryVersion } from '../messages/operations.ts';

/** Time, counter of the clock, actor, counter of the actor. */
const VERSION =
  /^([0-9a-f]{12})([0-9a-f]{4})-([0-9a-f]{32}\.(?:0|[1-9][0-9]{0,15}))-([1-9][0-9]{0,15})$/;

/**
 * A version as callers see it and hand it back in `ifVersion`. For them it is opaque; for a person
 * with a log it begins with the time, so versions sort by when they were written.
 */
export function formatVersion({ dot, timestamp }: EntryVersion): string {
  const ms = timestamp.ms.toString(16).padStart(12, '0');
  const counter = timestamp.counter.toString(16).padStart(4, '0');
  return `${ms}${counter}-${dot.actor}-${dot.counter}`;
}

/** Undefined for a text that `formatVersion` cannot have written. */
export function parseVersion(text: string): EntryVersion | undefined {
  const [, ms = '', counter = '', actor = '', dotCounter = ''] = VERSION.exec(text) ?? [];
  const dot = { actor: actor as ActorId, counter: Number(dotCounter) };
  const epoch = Number(actor.slice(33));
  if (actor === '' || !Number.isSafeInteger(dot.counter) || !Number.isSafeInteger(epoch)) {
    return undefined;
  }
  const timestamp = { ms: Number.parseInt(ms, 16), counter: Number.parseInt(counter, 16) };
  return { dot, timestamp };
}
