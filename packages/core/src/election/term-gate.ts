import type { ElectionMessage, LogIndex, Term } from '@memgrid/protocol';
import type { RaftState, Unsigned } from './raft-state.ts';

/** What a message's term means for whoever received it. */
export type Admission =
  /** Of our own term, or a pre-vote, which stands outside of terms. */
  | { readonly kind: 'take' }
  /** Of a later term, which must be entered first. */
  | { readonly kind: 'enter' }
  /** Of an earlier term: the sender should learn ours. */
  | { readonly kind: 'answer'; readonly body: Unsigned }
  | { readonly kind: 'drop' };

/**
 * No honest cluster gets through this many elections while one message travels. A term beyond
 * would leave no room for later ones.
 */
const TERM_LEAP_MAX = 2 ** 32;

const TAKE: Admission = { kind: 'take' };
const ENTER: Admission = { kind: 'enter' };
const DROP: Admission = { kind: 'drop' };

/** @param holdsLease whether a leader was heard so recently that no vote is given against it. */
export function admitTerm(state: RaftState, body: ElectionMessage, holdsLease: boolean): Admission {
  if (body.term > state.term + TERM_LEAP_MAX) return DROP;
  if (body.term < state.term) return answerOldTerm(body);
  switch (body.type) {
    case 'preVote':
      return holdsLease ? { kind: 'answer', body: { type: 'preVoteResp', granted: false } } : TAKE;
    case 'preVoteResp':
      if (body.granted || body.term === state.term) return TAKE;
      return ENTER;
    case 'vote':
      if (body.term === state.term) return TAKE;
      // Whoever hears its leader does not help to depose it, unless the leader itself asked.
      return holdsLease && !body.transfer ? DROP : ENTER;
    default:
      return body.term === state.term ? TAKE : ENTER;
  }
}

/**
 * A leader or candidate of an earlier term must learn that it is one, or it could go on for ever:
 * votes of a node that is ahead are lost on a lease, and the leader never hears of the later term
 * (etcd/raft answers for the same reason).
 */
function answerOldTerm(body: ElectionMessage): Admission {
  switch (body.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshotChunk':
      return { kind: 'answer', body: REFUSED_APPEND };
    case 'preVote':
      return { kind: 'answer', body: { type: 'preVoteResp', granted: false } };
    case 'vote':
      return { kind: 'answer', body: { type: 'voteResp', granted: false } };
    default:
      return DROP;
  }
}

/** Only its term matters. */
const REFUSED_APPEND: Unsigned = {
  type: 'appendResp',
  accepted: false,
  index: 0 as LogIndex,
  hintIndex: 0 as LogIndex,
  hintTerm: 0 as Term,
};
