import type { ElectionMessage, LogEntry, LogIndex, NodeId } from '@memgrid/protocol';
import type { ElectionEffect } from '../election/election-io.ts';
import { readEntry, readSnapshot, SNAPSHOT_KEY, LOG_PREFIX } from '../election/raft-records.ts';
import { type Host, nextState, type Observer, type RaftGroup } from './raft-group.ts';

/** One thing that must never happen, and did. */
export interface Violation {
  readonly atMs: number;
  readonly rule: string;
  readonly detail: string;
}

interface Asked {
  readonly kind: string;
  /** The last index known anywhere to be committed when it was asked. */
  readonly committedThen: number;
}

/**
 * Watches a group and remembers whatever breaks Raft's properties (Raft paper, figure 3), with
 * bookkeeping of its own: nothing here asks the machines whether they are right.
 */
export class RaftChecks implements Observer {
  readonly violations: Violation[] = [];
  /** How often something worth seeing was seen. */
  readonly seen = new Map<string, number>();
  readonly #group: RaftGroup;
  readonly #leaders = new Map<number, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  readonly #committed = new Map<number, string>();
  readonly #states = new Map<number, string>();
  readonly #asked = new Map<number, Asked>();
  readonly #heard = new Map<NodeId, Map<NodeId, number>>();
  /** The last index committed by the leader of each term. */
  readonly #committedIn = new Map<number, number>();
  #committedMax = 0;

  constructor(group: RaftGroup) {
    this.#group = group;
    group.observer = this;
    for (const host of group.hosts.values()) this.restarted(host);
  }

  get committedMax(): number {
    return this.#committedMax;
  }

  /** Requests that got no answer yet. */
  get unanswered(): number {
    return this.#asked.size;
  }

  asked(request: number, kind: string): void {
    this.#asked.set(request, { kind, committedThen: this.#committedMax });
  }

  /** Requests of a process that is gone are answered by nobody. */
  forget(requests: Iterable<number>): void {
    for (const request of requests) this.#asked.delete(request);
  }

  restarted(host: Host): void {
    this.#checkState(host.id, host.applied, host.state);
    this.#heard.delete(host.id);
  }

  delivered(host: Host, from: NodeId, body: ElectionMessage): void {
    const status = host.machine?.status();
    if (status?.role !== 'leader' || body.term !== status.term) return;
    if (
      body.type === 'appendResp' ||
      body.type === 'heartbeatResp' ||
      body.type === 'snapshotResp'
    ) {
      this.#heard.get(host.id)?.set(from, this.#now);
    }
  }

  effect(host: Host, effect: ElectionEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#checkSend(host, effect.to, effect.body);
        break;
      case 'committed':
        this.#checkCommitted(host, effect.entries);
        break;
      case 'restored':
        if (effect.snapshot.index <= host.applied) {
          this.#violated('restored-forward', `${host.id} from ${host.applied}`);
        }
        this.#checkState(host.id, effect.snapshot.index, effect.snapshot.state);
        this.#note('snapshot installed');
        break;
      case 'proposed':
        this.#answered(effect.request);
        this.#note(`proposed ${effect.outcome.kind}`);
        if (effect.outcome.kind === 'committed' && effect.outcome.index > this.#committedMax) {
          this.#violated('answered-before-commit', `${effect.outcome.index}`);
        }
        break;
      case 'readable': {
        const asked = this.#answered(effect.request);
        this.#note(effect.index === undefined ? 'read refused' : 'read');
        if (effect.index !== undefined && asked !== undefined) {
          if (effect.index < asked.committedThen) {
            this.#violated('linearizable-read', `${effect.index} < ${asked.committedThen}`);
          }
        }
        break;
      }
      case 'transferred':
        this.#answered(effect.request);
        this.#note(`transferred ${effect.problem ?? 'well'}`);
        break;
      case 'event':
        this.#note(`${effect.event.name} ${'reason' in effect.event ? effect.event.reason : ''}`);
        if (effect.event.name === 'coordinator.elected') this.#elected(host, effect.event.leader);
        if (effect.event.name === 'log.conflict') this.#violated('log-matching', 'log.conflict');
        break;
      default:
    }
  }

  /** Compares what is on the disks: same index and term, same entry and same past. */
  checkDisks(): void {
    const seen = new Map<string, string>();
    for (const host of this.#group.hosts.values()) {
      const snapshot = host.disk.get(SNAPSHOT_KEY);
      if (snapshot === undefined) continue;
      const { index, state } = readSnapshot(snapshot);
      if (index > 0) this.#checkState(host.id, index, state);
      let behind: LogEntry | undefined;
      const keys = [...host.disk.keys()].filter((key) => key.startsWith(LOG_PREFIX)).sort();
      for (const key of keys) {
        const entry = readEntry(host.disk.get(key) as Uint8Array);
        const name = `${entry.index} ${entry.term}`;
        const past = behind === undefined ? '' : ` after ${behind.term}`;
        const text = textOf(entry);
        const known = seen.get(name);
        if (known !== undefined && known !== text)
          this.#violated('log-matching', `${name} ${text}`);
        seen.set(name, text);
        if (behind !== undefined) {
          const knownPast = seen.get(`${name} past`);
          if (knownPast !== undefined && knownPast !== past) {
            this.#violated('log-matching', `${name}${past}, elsewhere${knownPast}`);
          }
          seen.set(`${name} past`, past);
        }
        behind = entry;
      }
    }
  }

  get #now(): number {
    return this.#group.now;
  }

  #checkSend(host: Host, to: NodeId, body: ElectionMessage): void {
    if (body.type === 'voteResp' && body.granted) {
      const key = `${host.id} ${body.term}`;
      const before = this.#votes.get(key);
      if (before !== undefined && before !== to) this.#violated('one-vote-per-term', key);
      this.#votes.set(key, to);
    }
    const leaderMessage = ['append', 'heartbeat', 'snapshotChunk', 'timeoutNow'];
    if (leaderMessage.includes(body.type)) this.#checkQuorumOf(host);
  }

  /** A leader that has not heard a majority for a whole election timeout must be silent. */
  #checkQuorumOf(host: Host): void {
    const status = host.machine?.status();
    if (status === undefined || status.role !== 'leader') return;
    const heard = this.#heard.get(host.id);
    const recent = (id: NodeId): boolean =>
      id === host.id ||
      this.#now - (heard?.get(id) ?? heard?.get(host.id) ?? this.#now) <
        this.#group.config.electionTimeoutMsMin + 0.1;
    for (const voters of [status.config.voters, status.config.votersOutgoing]) {
      if (voters.length === 0) continue;
      if (voters.filter(recent).length * 2 <= voters.length) {
        this.#violated('quorum-loss-silence', `${host.id} in term ${status.term}`);
      }
    }
  }

  #elected(host: Host, leader: NodeId): void {
    const status = host.machine?.status();
    if (leader !== host.id || status === undefined) return;
    const before = this.#leaders.get(status.term);
    if (before !== undefined) {
      this.#violated('one-leader-per-term', `${before} and ${leader} in ${status.term}`);
    }
    this.#leaders.set(status.term, leader);
    // Its own entry under the host's id says since when it leads.
    this.#heard.set(host.id, new Map([[host.id, this.#now]]));
    // Terms after this one may have begun while the last vote was under way.
    for (const [term, index] of this.#committedIn) {
      if (term >= status.term || index <= status.lastIndex) continue;
      this.#violated('leader-completeness', `${leader} lacks ${index} of term ${term}`);
    }
  }

  #checkCommitted(host: Host, entries: readonly LogEntry[]): void {
    let { applied, state } = host;
    const status = host.machine?.status();
    if (status?.role === 'leader') this.#committedIn.set(status.term, status.commit);
    for (const entry of entries) {
      if (entry.index !== applied + 1) {
        this.#violated('committed-in-order', `${host.id}: ${entry.index} after ${applied}`);
      }
      applied = entry.index;
      state = nextState(state, entry);
      const text = textOf(entry);
      const known = this.#committed.get(entry.index);
      if (known !== undefined && known !== text) {
        this.#violated('committed-never-changes', `${entry.index}: ${known}, then ${text}`);
      }
      this.#committed.set(entry.index, text);
      this.#committedMax = Math.max(this.#committedMax, entry.index);
      this.#checkState(host.id, entry.index, state);
    }
  }

  #checkState(id: NodeId, index: LogIndex, state: Uint8Array): void {
    const text = state.join(' ');
    const known = this.#states.get(index);
    if (known !== undefined && known !== text) {
      this.#violated('state-machine-safety', `${id} at ${index}`);
    }
    this.#states.set(index, text);
  }

  #answered(request: number): Asked | undefined {
    const asked = this.#asked.get(request);
    if (asked === undefined) this.#violated('answered-once', `request ${request}`);
    this.#asked.delete(request);
    return asked;
  }

  #note(what: string): void {
    const name = what.trimEnd();
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
  }

  #violated(rule: string, detail: string): void {
    this.violations.push({ atMs: this.#now, rule, detail });
  }
}

function textOf({ term, payload }: LogEntry): string {
  if (payload.kind === 'command') return `${term} command ${payload.command.join(' ')}`;
  return `${term} ${JSON.stringify(payload)}`;
}
