import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';
import { isLeaderMessage } from './raft-messages.ts';

/** Invariant 1: at most one node leads in a term. Two would both commit entries at one index. */
export function oneLeaderPerTerm(): Checker {
  const leaders = new Map<string, string>();
  const leads = (term: string, nodeId: string, node: string): string | undefined => {
    const known = leaders.get(term);
    if (known === undefined) leaders.set(term, nodeId);
    if (known === undefined || known === nodeId) return undefined;
    return `${node} leads in term ${term}, which ${known.slice(0, 8)} has led already.`;
  };
  return {
    name: 'one-leader-per-term',
    kinds: ['sent', 'sampled'],
    observe(event: WorldEvent) {
      if (event.kind === 'sent') {
        const { message } = event.envelope;
        if (!isLeaderMessage(message)) return undefined;
        return leads(`${message.groupEpoch}.${message.term}`, event.at.nodeId, event.at.node);
      }
      if (event.kind !== 'sampled') return undefined;
      const { control, election, nodeId } = event.status;
      if (election?.role !== 'leader' || control === undefined) return undefined;
      return leads(`${control.groupEpoch}.${election.term}`, nodeId, event.at.node);
    },
    finish: () => undefined,
  };
}
