import type { NodeId, PreVote, Term, Vote } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import { everyVoter } from './group-config.ts';
import { type VoteResult, voteResult } from './quorum.ts';
import type { RaftState } from './raft-state.ts';

/** `pre` asks whether an election could be won and changes nothing; `real` is one. */
export type CandidacyKind = 'pre' | 'real';

/** Why a node campaigns; told in `election.started`. */
export type CampaignReason = 'timeout' | 'leaderDied' | 'handedOver';

/**
 * One attempt to be elected. Lives until it is won, until `retryAt`, or until somebody else leads.
 */
export class Candidacy {
  readonly kind: CandidacyKind;
  readonly reason: CampaignReason;
  /** When to give up and ask again. */
  retryAt: Instant;
  readonly #state: RaftState;
  readonly #votes = new Map<NodeId, boolean>();
  /** The term in which the votes are asked for. */
  readonly #term: Term;

  /** For `real`, the new term must have been entered already. */
  constructor(state: RaftState, kind: CandidacyKind, reason: CampaignReason) {
    const { preVoteRetryMsMin, preVoteRetryMsMax, electionRetryMsMin, electionRetryMsMax } =
      state.config;
    this.#state = state;
    this.kind = kind;
    this.reason = reason;
    this.#term = kind === 'pre' ? ((state.term + 1) as Term) : state.term;
    this.retryAt =
      kind === 'pre'
        ? state.soon(preVoteRetryMsMin, preVoteRetryMsMax)
        : state.soon(electionRetryMsMin, electionRetryMsMax);
  }

  /** Asks everybody. Its own pre-vote counts at once; its own vote once it is durable. */
  begin(): void {
    const state = this.#state;
    if (this.kind === 'pre') {
      this.#votes.set(state.self, true);
    } else {
      state.voteFor(state.self);
      state.whenDurable({ kind: 'ownVote', term: state.term });
    }
    const last = { lastIndex: state.log.lastIndex, lastTerm: state.log.lastTerm };
    for (const voter of everyVoter(state.group)) {
      if (voter === state.self) continue;
      if (this.kind === 'pre') {
        state.send(voter, { type: 'preVote', ...last }, this.#term);
      } else {
        const transfer = this.reason === 'handedOver';
        state.send(voter, { type: 'vote', ...last, transfer });
      }
    }
  }

  /** A repeated answer changes nothing: nobody can take a vote back. */
  record(from: NodeId, granted: boolean): void {
    if (!this.#votes.has(from)) this.#votes.set(from, granted);
  }

  /** The answer to a pre-vote counts only for the term that it was asked for. */
  isFor(term: Term): boolean {
    return term === this.#term;
  }

  /**
   * An election is not won before the own vote is durable, even if the others suffice. Otherwise
   * a crash could forget the term, and the same node could lead it a second time with another log.
   */
  get result(): VoteResult {
    const result = voteResult(this.#state.group, this.#votes);
    if (result === 'won' && !this.#votes.has(this.#state.self)) return 'pending';
    return result;
  }
}

/**
 * Answers a pre-vote that is not below our term (the lease was looked at before).
 *
 * Learners and nodes outside the configuration answer as well: their configuration may be the
 * one that is out of date (etcd/raft).
 */
export function answerPreVote(state: RaftState, from: NodeId, body: PreVote): void {
  const free = state.vote === undefined && state.leader === undefined;
  const possible = body.term > state.term || state.vote === from || free;
  if (possible && isUpToDate(state, body)) {
    state.send(from, { type: 'preVoteResp', granted: true }, body.term);
  } else {
    state.answer(from, { type: 'preVoteResp', granted: false });
  }
}

/** Answers a vote of our own term. True: it was granted. See DESIGN.md, E1 and E3. */
export function answerVote(state: RaftState, from: NodeId, body: Vote): boolean {
  const free = state.vote === undefined && state.leader === undefined;
  const possible = free || state.vote === from || broken('raft.one-vote-per-term');
  const granted = possible && isUpToDate(state, body);
  if (granted) {
    state.voteFor(from);
    state.promise(from, { type: 'voteResp', granted });
  } else {
    state.answer(from, { type: 'voteResp', granted });
  }
  return granted;
}

function isUpToDate(state: RaftState, body: PreVote | Vote): boolean {
  if (broken('raft.up-to-date-candidate')) return true;
  return state.log.isBehindOrEqual(body.lastIndex, body.lastTerm);
}
