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
  /** Announced in this turn and judged at its end, when the configuration in force is known. */
  announced: number;
  /** In force when that was announced: another one may follow in the same turn. */
  announcedBy: GroupConfig;
}

/**
 * What makes invariants 3 and 5 true, looked at directly: a leader commits only what a majority
 * of the configuration in force has confirmed (both majorities, while two are), and only by an
 * entry of its own term.
 */
export function commitsHaveQuorums(): Checker {
  const leaderships = new Map<number, Leadership>();

  const learn = (event: Extract<WorldEvent, { kind: 'sampled' }>): string | undefined => {
    const { election } = event.status;
    const known = leaderships.get(event.at.process);
    if (election === undefined) return undefined;
    if (known !== undefined && known.announced > known.committed) {
      const inForce = election.term === known.term ? election.config : known.config;
      return problem(known, event.at.nodeId, inForce);
    }
    if (election.role !== 'leader' || known?.term === election.term) return undefined;
    leaderships.set(event.at.process, {
      term: election.term,
      config: election.config,
      configIndex: election.configIndex,
      acknowledged: new Map(),
      terms: new Map(),
      // What it knows as committed when first seen was committed before, or is too fresh to judge.
      committed: election.commit,
      announced: election.commit,
      announcedBy: election.config,
    });
    return undefined;
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

  const speak = (leadership: Leadership, message: LeaderMessage): void => {
    const { config: before } = leadership;
    if (message.type === 'append') {
      for (const { index, payload, term } of message.entries) {
        leadership.terms.set(index, term);
        if (payload.kind !== 'config' || index <= leadership.configIndex) continue;
        leadership.config = payload.config;
        leadership.configIndex = index;
      }
    }
    if (message.type !== 'append' && message.type !== 'heartbeat') return;
    if (message.commit <= leadership.announced) return;
    leadership.announced = message.commit;
    leadership.announcedBy = before;
  };

  return {
    name: 'commits-have-quorums',
    kinds: ['sampled', 'received', 'sent'],
    observe(event) {
      if (event.kind === 'sampled') return learn(event);
      if (event.kind === 'received') hear(event);
      else if (event.kind === 'sent') {
        const leadership = leaderships.get(event.at.process);
        const { message } = event.envelope;
        if (leadership === undefined || !isLeaderMessage(message)) return undefined;
        if (message.term === leadership.term) speak(leadership, message);
      }
      return undefined;
    },
    finish: () => undefined,
  };
}

/** @param inForce the configuration at the end of the turn; it counts from the moment of its append. */
function problem(leadership: Leadership, self: NodeId, inForce: GroupConfig): string | undefined {
  const { announced, committed, config, configIndex } = leadership;
  leadership.committed = announced;
  const term = leadership.terms.get(announced);
  if (term !== undefined && term !== leadership.term) {
    return `The leader of term ${leadership.term} commits up to ${announced}, of term ${term}.`;
  }
  // A configuration is committed by its own quorums: both, while it has two.
  if (configIndex > committed && configIndex <= announced) {
    const missing = missingVotes(leadership, self, { index: configIndex, config });
    if (missing !== undefined) return missing;
  }
  let missing: string | undefined;
  for (const one of [leadership.announcedBy, config, inForce]) {
    missing = missingVotes(leadership, self, { index: announced, config: one });
    if (missing === undefined) return undefined;
  }
  return missing;
}

function missingVotes(
  leadership: Leadership,
  self: NodeId,
  commit: { readonly index: number; readonly config: GroupConfig },
): string | undefined {
  const { config, index } = commit;
  const has = (id: NodeId): boolean =>
    id === self || (leadership.acknowledged.get(id) ?? 0) >= index;
  for (const set of [config.voters, config.votersOutgoing]) {
    const count = set.filter((id) => has(id)).length;
    if (set.length > 0 && 2 * count <= set.length) {
      return `Index ${index} was committed with ${count} of ${set.length} votes.`;
    }
  }
  return undefined;
}
