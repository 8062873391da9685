import type { Timestamp } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';

/** A reading further ahead than this is believed for merging, but does not move a clock. */
const FOLLOWED_AHEAD_MS = 5_000;

/**
 * Invariant 17: a node's hybrid clock never goes back, also across restarts, and what it says is
 * later than everything it had heard before it said it.
 *
 * @param wallMsOf the wall clock of a host, right now.
 * @param diskKeepsUp false while a host's disk is too slow (or it only just started) for the bound
 *   that its readings may not pass: until that is stored its clock stands, by design.
 */
export function hybridClockFollowsCause(
  wallMsOf: (node: string) => number,
  diskKeepsUp: (node: string) => boolean,
): Checker {
  const said = new Map<string, Timestamp>();
  const heard = new Map<number, Timestamp>();
  const cloned = new Set<string>();
  return {
    name: 'hybrid-clock-follows-cause',
    kinds: ['sent', 'received', 'intervened'],
    observe(event) {
      if (event.kind === 'intervened' && event.fault?.kind === 'clone') {
        cloned.add(event.fault.node).add(`${event.fault.node}c`);
      }
      if (event.kind === 'received') {
        // The handshake is heard before anybody is trusted; what moves the clock comes after it.
        if (!MOVES_CLOCK.has(event.envelope.message.type)) return undefined;
        const { timestamp } = event.envelope;
        if (timestamp.ms - wallMsOf(event.at.node) > FOLLOWED_AHEAD_MS) return undefined;
        if (!diskKeepsUp(event.at.node)) return undefined;
        const before = heard.get(event.at.process);
        if (before === undefined || compare(before, timestamp) < 0) {
          heard.set(event.at.process, timestamp);
        }
      }
      if (event.kind !== 'sent') return undefined;
      const { timestamp } = event.envelope;
      const owner = cloned.has(event.at.node) ? event.at.node : event.at.nodeId;
      const before = said.get(owner);
      said.set(owner, timestamp);
      if (before !== undefined && compare(timestamp, before) < 0) {
        return `Said ${show(timestamp)} after it had said ${show(before)}.`;
      }
      const cause = heard.get(event.at.process);
      if (cause !== undefined && compare(timestamp, cause) <= 0) {
        return `Said ${show(timestamp)} after it had heard ${show(cause)}.`;
      }
      return undefined;
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
