import type { EntryState, EntryVersion, RecordBody, Sibling, StoredWrite } from '@memgrid/protocol';
import { decodeValue, entryStateField, soleWriteIn } from '@memgrid/protocol';
import { broken } from '#breaks';

export type StoredSibling = Sibling<StoredWrite>;

/** @throws WireError for bytes that are no state. */
export function decodeState(state: Uint8Array): EntryState {
  return decodeValue(entryStateField, state, 'state');
}

/** The sibling that everybody shows: the latest by hybrid clock, then by actor. */
export function winnerOf(state: EntryState): StoredSibling | undefined {
  let winner: StoredSibling | undefined;
  for (const sibling of state.siblings) {
    if (winner === undefined || isLaterSibling(sibling, winner)) winner = sibling;
  }
  return winner;
}

/**
 * The same, read from the bytes of a state. The winner's entry is a view of them.
 *
 * @throws WireError for bytes that are no state.
 */
export function winnerIn(state: Uint8Array): StoredSibling | undefined {
  return soleWriteIn(state)?.sibling ?? winnerOf(decodeState(state));
}

/** By hybrid clock, then by actor: the same order everywhere. */
export function isLaterSibling(a: StoredSibling, b: StoredSibling): boolean {
  const [left, right] = [a.value.timestamp, b.value.timestamp];
  if (left.ms !== right.ms) return left.ms > right.ms;
  if (left.counter !== right.counter) return left.counter > right.counter;
  if (a.dot.actor !== b.dot.actor) return a.dot.actor > b.dot.actor;
  return a.dot.counter > b.dot.counter;
}

/** The winner, unless it is a delete or has expired. See DESIGN.md, F19, and `winnerIn`. */
export function visibleIn(state: Uint8Array, nowMs: number): StoredSibling | undefined {
  return shownOf(winnerIn(state), nowMs);
}

/** A winner that readers see: no delete, and not expired. */
export function shownOf(
  winner: StoredSibling | undefined,
  nowMs: number,
): StoredSibling | undefined {
  if (winner === undefined || winner.value.kind === 'delete') return undefined;
  return isExpired(winner.value, nowMs) ? undefined : winner;
}

export function isExpired({ expiresAt }: StoredWrite, nowMs: number): boolean {
  return expiresAt !== 0 && expiresAt <= nowMs && !broken('shards.expired-invisible');
}

/** What the caller of a record's write was told of it. */
export function writtenVersion(
  { version }: Extract<RecordBody, { kind: 'write' }>,
  winner: StoredSibling,
): EntryVersion {
  return version ?? versionOf(winner);
}

export function versionOf(sibling: StoredSibling): EntryVersion {
  return { dot: sibling.dot, timestamp: sibling.value.timestamp };
}
