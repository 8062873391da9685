import { compareDots } from '../causality/version-vector.ts';
import type { Sibling } from '../causality/dotted-version-set.ts';
import type { EntryState, StoredWrite } from './entry.ts';

/**
 * The write that readers see while there are several: the newest by hybrid clock, and by dot where
 * two clocks agree. Every replica chooses the same. Undefined for a key that was never written.
 */
export function winnerOf(state: EntryState): Sibling<StoredWrite> | undefined {
  let winner: Sibling<StoredWrite> | undefined;
  for (const sibling of state.siblings) {
    if (winner === undefined || comesAfter(sibling, winner)) winner = sibling;
  }
  return winner;
}

function comesAfter(a: Sibling<StoredWrite>, b: Sibling<StoredWrite>): boolean {
  const left = a.value.timestamp;
  const right = b.value.timestamp;
  if (left.ms !== right.ms) return left.ms > right.ms;
  if (left.counter !== right.counter) return left.counter > right.counter;
  return compareDots(a.dot, b.dot) > 0;
}

/**
 * Whether readers find an entry: the winner is no delete and has not expired. An entry is gone for
 * everybody from the very millisecond in its `expiresAt`, whoever removes it when.
 */
export function isVisible(state: EntryState, nowMs: number): boolean {
  const value = winnerOf(state)?.value;
  if (value === undefined || value.kind === 'delete') return false;
  return value.expiresAt === 0 || nowMs < value.expiresAt;
}
