import { hexDigit, highBits, lowBits } from '../wire/hex-text.ts';
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
  const a = highBits(timestamp.ms);
  const b = lowBits(timestamp.ms);
  const { counter } = timestamp;
  const time = String.fromCharCode(
    hexDigit(a, 20),
    hexDigit(a, 16),
    hexDigit(a, 12),
    hexDigit(a, 8),
    hexDigit(a, 4),
    hexDigit(a, 0),
    hexDigit(b, 20),
    hexDigit(b, 16),
    hexDigit(b, 12),
    hexDigit(b, 8),
    hexDigit(b, 4),
    hexDigit(b, 0),
    hexDigit(counter, 12),
    hexDigit(counter, 8),
    hexDigit(counter, 4),
    hexDigit(counter, 0),
  );
  return `${time}-${dot.actor}-${dot.counter}`;
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
