import { countField, decodeValue } from '@memgrid/protocol';
import type { Timestamp } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';

/** A reading further ahead than this is believed for merging, but does not move a clock. */
const FOLLOWED_AHEAD_MS = 5_000;
/** A wall clock that jumped by more is not followed, and its node caps by the time before the jump. */
const JUMP_FOLLOWED_MS_MAX = 60_000;
/** Where a node keeps the bound that its readings may not pass. */
const BOUND_KEY = 'node/clock-bound';

interface ProcessClock {
  /** The latest reading it has heard and had to follow. */
  heard: Timestamp | undefined;
  /** The same without the latest message, which may turn out to have been refused. */
  heardBefore: Timestamp | undefined;
  /** What it knows to be on disk; undefined until it has stored a bound in this life. */
  boundMs: number | undefined;
}

/**
 * Invariant 17: a node's hybrid clock never goes back, also across restarts, and what it says is
 * later than everything it had heard before it said it, as far as the guards of the clock allow
 * (five seconds ahead of the wall clock, and up to the bound on disk).
 *
 * @param wallMsOf the wall clock of a host, right now.
 */
export function hybridClockFollowsCause(wallMsOf: (node: string) => number): Checker {
  const said = new Map<string, Timestamp>();
  const clocks = new Map<number, ProcessClock>();
  const cloned = new Set<string>();
  const clockOf = (process: number): ProcessClock => {
    let clock = clocks.get(process);
    if (clock === undefined)
      clocks.set(
        process,
        (clock = { heard: undefined, heardBefore: undefined, boundMs: undefined }),
      );
    return clock;
  };

  const hear = (event: Extract<WorldEvent, { kind: 'received' }>): void => {
    const { message, timestamp } = event.envelope;
    // A link that is being closed carries nothing that counts any more, and a handshake is heard
    // before anybody is trusted.
    if (event.from === 'gone' || !MOVES_CLOCK.has(message.type)) return;
    const clock = clockOf(event.at.process);
    clock.heardBefore = clock.heard;
    if (clock.boundMs === undefined || timestamp.ms > clock.boundMs) return;
    const aheadMs = timestamp.ms - wallMsOf(event.at.node);
    if (aheadMs > FOLLOWED_AHEAD_MS || aheadMs < -JUMP_FOLLOWED_MS_MAX) return;
    if (clock.heard === undefined || compare(clock.heard, timestamp) < 0) clock.heard = timestamp;
  };

  const say = (event: Extract<WorldEvent, { kind: 'sent' }>): string | undefined => {
    const { timestamp } = event.envelope;
    // A clone shares its original's past, and nothing of its present.
    const owner = cloned.has(event.at.node) ? event.at.node : event.at.nodeId;
    const before = said.get(owner);
    said.set(owner, timestamp);
    if (before !== undefined && compare(timestamp, before) <= 0) {
      return `Said ${show(timestamp)} after it had said ${show(before)}.`;
    }
    const { heard } = clockOf(event.at.process);
    if (heard === undefined || compare(timestamp, heard) > 0) return undefined;
    return `Said ${show(timestamp)} after it had heard ${show(heard)}.`;
  };

  return {
    name: 'hybrid-clock-follows-cause',
    kinds: ['sent', 'received', 'published', 'stored', 'intervened'],
    observe(event) {
      switch (event.kind) {
        case 'received':
          hear(event);
          return undefined;
        case 'sent':
          return say(event);
        case 'published': {
          // A duplicate, say: refused before anybody looked at its clock.
          if (event.event.name !== 'frame.refused') return undefined;
          const clock = clockOf(event.at.process);
          clock.heard = clock.heardBefore;
          return undefined;
        }
        case 'stored':
          for (const operation of event.operations) {
            if (operation.kind !== 'put' || operation.key !== BOUND_KEY) continue;
            clockOf(event.at.process).boundMs = decodeValue(countField, operation.value);
          }
          return undefined;
        case 'intervened':
          if (event.fault?.kind === 'clone') {
            cloned.add(event.fault.node).add(`${event.fault.node}c`);
          }
          return undefined;
        default:
          return undefined;
      }
    },
    finish: () => undefined,
  };
}

/** Messages that only an authenticated peer's link carries. */
const MOVES_CLOCK: ReadonlySet<string> = new Set(['heartbeat', 'heartbeatResp', 'append']);

function compare(a: Timestamp, b: Timestamp): number {
  return a.ms === b.ms ? a.counter - b.counter : a.ms - b.ms;
}

function show(timestamp: Timestamp): string {
  return `${timestamp.ms}.${timestamp.counter}`;
}
