import type { NodeId, Term } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import { type CampaignReason, Candidacy } from './candidacy.ts';
import type { ElectionEvent, ElectionStatus } from './election-io.ts';
import { Following } from './following.ts';
import { everyVoter, isVoter } from './group-config.ts';
import type { Handover } from './handover.ts';
import { Leadership } from './leadership.ts';
import type { RaftState } from './raft-state.ts';
import type { AfterDurable } from './storage.ts';

export type Role = Following | Candidacy | Leadership;

type StepDownReason = Extract<
  ElectionEvent,
  { readonly name: 'coordinator.steppedDown' }
>['reason'];

/** Which role this node has, and the only place where it changes. */
export class Roles {
  readonly #state: RaftState;
  readonly #handover: Handover;
  #role: Role;
  /** Set for good: this process never campaigns again. */
  #retired = false;

  constructor(state: RaftState, handover: Handover) {
    this.#state = state;
    this.#handover = handover;
    this.#role = new Following(state, firstDeadline(state));
  }

  get current(): Role {
    return this.#role;
  }

  get name(): ElectionStatus['role'] {
    const { group, self } = this.#state;
    if (this.#role instanceof Leadership) return 'leader';
    if (this.#role instanceof Candidacy) {
      return this.#role.kind === 'pre' ? 'preCandidate' : 'candidate';
    }
    if (isVoter(group, self)) return 'follower';
    return group.learners.includes(self) ? 'learner' : 'outsider';
  }

  get wakeAt(): Instant | undefined {
    const role = this.#role;
    if (role instanceof Leadership) return role.wakeAt;
    return role instanceof Candidacy ? role.retryAt : role.deadline;
  }

  /** Whether this node may help to depose the leader that it knows. */
  get holdsLease(): boolean {
    if (this.#role instanceof Leadership) return true;
    return this.#role instanceof Following && this.#role.holdsLease;
  }

  /** Learners, nodes outside the configuration, and nodes that retire never campaign. */
  get mayCampaign(): boolean {
    return this.#state.isElectable && !this.#retired;
  }

  wake(): void {
    const role = this.#role;
    const { now } = this.#state;
    if (role instanceof Leadership) return role.wake();
    const deadline = role instanceof Candidacy ? role.retryAt : role.deadline;
    if (deadline === undefined || deadline > now) return;
    if (this.mayCampaign) return this.#askAround(role.reason);
    // Nothing to do but to know that nobody leads.
    this.#state.setLeader(undefined);
    this.listen().deadline = undefined;
  }

  /** Makes this node listen to whoever leads; keeps what it already knows if it listened before. */
  listen(): Following {
    if (this.#role instanceof Following) return this.#role;
    const { electionRetryMsMin, electionRetryMsMax, electionTimeoutMsMin, electionTimeoutMsMax } =
      this.#state.config;
    // A candidate that lost tries again soon; a leader that lost gives others a full round.
    const deadline =
      this.#role instanceof Candidacy
        ? this.#state.soon(electionRetryMsMin, electionRetryMsMax)
        : this.#state.soon(electionTimeoutMsMin, electionTimeoutMsMax);
    const following = new Following(this.#state, deadline);
    this.#role = following;
    return following;
  }

  /** A later term exists: whoever this node was, it is nobody in that term. */
  enterTerm(term: Term): void {
    if (this.#role instanceof Leadership) {
      const asked = this.#handover.stage === 'asked';
      this.#stepDown(asked ? 'transferred' : 'higherTerm');
    }
    this.#state.setLeader(undefined);
    this.#state.enterTerm(term);
    // A listening node keeps its deadline: only a leader or a granted vote earns a longer wait.
    this.listen();
  }

  /** Starts a real election, without asking around first. */
  elect(reason: CampaignReason): void {
    const state = this.#state;
    state.setLeader(undefined);
    state.enterTerm((state.term + 1) as Term);
    state.emit({ name: 'election.started', term: state.term, reason });
    this.#stand('real', reason);
  }

  /** The process stood still: its timers are no evidence against anybody. */
  stalled(stalledMs: number): void {
    const { stallMsMin, stallGraceMsMin, stallGraceMsMax, electionTimeoutMsMin } =
      this.#state.config;
    if (stalledMs < stallMsMin) return;
    const role = this.#role;
    const grace = this.#state.soon(stallGraceMsMin, stallGraceMsMax);
    if (role instanceof Leadership) {
      // Others may have elected somebody meanwhile, and old answers in the inbox prove nothing.
      const overslept = stalledMs >= electionTimeoutMsMin;
      if (overslept && !role.replication.hasQuorum) role.end = 'quorumLost';
    } else if (role instanceof Candidacy) {
      if (role.retryAt < grace) role.retryAt = grace;
    } else if (role.deadline !== undefined && role.deadline < grace) {
      role.deadline = grace;
    }
  }

  retire(): void {
    this.#retired = true;
    if (this.#role instanceof Leadership) {
      this.#bequeath(this.#role);
      this.#stepDown('retired');
    } else {
      this.listen();
    }
  }

  /** Acts on what is known now. True: the role changed, so look again. */
  settle(): boolean {
    for (const then of this.#state.takeDurable()) this.#afterDurable(then);
    const role = this.#role;
    if (role instanceof Leadership) return this.#settleLeadership(role);
    if (role instanceof Candidacy) return this.#settleCandidacy(role);
    // A node that just became a voter must not wait for a leader for ever.
    if (role.deadline === undefined && this.mayCampaign) role.restartDeadline();
    return false;
  }

  #settleLeadership(role: Leadership): boolean {
    if (role.end === undefined) role.advance();
    if (role.end === undefined) {
      const { target, stage } = this.#handover;
      if (target !== undefined && stage === 'catchingUp' && role.isReadyFor(target)) {
        role.handTo(target);
        this.#handover.asked();
      }
      return false;
    }
    if (role.end === 'removed') this.#bequeath(role);
    this.#stepDown(role.end);
    return true;
  }

  #settleCandidacy(role: Candidacy): boolean {
    const { result } = role;
    if (result === 'won' && role.kind === 'pre') this.elect(role.reason);
    else if (result === 'won') this.#lead();
    // A refused pre-vote ends nothing: whoever refused may agree at `retryAt`.
    else if (result === 'lost' && role.kind === 'real') this.listen();
    else return false;
    return true;
  }

  #afterDurable(then: AfterDurable): void {
    const role = this.#role;
    if (then.kind === 'send' || then.term !== this.#state.term) return;
    if (then.kind === 'ownVote') {
      if (role instanceof Candidacy && role.kind === 'real') role.record(this.#state.self, true);
    } else if (role instanceof Leadership) {
      role.replication.ownEntriesDurable(then.index);
    }
  }

  #askAround(reason: CampaignReason): void {
    if (broken('raft.pre-vote')) return this.elect(reason);
    // A node that still names a leader would refuse the pre-votes of others (etcd#8334).
    this.#state.setLeader(undefined);
    this.#stand('pre', reason);
  }

  #stand(kind: Candidacy['kind'], reason: CampaignReason): void {
    const candidacy = new Candidacy(this.#state, kind, reason);
    this.#role = candidacy;
    candidacy.begin();
  }

  #lead(): void {
    this.#state.leading = true;
    this.#state.setLeader(this.#state.self);
    this.#role = new Leadership(this.#state);
  }

  /** Names a successor before going, so that the group waits for no timeout. */
  #bequeath(role: Leadership): void {
    const successor: NodeId | undefined = role.replication.successor;
    if (successor !== undefined) role.handTo(successor);
  }

  #stepDown(reason: StepDownReason): void {
    const state = this.#state;
    if (!(this.#role instanceof Leadership)) return;
    this.#role.abandon();
    state.leading = false;
    state.emit({ name: 'coordinator.steppedDown', term: state.term, reason });
    state.setLeader(undefined);
    this.#handover.ceased();
    this.listen();
  }
}

/** When a node that starts stops waiting for a leader; undefined: it has no vote. */
function firstDeadline(state: RaftState): Instant | undefined {
  const { config, group, log } = state;
  if (!state.isElectable) return undefined;
  // Nobody else can lead.
  if (everyVoter(group).every((id) => id === state.self)) return state.now;
  const founding = log.lastIndex === 1 && state.term === 1 && state.vote === undefined;
  if (founding) return state.soon(0, config.foundingDelayMsMax);
  return state.soon(config.electionTimeoutMsMin, config.electionTimeoutMsMax);
}
