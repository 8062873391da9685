import type {
  Append,
  Heartbeat,
  LogEntry,
  LogIndex,
  NodeId,
  SnapshotChunk,
  Term,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { CampaignReason } from './candidacy.ts';
import type { RaftState } from './raft-state.ts';
import { SnapshotAssembly } from './snapshot-assembly.ts';
import { plus } from './log.ts';

/**
 * Listening to a leader, or waiting for one: the role of followers, learners and nodes outside
 * the group's configuration. They differ only in whether `deadline` makes them campaign.
 */
export class Following {
  readonly #state: RaftState;
  /** When to stop believing in the leader; undefined: nothing is expected. */
  deadline: Instant | undefined;
  /** Why the deadline is what it is, for the event of the campaign that may follow. */
  reason: CampaignReason = 'timeout';
  /** When the leader was last heard. */
  #heardAt: Instant | undefined;
  /** The last index of which this leader has shown that our log agrees with its own. */
  #verified: { readonly term: Term; readonly index: LogIndex };
  #assembly: SnapshotAssembly | undefined;

  constructor(state: RaftState, deadline: Instant | undefined) {
    this.#state = state;
    this.deadline = deadline;
    this.#verified = { term: state.term, index: 0 as LogIndex };
  }

  /**
   * Whether a living leader was heard so recently that nobody may be elected against it.
   * See DESIGN.md, E6.
   */
  get holdsLease(): boolean {
    const heardAt = this.#heardAt;
    if (heardAt === undefined || this.#state.leader === undefined) return false;
    return this.#state.now - heardAt < this.#state.config.electionTimeoutMsMin;
  }

  restartDeadline(): void {
    const { electionTimeoutMsMin, electionTimeoutMsMax } = this.#state.config;
    this.reason = 'timeout';
    this.deadline = this.#state.soon(electionTimeoutMsMin, electionTimeoutMsMax);
  }

  /** Gossip says that the leader is dead: its lease is void, and the wait is short. */
  leaderDied(): void {
    this.#heardAt = undefined;
    const soon = this.#state.soon(0, this.#state.config.leaderDiedDelayMsMax);
    if (this.deadline !== undefined && this.deadline <= soon) return;
    this.reason = 'leaderDied';
    this.deadline = soon;
  }

  /** A message of the present term's leader arrived. False: somebody else leads this term. */
  hear(from: NodeId): boolean {
    const { leader, now } = this.#state;
    // Nobody shares a term with another leader. Whoever claims to is not to be believed.
    if (leader !== undefined && leader !== from && !broken('raft.one-vote-per-term')) return false;
    this.#state.setLeader(from);
    this.#heardAt = now;
    this.restartDeadline();
    return true;
  }

  append(from: NodeId, body: Append): void {
    const state = this.#state;
    if (!isContiguous(body)) return;
    if (body.previousIndex < state.commit) return this.#appendLate(from, body);
    if (!this.#agrees(body)) return this.#refuse(from, body);
    state.replaceTail(this.#news(body.entries));
    const last = plus(body.previousIndex, body.entries.length);
    this.#verify(last);
    this.#accept(from, last);
    state.commitTo(lesser(body.commit, last));
  }

  heartbeat(from: NodeId, body: Heartbeat): void {
    const state = this.#state;
    // The leader bounds `commit` by what we once acknowledged, but a directory restored from a
    // copy may hold something else there by now: only what this leader compared is believed.
    if (this.#verified.term === state.term) {
      state.commitTo(lesser(body.commit, this.#verified.index));
    }
    state.answer(from, { type: 'heartbeatResp', readRound: body.readRound });
  }

  snapshotChunk(from: NodeId, body: SnapshotChunk): void {
    const state = this.#state;
    if (state.log.termAt(body.lastIndex) === body.lastTerm) {
      // The log reaches that far already and agrees there, so it agrees everywhere before.
      state.commitTo(body.lastIndex);
      this.#verify(body.lastIndex);
    }
    if (body.lastIndex <= state.commit) return this.#installed(from, body);
    const current = this.#assembly?.expects(from, body) === true ? this.#assembly : undefined;
    const assembly = current ?? SnapshotAssembly.begin(from, body);
    if (assembly === undefined) return;
    this.#assembly = assembly;
    assembly.add(body);
    const snapshot = assembly.complete;
    if (snapshot === undefined) {
      const { lastIndex } = body;
      const { nextOffset } = assembly;
      return state.answer(from, { type: 'snapshotResp', lastIndex, nextOffset, installed: false });
    }
    this.#assembly = undefined;
    if (!state.isUsable(snapshot)) {
      // Installed, it would be all that is left of the log: better to stay behind and say so.
      state.emit({ name: 'snapshot.refused', index: snapshot.index, from });
      return;
    }
    state.install(snapshot, from);
    this.#verify(snapshot.index);
    this.#installed(from, body);
  }

  /** An append from before the commit index. What is committed agrees with every leader's log. */
  #appendLate(from: NodeId, body: Append): void {
    const { log, commit } = this.#state;
    for (const { index, term } of body.entries) {
      const known = index <= commit ? log.termAt(index) : undefined;
      if (known === undefined || known === term) continue;
      return this.#state.emit({ name: 'log.conflict', index, from });
    }
    this.#accept(from, commit);
  }

  #accept(from: NodeId, index: LogIndex): void {
    const hintTerm = 0 as Term;
    this.#state.promise(from, {
      type: 'appendResp',
      accepted: true,
      index,
      hintIndex: index,
      hintTerm,
    });
  }

  #refuse(from: NodeId, { previousIndex, previousTerm }: Append): void {
    const hint = this.#state.log.lastIndexUpToTerm(previousIndex, previousTerm);
    this.#state.answer(from, {
      type: 'appendResp',
      accepted: false,
      index: previousIndex,
      hintIndex: hint.index,
      hintTerm: hint.term,
    });
  }

  #installed(from: NodeId, { lastIndex, totalBytes }: SnapshotChunk): void {
    this.#state.promise(from, {
      type: 'snapshotResp',
      lastIndex,
      nextOffset: totalBytes,
      installed: true,
    });
  }

  #agrees({ previousIndex, previousTerm }: Append): boolean {
    const { log } = this.#state;
    if (broken('raft.log-matching')) return previousIndex <= log.lastIndex;
    return log.termAt(previousIndex) === previousTerm;
  }

  /** `entries` without those that the log has already. */
  #news(entries: readonly LogEntry[]): readonly LogEntry[] {
    const { log } = this.#state;
    const at = entries.findIndex((entry) => log.termAt(entry.index) !== entry.term);
    return at === -1 ? [] : entries.slice(at);
  }

  #verify(index: LogIndex): void {
    const { term } = this.#state;
    if (this.#verified.term === term && this.#verified.index >= index) return;
    this.#verified = { term, index };
  }
}

/** A sender that breaks this is not one of us: the message is dropped. */
function isContiguous({ previousIndex, previousTerm, entries, term }: Append): boolean {
  let behindTerm = previousTerm;
  for (const [at, entry] of entries.entries()) {
    if (entry.index !== previousIndex + 1 + at) return false;
    if (entry.term < behindTerm || entry.term > term) return false;
    behindTerm = entry.term;
  }
  return true;
}

function lesser(a: LogIndex, b: LogIndex): LogIndex {
  return a < b ? a : b;
}
