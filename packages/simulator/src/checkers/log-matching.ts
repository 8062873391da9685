import type { Append } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import { fingerprint } from './raft-messages.ts';

interface KnownEntry {
  readonly previousTerm: number;
  readonly print: number;
}

/**
 * Invariant 2: entries with the same index and term are the same, and so is everything before
 * them. Seen in every append: the same (index, term) always has the same payload and the same
 * predecessor, which by induction makes the whole prefix equal.
 */
export function logMatching(): Checker {
  const known = new Map<string, KnownEntry>();
  const learn = (append: Append): string | undefined => {
    let previousTerm: number = append.previousTerm;
    for (const entry of append.entries) {
      const place = `${append.groupEpoch}.${entry.term}.${entry.index}`;
      const print = fingerprint(entry.payload);
      const other = known.get(place);
      if (other === undefined) known.set(place, { previousTerm, print });
      else if (other.print !== print) {
        return `Entry ${entry.index} of term ${entry.term} exists with two different payloads.`;
      } else if (other.previousTerm !== previousTerm) {
        return (
          `Entry ${entry.index} of term ${entry.term} follows an entry of term ${previousTerm} ` +
          `in one log and of term ${other.previousTerm} in another.`
        );
      }
      previousTerm = entry.term;
    }
    return undefined;
  };
  return {
    name: 'log-matching',
    kinds: ['sent'],
    observe(event) {
      if (event.kind !== 'sent') return undefined;
      const { message } = event.envelope;
      return message.type === 'append' ? learn(message) : undefined;
    },
    finish: () => undefined,
  };
}
