import {
  type ElectionMessage,
  LIMITS,
  type LogEntry,
  type LogIndex,
  type NodeId,
} from '@memgrid/protocol';
import { invariant, unreachable } from '../assert.ts';
import { earliest, type Instant, type Machine } from '../machine.ts';
import type { StoreOperation } from '../store-operation.ts';
import { answerPreVote, answerVote, Candidacy } from './candidacy.ts';
import type {
  ElectionEffect,
  ElectionInput,
  ElectionStatus,
  ProgressView,
  Snapshot,
} from './election-io.ts';
import { Following } from './following.ts';
import { Forwarding } from './forwarding.ts';
import { Handover } from './handover.ts';
import { type Change, Leadership } from './leadership.ts';
import { plus } from './log.ts';
import { answerProposal, type Requester } from './proposals.ts';
import { isLeaderMessage, RaftState, type RaftStateOptions } from './raft-state.ts';
import { answerRead } from './reads.ts';
import { Roles } from './roles.ts';
import { admitTerm } from './term-gate.ts';

/**
 * The control group's Raft: elects the coordinator and replicates the control log.
 *
 * Follows etcd/raft closely, with pre-votes and quorum checks always on, configurations that take
 * effect at append, and writes that are answered by tickets. See DESIGN.md.
 *
 * This class routes by role and performs the changes of role; what a role does is in
 * `Following`, `Candidacy` and `Leadership`.
 */
export class Election implements Machine<ElectionInput, ElectionEffect> {
  readonly #state: RaftState;
  readonly #forwarding: Forwarding;
  readonly #handover: Handover;
  readonly #roles: Roles;
  /** The leader whom requests were forwarded to. */
  #servedBy: NodeId | undefined;

  constructor(options: RaftStateOptions) {
    const state = new RaftState(options);
    this.#state = state;
    this.#forwarding = new Forwarding(state);
    this.#handover = new Handover(state);
    this.#roles = new Roles(state, this.#handover);
  }

  get isLeader(): boolean {
    return this.#roles.current instanceof Leadership;
  }

  get wakeAt(): Instant | undefined {
    const requests = earliest(this.#forwarding.wakeAt, this.#handover.wakeAt);
    return earliest(this.#roles.wakeAt, requests);
  }

  step(now: Instant, input: ElectionInput): readonly ElectionEffect[] {
    this.#state.now = now;
    this.#take(input);
    return this.#finish();
  }

  wake(now: Instant): readonly ElectionEffect[] {
    this.#state.now = now;
    this.#forwarding.wake();
    this.#handover.wake();
    this.#roles.wake();
    return this.#finish();
  }

  status(): ElectionStatus {
    const { term, vote, leader, commit, log } = this.#state;
    const { lastIndex, firstIndex, config, configIndex } = log;
    return {
      role: this.#roles.name,
      term,
      vote,
      leader,
      commit,
      applied: commit,
      lastIndex,
      firstIndex,
      config,
      configIndex,
      transferTarget: this.isLeader ? this.#handover.target : undefined,
    };
  }

  /** What a leader knows about the others, sorted by id; empty elsewhere. */
  progress(now: Instant): readonly ProgressView[] {
    return this.#roles.current instanceof Leadership
      ? this.#roles.current.replication.views(now)
      : [];
  }

  /** Milliseconds since a quorum was last heard; undefined unless this node leads. */
  quorumContact(now: Instant): number | undefined {
    if (!(this.#roles.current instanceof Leadership)) return undefined;
    return Math.max(0, now - this.#roles.current.replication.quorumContactAt);
  }

  /** The state that the log begins with. */
  get snapshot(): Snapshot {
    return this.#state.log.snapshot;
  }

  /** Whether `compact` would be worth its write. */
  get wantsCompaction(): boolean {
    const { log, commit, config } = this.#state;
    const entryCount = commit - log.snapshot.index;
    if (entryCount >= config.compactionEntries) return true;
    return entryCount > 0 && log.bytesAfterSnapshot >= config.compactionBytes;
  }

  /**
   * Committed entries behind `index`, up to about `bytesMax` but at least one if there is one;
   * undefined when they were compacted away and only the snapshot helps.
   */
  entriesAfter(index: LogIndex, bytesMax: number): readonly LogEntry[] | undefined {
    const { log, commit } = this.#state;
    if (index >= commit) return [];
    if (plus(index, 1) < log.firstIndex) return undefined;
    return log.slice(plus(index, 1), { to: commit, entriesMax: Infinity, bytesMax });
  }

  /** Removes everything that this machine ever stored. For a node that leaves its group for good. */
  wipeOperations(): readonly StoreOperation[] {
    return this.#state.wipeOperations();
  }

  #take(input: ElectionInput): void {
    switch (input.kind) {
      case 'message':
        return this.#receive(input.from, input.body);
      case 'stored':
        return this.#state.stored(input.ticket);
      case 'propose':
        return this.#propose({ kind: 'local', request: input.request }, input.command);
      case 'reconfigure':
        return this.#reconfigure(input);
      case 'readIndex':
        return this.#read({ kind: 'local', request: input.request });
      case 'transfer':
        return this.#transfer(input.request, input.to);
      case 'compact':
        return this.#state.compact(input.index, input.state);
      case 'peerDied':
        return this.#peerDied(input.peer);
      case 'peerReset':
        return this.#peerReset(input.peer);
      case 'stalled':
        return this.#roles.stalled(input.stalledMs);
      case 'retire':
        return this.#roles.retire();
      default:
        return unreachable(input);
    }
  }

  #receive(from: NodeId, body: ElectionMessage): void {
    const state = this.#state;
    if (from === state.self) return;
    if (state.groupEpoch === undefined) {
      // A node without a group becomes part of one by hearing its leader, and in no other way.
      if (!isLeaderMessage(body) || body.type === 'timeoutNow' || body.term === 0) return;
      state.adopt(body.groupEpoch);
    }
    if (body.groupEpoch !== state.groupEpoch) return;
    switch (body.type) {
      case 'propose':
        return this.#propose({ kind: 'peer', from, request: body.request }, body.command);
      case 'proposeResp':
        return this.#forwarding.proposeAnswered(from, body.request, body.outcome);
      case 'readIndex':
        return this.#read({ kind: 'peer', from, request: body.request });
      case 'readIndexResp':
        return this.#forwarding.readAnswered(from, body.request, body.index);
      default:
    }
    const admission = admitTerm(state, body, this.#roles.holdsLease);
    if (admission.kind === 'drop') return;
    if (admission.kind === 'answer') return state.answer(from, admission.body);
    if (admission.kind === 'enter') this.#roles.enterTerm(body.term);
    if (isLeaderMessage(body)) this.#follow(from, body);
    else this.#countOrAnswer(from, body);
  }

  /** A message of a leader of our own term. */
  #follow(from: NodeId, body: ElectionMessage): void {
    // Two leaders in one term cannot be; the other one is not to be believed.
    if (this.#roles.current instanceof Leadership) return;
    if (body.type === 'timeoutNow') {
      if (from === this.#state.leader && this.#roles.mayCampaign) this.#roles.elect('handedOver');
      return;
    }
    const role = this.#roles.listen();
    if (!role.hear(from)) return;
    if (body.type === 'append') role.append(from, body);
    else if (body.type === 'heartbeat') role.heartbeat(from, body);
    else if (body.type === 'snapshotChunk') role.snapshotChunk(from, body);
  }

  /** Votes and answers of our own term, or pre-votes for a later one. */
  #countOrAnswer(from: NodeId, body: ElectionMessage): void {
    const role = this.#roles.current;
    switch (body.type) {
      case 'preVote':
        return answerPreVote(this.#state, from, body);
      case 'vote':
        return this.#answerVote(() => answerVote(this.#state, from, body));
      case 'preVoteResp':
        // A refusal names the term of whoever refuses; a grant the term that was asked about.
        if (!(role instanceof Candidacy) || role.kind !== 'pre') return;
        if (!body.granted || role.isFor(body.term)) role.record(from, body.granted);
        return;
      case 'voteResp':
        if (role instanceof Candidacy && role.kind === 'real') role.record(from, body.granted);
        return;
      case 'appendResp':
        if (role instanceof Leadership) role.replication.appended(from, body);
        return;
      case 'heartbeatResp':
        if (role instanceof Leadership) role.replication.heartbeatAnswered(from, body);
        return;
      case 'snapshotResp':
        if (role instanceof Leadership) role.replication.snapshotAnswered(from, body);
        return;
      default:
    }
  }

  #answerVote(answer: () => boolean): void {
    if (!answer() || this.#roles.current instanceof Leadership) return;
    // Whoever has our vote gets the time to win.
    this.#roles.listen().restartDeadline();
  }

  #propose(requester: Requester, command: Uint8Array): void {
    const { leader, config } = this.#state;
    const fits = command.length >= 1 && command.length <= LIMITS.commandBytesMax;
    if (!fits && requester.kind === 'peer') return;
    invariant(fits, `A command has 1 to ${LIMITS.commandBytesMax} bytes, not ${command.length}.`);
    const role = this.#roles.current;
    if (role instanceof Leadership) {
      if (requester.kind === 'peer') {
        if (role.proposals.isRepeated(requester.from, requester.request)) return;
      }
      const handingOver = this.#handover.target !== undefined;
      const outcome = handingOver
        ? ({ kind: 'overloaded' } as const)
        : role.propose(requester, command);
      if (outcome !== undefined) answerProposal(this.#state, requester, outcome);
    } else if (leader === undefined || requester.kind === 'peer') {
      answerProposal(this.#state, requester, { kind: 'notLeader', leader });
    } else if (this.#forwarding.count >= config.pendingMax) {
      answerProposal(this.#state, requester, { kind: 'overloaded' });
    } else {
      this.#forwarding.propose(leader, requester.request, command);
    }
  }

  #peerDied(peer: NodeId): void {
    const role = this.#roles.current;
    if (role instanceof Following && this.#state.leader === peer) role.leaderDied();
  }

  #peerReset(peer: NodeId): void {
    const role = this.#roles.current;
    this.#forwarding.reset(peer);
    if (role instanceof Leadership) role.replication.reset(peer);
  }

  #reconfigure(change: Change): void {
    const role = this.#roles.current;
    const requester: Requester = { kind: 'local', request: change.request };
    if (!(role instanceof Leadership)) {
      const { leader } = this.#state;
      return answerProposal(this.#state, requester, { kind: 'notLeader', leader });
    }
    const handingOver = this.#handover.target !== undefined;
    const outcome = handingOver ? ({ kind: 'overloaded' } as const) : role.reconfigure(change);
    if (outcome !== undefined) answerProposal(this.#state, requester, outcome);
  }

  #read(requester: Requester): void {
    const { leader, config } = this.#state;
    const role = this.#roles.current;
    if (role instanceof Leadership && role.reads.count < config.pendingMax) {
      role.reads.add(requester);
    } else if (
      role instanceof Leadership ||
      leader === undefined ||
      requester.kind === 'peer' ||
      this.#forwarding.count >= config.pendingMax
    ) {
      answerRead(this.#state, requester, undefined);
    } else {
      this.#forwarding.read(leader, requester.request);
    }
  }

  #transfer(request: number, to: NodeId | undefined): void {
    const { self, group } = this.#state;
    const role = this.#roles.current;
    const target = role instanceof Leadership ? (to ?? role.replication.successor) : to;
    const problem = !(role instanceof Leadership)
      ? 'notLeader'
      : target === undefined
        ? 'noCandidate'
        : group.voters.includes(target)
          ? undefined
          : 'notVoter';
    if (problem !== undefined || target === undefined || target === self) {
      return this.#state.effect({ kind: 'transferred', request, to: target, problem });
    }
    this.#handover.begin(request, target);
  }

  /** Ends a step: acts on what is known now until nothing changes any more. */
  #finish(): readonly ElectionEffect[] {
    const state = this.#state;
    while (this.#roles.settle());
    if (this.#servedBy !== state.leader) {
      this.#servedBy = state.leader;
      this.#forwarding.abandonExcept(state.leader);
      if (state.leader !== undefined) this.#handover.succeeded(state.leader);
    }
    return state.takeEffects();
  }
}
