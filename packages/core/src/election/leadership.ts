import type { GroupConfig, LogIndex, NodeId, ProposeOutcome } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, earliest, type Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import { enterConfig, isJoint, isVoter, leaveConfig, sameConfig } from './group-config.ts';
import { entryBytes, plus } from './log.ts';
import { answerProposal, Proposals, type Requester } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import { Reads } from './reads.ts';
import { Replication } from './replication.ts';

/** Why a leader must stop by itself. */
export type LeadershipEnd = 'quorumLost' | 'removed';

/** A requested change of the configuration. */
export interface Change {
  readonly request: RequestId;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

/** Leading one term: from the blank first entry to the step down. */
export class Leadership {
  readonly replication: Replication;
  readonly proposals: Proposals;
  readonly reads: Reads;
  /** Set when this leadership is over; whoever owns it acts on that. */
  end: LeadershipEnd | undefined;
  readonly #state: RaftState;
  /** The first entry of this term: once it is committed, so is everything before it. */
  readonly #firstIndex: LogIndex;
  #uncommittedBytes = 0;
  #heartbeatAt: Instant;
  #change: { readonly request: RequestId } | undefined;

  /** `state.leading` must be set. */
  constructor(state: RaftState) {
    this.#state = state;
    this.replication = new Replication(state);
    this.proposals = new Proposals(state);
    this.reads = new Reads(state);
    this.#uncommittedBytes = this.#bytesBetween(state.commit, state.log.lastIndex);
    this.#firstIndex = this.#append({ kind: 'blank' });
    // The first append already tells everybody who leads.
    this.#heartbeatAt = after(state.now, state.config.heartbeatMs);
  }

  /** A leader knows what is committed only once an entry of its own term is (section 8). */
  get knowsCommit(): boolean {
    return this.#state.commit >= this.#firstIndex;
  }

  get wakeAt(): Instant | undefined {
    const requests = earliest(this.proposals.wakeAt, this.reads.wakeAt);
    return earliest(this.replication.quorumDeadline, earliest(this.#heartbeatAt, requests));
  }

  wake(): void {
    const { now, config } = this.#state;
    if (!this.replication.hasQuorum) this.end = 'quorumLost';
    this.proposals.wake();
    this.reads.wake();
    if (this.#heartbeatAt > now) return;
    this.replication.heartbeat(this.reads.roundNumber);
    this.#heartbeatAt = after(now, config.heartbeatMs);
  }

  /** Appends a command. Undefined: the answer follows when it is committed. */
  propose(requester: Requester, command: Uint8Array): ProposeOutcome | undefined {
    const { config } = this.#state;
    const fits =
      this.#uncommittedBytes === 0 ||
      this.#uncommittedBytes + command.length <= config.uncommittedBytesMax;
    if (!fits || this.proposals.count >= config.pendingMax) return { kind: 'overloaded' };
    this.proposals.add(this.#append({ kind: 'command', command }), requester);
    return undefined;
  }

  /**
   * Begins to move to another configuration. Undefined: the answer follows when the last step is
   * committed. `overloaded`: not now (a change is under way, the leader is too new, or a new
   * voter is not caught up). See DESIGN.md, E10 and E11.
   */
  reconfigure({ request, voters, learners }: Change): ProposeOutcome | undefined {
    const { group, log, commit } = this.#state;
    const next = enterConfig(group, voters, learners);
    const settled = this.knowsCommit && log.configIndex <= commit && !isJoint(group);
    if (!settled) return { kind: 'overloaded' };
    if (sameConfig(group, next)) return { kind: 'committed', index: log.configIndex };
    const newVoters = next.voters.filter((id) => !group.voters.includes(id));
    const ready = newVoters.every((id) => this.replication.isCaughtUp(id));
    if (!ready && !broken('raft.catch-up-before-promotion')) return { kind: 'overloaded' };
    this.#change = { request };
    this.#enter(next);
    return undefined;
  }

  /** Acts on whatever became known in this step: commits, answers, sends. */
  advance(): void {
    this.#advanceCommit();
    const { log, commit } = this.#state;
    if (this.knowsCommit && log.configIndex <= commit) this.#settleConfig();
    if (this.knowsCommit && this.reads.begin()) {
      this.replication.heartbeat(this.reads.roundNumber);
    }
    this.reads.confirm(this.replication.quorumReadRound(this.reads.roundNumber));
    this.replication.pumpAll();
  }

  /** Whether `target` could win at once and nobody's proposal would be left in doubt. */
  isReadyFor(target: NodeId): boolean {
    const { log, commit } = this.#state;
    const settled = commit === log.lastIndex && this.replication.matchOf(target) === commit;
    return settled && this.replication.hasQuorum;
  }

  /** Tells `target` to campaign now. */
  handTo(target: NodeId): void {
    if (this.replication.hasQuorum) this.#state.send(target, { type: 'timeoutNow' });
  }

  /** Answers everybody who waits, with what is known. */
  abandon(): void {
    this.proposals.abandon();
    this.reads.abandon();
    this.#answerChange({ kind: 'unknown' });
  }

  #advanceCommit(): void {
    const { log, commit, term } = this.#state;
    const index = this.replication.quorumIndex;
    if (index <= commit) return;
    // An entry of an earlier term on a majority may still be replaced (figure 8 of the paper):
    // it is committed only by one of this term behind it.
    if (log.termAt(index) !== term && !broken('raft.commit-own-term-only')) return;
    this.#uncommittedBytes -= this.#bytesBetween(commit, index);
    this.#state.commitTo(index);
    this.proposals.committedUpTo(index);
  }

  /** The configuration is committed: leaves a joint one, or finishes the change. */
  #settleConfig(): void {
    const { group, log, self } = this.#state;
    if (isJoint(group)) return this.#enter(leaveConfig(group));
    this.#answerChange({ kind: 'committed', index: log.configIndex });
    if (!isVoter(group, self)) this.end ??= 'removed';
  }

  #enter(config: GroupConfig): void {
    this.#append({ kind: 'config', config });
    this.replication.reconcile();
  }

  #append(payload: Parameters<RaftState['appendOwn']>[0]): LogIndex {
    const entry = this.#state.appendOwn(payload);
    this.#uncommittedBytes += entryBytes(entry);
    return entry.index;
  }

  #bytesBetween(behind: LogIndex, upTo: LogIndex): number {
    let bytes = 0;
    for (let index = plus(behind, 1); index <= upTo; index = plus(index, 1)) {
      const entry = this.#state.log.entry(index);
      if (entry !== undefined) bytes += entryBytes(entry);
    }
    return bytes;
  }

  #answerChange(outcome: ProposeOutcome): void {
    if (this.#change === undefined) return;
    const { request } = this.#change;
    this.#change = undefined;
    answerProposal(this.#state, { kind: 'local', request }, outcome);
  }
}
