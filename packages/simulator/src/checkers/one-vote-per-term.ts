import type { Checker } from '../checker.ts';
import { isLeaderMessage } from './raft-messages.ts';

/**
 * Invariant 6: a node votes for one candidate in a term, also across restarts. A forgotten vote
 * would let two candidates win the same term.
 */
export function oneVotePerTerm(): Checker {
  const votes = new Map<string, string>();
  const vote = (voter: string, term: string, candidate: string): string | undefined => {
    const key = `${voter}.${term}`;
    const earlier = votes.get(key);
    if (earlier === undefined) votes.set(key, candidate);
    if (earlier === undefined || earlier === candidate) return undefined;
    return `Votes for ${candidate} in term ${term}, in which it voted for ${earlier} before.`;
  };
  return {
    name: 'one-vote-per-term',
    kinds: ['sent'],
    observe(event) {
      if (event.kind !== 'sent') return undefined;
      const { message } = event.envelope;
      if (message.type === 'voteResp' && message.granted) {
        return vote(event.at.nodeId, `${message.groupEpoch}.${message.term}`, event.to);
      }
      // To ask for votes binds nobody. To lead does: it needed one's own vote.
      if (isLeaderMessage(message)) {
        return vote(event.at.nodeId, `${message.groupEpoch}.${message.term}`, event.at.node);
      }
      return undefined;
    },
    finish: () => undefined,
  };
}
