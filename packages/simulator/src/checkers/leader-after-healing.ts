import type { Expectation } from '../checker.ts';

/** Invariant 36: once the faults have ended, everybody soon agrees on one coordinator that works. */
export function leaderAfterHealing(withinMs: number): Expectation {
  return {
    name: 'leader-after-healing',
    withinMs,
    missing(view) {
      const named = new Set<string>();
      let leads: string | undefined;
      for (const { node, status } of view.expected) {
        if (status === undefined) return `${node} does not run.`;
        if (status.coordinator === undefined) {
          return `${node} knows no coordinator (${status.waitingFor ?? 'it gives no reason'}).`;
        }
        named.add(view.nameOf(status.coordinator));
        if (status.election?.role === 'leader' && status.coordinator === status.nodeId) {
          leads = node;
        }
      }
      if (named.size > 1) return `there are several coordinators: ${[...named].sort().join(', ')}.`;
      if (leads === undefined)
        return `${[...named].join()} is named coordinator but does not lead.`;
      return undefined;
    },
  };
}
