import type { GroupConfig, NodeId } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';
import { isLeaderMessage } from './raft-messages.ts';
import type { LeaderMessage } from './raft-messages.ts';

interface Leadership {
  readonly term: number;
  config: GroupConfig;
  configIndex: number;
  /** The highest index each member has confirmed to this leader in this term. */
  readonly acknowledged: Map<string, number>;
  /** Of the entries it sent: which term each is from. */
  readonly terms: Map<number, number>;
  /** Commits up to here are accounted for. */
  committed: number;
}

/**
 * What makes invariants 3 and 5 true, looked at directly: a leader commits only what a majority
 * of the configuration in force has confirmed (both majorities, while two are), and only by an
 * entry of its own term.
 */
export function commitsHaveQuorums(): Checker {
  const leaderships = new Map<number, Leadership>();

  const learn = (event: Extract<WorldEvent, { kind: 'sampled' }>): void => {
    const { election } = event.status;
    const known = leaderships.get(event.at.process);
    if (election?.role !== 'leader' || known?.term === election.term) return;
    leaderships.set(event.at.process, {
      term: election.term,
      config: election.config,
      configIndex: election.configIndex,
      acknowledged: new Map(),
      terms: new Map(),
      // What it knows as committed when first seen was committed before, or is too fresh to judge.
      committed: election.commit,
    });
  };

  const hear = (event: Extract<WorldEvent, { kind: 'received' }>): void => {
    const { message, source } = event.envelope;
    const leadership = leaderships.get(event.at.process);
    if (leadership === undefined) return;
    if (message.type === 'appendResp' && message.accepted && message.term === leadership.term) {
      const before = leadership.acknowledged.get(source) ?? 0;
      leadership.acknowledged.set(source, Math.max(before, message.index));
    }
    if (message.type === 'snapshotResp' && message.term === leadership.term) {
      const before = leadership.acknowledged.get(source) ?? 0;
      if (message.installed) {
        leadership.acknowledged.set(source, Math.max(before, message.lastIndex));
      }
    }
  };

  const speak = (leadership: Leadership, self: NodeId, message: LeaderMessage) => {
    if (message.type === 'append') {
      for (const { index, payload, term } of message.entries) {
        leadership.terms.set(index, term);
        if (payload.kind !== 'config' || index <= leadership.configIndex) continue;
        leadership.config = payload.config;
        leadership.configIndex = index;
      }
    }
    if (message.type !== 'append' && message.type !== 'heartbeat') return undefined;
    const { commit } = message;
    if (commit <= leadership.committed) return undefined;
    leadership.committed = commit;
    return problem(leadership, self, commit);
  };

  return {
    name: 'commits-have-quorums',
    kinds: ['sampled', 'received', 'sent'],
    observe(event) {
      if (event.kind === 'sampled') learn(event);
      else if (event.kind === 'received') hear(event);
      else if (event.kind === 'sent') {
        const leadership = leaderships.get(event.at.process);
        const { message } = event.envelope;
        if (leadership === undefined || !isLeaderMessage(message)) return undefined;
        if (message.term !== leadership.term) return undefined;
        return speak(leadership, event.at.nodeId, message);
      }
      return undefined;
    },
    finish: () => undefined,
  };
}

function problem(leadership: Leadership, self: NodeId, commit: number): string | undefined {
  const term = leadership.terms.get(commit);
  if (term !== undefined && term !== leadership.term) {
    return `The leader of term ${leadership.term} commits up to ${commit}, an entry of term ${term}.`;
  }
  const has = (id: NodeId): boolean =>
    id === self || (leadership.acknowledged.get(id) ?? 0) >= commit;
  const { voters, votersOutgoing } = leadership.config;
  for (const set of [voters, votersOutgoing]) {
    const count = set.filter((id) => has(id)).length;
    if (set.length > 0 && 2 * count <= set.length) {
      return `Index ${commit} was committed with ${count} of ${set.length} votes.`;
    }
  }
  return undefined;
}
