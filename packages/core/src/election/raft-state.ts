import type {
  ElectionMessage,
  GroupConfig,
  GroupEpoch,
  LogEntry,
  LogIndex,
  LogPayload,
  NodeId,
  Term,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { invariant } from '../assert.ts';
import { after, type Instant } from '../machine.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { Random } from '../random.ts';
import type { ElectionConfig } from './election-config.ts';
import type { ElectionEffect, ElectionEvent, ElectionRecord, Snapshot } from './election-io.ts';
import {
  deleteEntry,
  deleteHard,
  deleteSnapshot,
  putEntry,
  putHard,
  putSnapshot,
} from './raft-records.ts';
import { isVoter, NOBODY } from './group-config.ts';
import { Log, plus } from './log.ts';
import { type AfterDurable, Storage } from './storage.ts';

export interface RaftStateOptions {
  readonly config: ElectionConfig;
  readonly self: NodeId;
  readonly record: ElectionRecord | undefined;
  readonly random: Random;
  readonly now: Instant;
  /**
   * Whether a leader's snapshot is a state that this node can go on from. The election machine never
   * looks inside. Every snapshot is, when absent.
   */
  readonly isUsable?: (snapshot: Snapshot) => boolean;
}

/** A message without its header, whichever it is. */
export type Unsigned = ElectionMessage extends infer M
  ? M extends ElectionMessage
    ? Omit<M, 'groupEpoch' | 'term'>
    : never
  : never;

const BEFORE_EVERYTHING: Snapshot = {
  index: 0 as LogIndex,
  term: 0 as Term,
  config: NOBODY,
  state: new Uint8Array(0),
};

/**
 * What every role shares: Raft's persistent state (Raft paper, figure 2), the commit index, and
 * the ways out. Owns the duty that nothing is promised before it is durable.
 */
export class RaftState {
  readonly config: ElectionConfig;
  readonly self: NodeId;
  readonly random: Random;
  readonly log: Log;
  readonly isUsable: (snapshot: Snapshot) => boolean;
  /** The moment of the present step. */
  now: Instant;
  /** Set while this node leads; no leader's message may leave otherwise. */
  leading = false;
  #groupEpoch: GroupEpoch | undefined;
  #term: Term;
  #vote: NodeId | undefined;
  #leader: NodeId | undefined;
  #commit: LogIndex;
  readonly #storage = new Storage();
  /** The write that made the present term and vote durable. */
  #hardTicket: Ticket = 0;
  #durable: AfterDurable[] = [];
  #effects: ElectionEffect[] = [];

  constructor(options: RaftStateOptions) {
    const { record } = options;
    this.config = options.config;
    this.self = options.self;
    this.random = options.random;
    this.now = options.now;
    this.isUsable = options.isUsable ?? (() => true);
    this.log = new Log(record?.snapshot ?? BEFORE_EVERYTHING, record?.entries ?? []);
    this.#groupEpoch = record?.groupEpoch;
    this.#term = record?.term ?? (0 as Term);
    this.#vote = record?.vote;
    this.#commit = this.log.snapshot.index;
  }

  /** Undefined while this node belongs to no group. */
  get groupEpoch(): GroupEpoch | undefined {
    return this.#groupEpoch;
  }

  get term(): Term {
    return this.#term;
  }

  get vote(): NodeId | undefined {
    return this.#vote;
  }

  get leader(): NodeId | undefined {
    return this.#leader;
  }

  /** The last index known to be committed; everything up to it was handed out. */
  get commit(): LogIndex {
    return this.#commit;
  }

  get group(): GroupConfig {
    return this.log.config;
  }

  /**
   * Whether this node may be needed as a leader: a voter of the committed configuration or of any
   * later one. Its own latest one may leave it out and still be uncommitted; if nobody else has
   * that entry, nobody else can win, and only this node can finish its own removal.
   */
  get isElectable(): boolean {
    if (this.#groupEpoch === undefined) return false;
    return this.log.configsFrom(this.#commit).some((config) => isVoter(config, this.self));
  }

  /** A moment between `minMs` and `maxMs` from now. */
  soon(minMs: number, maxMs: number): Instant {
    return after(this.now, this.random.between(minMs, maxMs));
  }

  /** Joins the group that a leader's message speaks of. Only for a node that has none. */
  adopt(groupEpoch: GroupEpoch): void {
    invariant(this.#groupEpoch === undefined, 'A node belongs to one group.');
    this.#groupEpoch = groupEpoch;
    this.#storage.stage(putSnapshot(this.log.snapshot));
    this.#storeHard();
  }

  /** Enters a later term, in which this node has voted for nobody. */
  enterTerm(term: Term): void {
    invariant(term > this.#term, `Term ${term} does not follow term ${this.#term}.`);
    this.#term = term;
    this.#vote = undefined;
    this.#storeHard();
  }

  /** Votes in the present term. The answer must wait for `latestTicket`. */
  voteFor(candidate: NodeId): void {
    if (this.#vote === candidate) return;
    invariant(
      this.#vote === undefined || broken('raft.one-vote-per-term'),
      `Already voted for ${this.#vote} in term ${this.#term}.`,
    );
    this.#vote = candidate;
    this.#storeHard();
  }

  /** Notes who leads, and tells when that is news. */
  setLeader(leader: NodeId | undefined): void {
    const lost = this.#leader;
    if (lost === leader) return;
    this.#leader = leader;
    // That this node itself no longer leads is told by `coordinator.steppedDown`.
    if (lost !== undefined && lost !== this.self) {
      this.emit({ name: 'coordinator.lost', term: this.#term, leader: lost });
    }
    if (leader !== undefined) this.emit({ name: 'coordinator.elected', term: this.#term, leader });
  }

  /** A leader's own entry; counts towards its quorum once durable. */
  appendOwn(payload: LogPayload): LogEntry {
    const entry: LogEntry = { index: plus(this.log.lastIndex, 1), term: this.#term, payload };
    this.log.append(entry);
    this.#storage.stage(putEntry(entry));
    this.whenDurable({ kind: 'ownEntries', term: this.#term, index: entry.index });
    return entry;
  }

  /** Replaces everything from the first of `entries` on. They end up as the end of the log. */
  replaceTail(entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    invariant(first.index > this.#commit, `Entry ${first.index} is committed and cannot change.`);
    const lastBefore = this.log.lastIndex;
    if (first.index <= lastBefore) this.log.truncateFrom(first.index);
    for (const entry of entries) {
      this.log.append(entry);
      this.#storage.stage(putEntry(entry));
    }
    for (let index = plus(this.log.lastIndex, 1); index <= lastBefore; index = plus(index, 1)) {
      this.#storage.stage(deleteEntry(index));
    }
  }

  /** Everything up to `index` is committed: hands out what is new. */
  commitTo(index: LogIndex): void {
    if (index <= this.#commit) return;
    invariant(index <= this.log.lastIndex, `Entry ${index} cannot be committed: it is not here.`);
    const entries = this.log.slice(plus(this.#commit, 1), {
      to: index,
      entriesMax: Infinity,
      bytesMax: Infinity,
    });
    this.#commit = index;
    this.#effects.push({ kind: 'committed', entries });
    for (const { index: at, payload } of entries) {
      if (payload.kind !== 'config') continue;
      this.emit({ name: 'group.changed', index: at, config: payload.config });
    }
  }

  /** Starts again from a leader's snapshot, which lies beyond everything committed here. */
  install(snapshot: Snapshot, from: NodeId): void {
    invariant(snapshot.index > this.#commit, 'A snapshot must be news.');
    for (let index = this.log.firstIndex; index <= this.log.lastIndex; index = plus(index, 1)) {
      this.#storage.stage(deleteEntry(index));
    }
    this.#storage.stage(putSnapshot(snapshot));
    this.log.reset(snapshot);
    this.#commit = snapshot.index;
    this.#effects.push({ kind: 'restored', snapshot });
    this.emit({ name: 'snapshot.installed', index: snapshot.index, from });
    this.emit({ name: 'group.changed', index: snapshot.index, config: snapshot.config });
  }

  /** Drops the log up to `index`, where the control state was `state`. */
  compact(index: LogIndex, state: Uint8Array): void {
    invariant(index <= this.#commit, `Entry ${index} is not committed and cannot be compacted.`);
    const term = this.log.termAt(index);
    if (index <= this.log.snapshot.index || term === undefined) return;
    const snapshot: Snapshot = { index, term, config: this.log.configAt(index), state };
    this.#storage.stage(putSnapshot(snapshot));
    for (const dropped of this.log.compact(snapshot, this.config.trailingEntries)) {
      this.#storage.stage(deleteEntry(dropped));
    }
    this.emit({ name: 'log.compacted', index });
  }

  /** Sends something that promises nothing, at once. `term` differs only in pre-votes. */
  send(to: NodeId, body: Unsigned, term: Term = this.#term): void {
    const message = this.#signed(body, term);
    invariant(
      this.leading || !isLeaderMessage(message),
      `Only a leader sends ${message.type}, and this node does not lead.`,
    );
    this.#effects.push({ kind: 'send', to, body: message });
  }

  /** Sends an answer that relies on the term (and no more) once the term is durable. */
  answer(to: NodeId, body: Unsigned): void {
    this.#afterTicket(this.#hardTicket, { kind: 'send', to, body: this.#signed(body) });
  }

  /** Sends an answer that promises that everything written so far is durable. */
  promise(to: NodeId, body: Unsigned): void {
    this.whenDurable({ kind: 'send', to, body: this.#signed(body) });
  }

  whenDurable(then: AfterDurable): void {
    this.#afterTicket(this.#storage.latest, then);
  }

  stored(ticket: Ticket): void {
    for (const then of this.#storage.complete(ticket)) this.#release(then);
  }

  /** What became durable and is for this node itself. */
  takeDurable(): readonly AfterDurable[] {
    const taken = this.#durable;
    this.#durable = [];
    return taken;
  }

  /** Removes everything that was ever stored here. */
  wipeOperations(): readonly StoreOperation[] {
    const operations = [deleteHard(), deleteSnapshot()];
    for (let at = this.log.firstIndex; at <= this.log.lastIndex; at = plus(at, 1)) {
      operations.push(deleteEntry(at));
    }
    return operations;
  }

  emit(event: ElectionEvent): void {
    this.#effects.push({ kind: 'event', event });
  }

  effect(effect: ElectionEffect): void {
    this.#effects.push(effect);
  }

  /** Ends a step: what is to be done, the write first so that the disk can start. */
  takeEffects(): readonly ElectionEffect[] {
    const batch = this.#storage.takeBatch();
    const effects = this.#effects;
    this.#effects = [];
    if (batch === undefined) return effects;
    return [{ kind: 'store', ...batch, durable: true }, ...effects];
  }

  #storeHard(): void {
    const groupEpoch = this.#groupEpoch;
    invariant(groupEpoch !== undefined, 'A node without a group has no term.');
    this.#storage.stage(putHard({ groupEpoch, term: this.#term, vote: this.#vote }));
    this.#hardTicket = this.#storage.latest;
  }

  #afterTicket(ticket: Ticket, then: AfterDurable): void {
    if (this.#storage.isDurable(ticket) || broken('raft.persist-before-answer')) {
      this.#release(then);
    } else {
      this.#storage.defer(ticket, then);
    }
  }

  #release(then: AfterDurable): void {
    if (then.kind === 'send') this.#effects.push(then);
    else this.#durable.push(then);
  }

  #signed(body: Unsigned, term: Term = this.#term): ElectionMessage {
    const groupEpoch = this.#groupEpoch;
    invariant(groupEpoch !== undefined, 'A node without a group sends nothing.');
    return { groupEpoch, term, ...body } as ElectionMessage;
  }
}

/** What only a leader says. After losing its quorum it must not. See DESIGN.md, E7. */
export function isLeaderMessage(body: ElectionMessage): boolean {
  switch (body.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshotChunk':
    case 'timeoutNow':
      return true;
    default:
      return false;
  }
}
