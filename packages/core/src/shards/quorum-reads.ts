import type {
  Answer,
  KeyQuery,
  KeyQueryResp,
  NodeId,
  Operation,
  Relay,
  ShardConfig,
  ShardEpoch,
  ShardId,
  ShardPosition,
} from '@memgrid/protocol';
import { storedKey } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, earliest, type Instant } from '../machine.ts';
import type { Mending } from './mending.ts';
import { majority, readMembers } from './quorum-rule.ts';
import { lookedUpResult, readResult } from './read-result.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import { comparePositions, ORIGIN } from './shard-log.ts';
import type { WaitingOperation } from './waiting-operation.ts';

export interface QuorumReadOwner {
  readonly shard: ShardId;
  readonly config: ShardConfig | undefined;
  readonly promised: ShardEpoch;
  readonly copy: ShardCopy;
  readonly mending: Mending;
  /** Whether this replica's log is that of the epoch's primary, and its base is whole. */
  isInSync(epoch: ShardEpoch): boolean;
  /** Brings another replica of the epoch what it lacks. */
  relay(relay: Relay): void;
}

type GetBody = Extract<Operation['body'], { kind: 'get' }>;

interface KeyAnswer {
  readonly at: ShardPosition;
  readonly commit: number;
  readonly state: Uint8Array;
}

interface Query {
  readonly number: number;
  readonly waiting: WaitingOperation;
  readonly namespace: string;
  readonly key: string;
  readonly config: ShardConfig;
  readonly answers: Map<NodeId, KeyAnswer>;
  askedAt: Instant;
  attempts: number;
  /** When to ask again because the answers differ. */
  againAt: Instant | undefined;
}

/** How long a write that is under way is given to commit before it is helped along. */
const SETTLE_MS = 20;

/**
 * Reads that a majority of the replicas answers, without the primary.
 *
 * Answers of one epoch are comparable: each comes from a replica whose log is the primary's up to
 * its end. The newest of them is the value; if it may not be committed, a majority must have it
 * before anybody is told, or the next reader could see the older one again. See DESIGN.md, F11.
 */
export class QuorumReads {
  readonly #context: ShardContext;
  readonly #owner: QuorumReadOwner;
  /** By numbers that no earlier life of this node has used: its answers may still be under way. */
  readonly #queries = new Map<number, Query>();

  constructor(context: ShardContext, owner: QuorumReadOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Nobody is being asked. */
  get isIdle(): boolean {
    return this.#queries.size === 0;
  }

  begin(waiting: WaitingOperation): void {
    const { operation } = waiting;
    const { config } = this.#owner;
    if (operation?.body.kind !== 'get' || config === undefined) return;
    const query: Query = {
      number: this.#context.nextNumber(),
      waiting,
      namespace: operation.body.namespace,
      key: operation.body.key,
      config,
      answers: new Map(),
      askedAt: this.#context.now,
      attempts: 0,
      againAt: undefined,
    };
    this.#queries.set(query.number, query);
    this.#ask(query);
  }

  /**
   * The answer of a replica that is alone, and so a majority, where it takes no disk to know it.
   * Undefined: hand it in.
   */
  atOnce({ id, shard }: Operation, { namespace, key }: GetBody): Answer | undefined {
    const { copy, mending, config } = this.#owner;
    if (config === undefined || !mending.isIdle || !this.#owner.isInSync(config.epoch)) {
      return undefined;
    }
    const stored = storedKey(namespace, key);
    if (copy.latestIndexOf(stored) !== undefined) return undefined;
    const found = this.#context.entries.look(shard, copy.slot, stored);
    if (found === 'paged') return undefined;
    const facts = { source: 'quorum', stalenessMs: 0, nowMs: this.#context.nowMs } as const;
    const position = found === 'absent' ? copy.applied : found.at;
    return { id, shard, position, result: lookedUpResult(key, found, facts) };
  }

  /** Somebody else's question about this replica. */
  answer(from: NodeId, question: KeyQuery): void {
    const { shard, epoch, query, namespace, key } = question;
    this.#find(storedKey(namespace, key), (found) => {
      const inSync = this.#owner.isInSync(epoch) && found !== undefined;
      const { at, state, commit } = found ?? NOTHING;
      this.#context.outbox.send(from, {
        type: 'keyQueryResp',
        shard,
        epoch: inSync ? epoch : this.#owner.promised,
        query,
        inSync,
        at,
        commit,
        state,
      });
    });
  }

  answered(from: NodeId, { query: number, epoch, inSync, at, commit, state }: KeyQueryResp): void {
    const query = this.#queries.get(number);
    if (query === undefined || !inSync || epoch !== query.config.epoch) return;
    if (!readMembers(query.config).includes(from)) return;
    query.answers.set(from, { at, commit, state });
    this.#decide(query);
  }

  /** The shard has another configuration: answers of the old one are no majority any more. */
  restart(): void {
    for (const query of [...this.#queries.values()]) {
      this.#queries.delete(query.number);
      if (!query.waiting.isAnswered) this.begin(query.waiting);
    }
  }

  abandon(hint: NodeId | undefined): void {
    for (const { waiting } of this.#queries.values()) waiting.redirect(hint);
    this.#queries.clear();
  }

  get wakeAt(): Instant | undefined {
    let wakeAt: Instant | undefined;
    if (this.isIdle) return wakeAt;
    for (const query of this.#queries.values()) wakeAt = earliest(wakeAt, this.#dueAt(query));
    return wakeAt;
  }

  wake(now: Instant): void {
    for (const query of [...this.#queries.values()]) {
      if (query.waiting.isAnswered) {
        this.#queries.delete(query.number);
        continue;
      }
      if (this.#dueAt(query) > now) continue;
      if (query.againAt !== undefined) this.#help(query);
      this.#ask(query);
    }
  }

  #dueAt(query: Query): Instant {
    return query.againAt ?? after(query.askedAt, this.#context.config.retryMs);
  }

  #ask(query: Query): void {
    query.askedAt = this.#context.now;
    query.againAt = undefined;
    query.attempts += 1;
    query.answers.clear();
    const { shard } = this.#owner;
    const { config, namespace, key } = query;
    // Answers to an earlier question are no answers to this one.
    this.#queries.delete(query.number);
    const asked = { ...query, number: this.#context.nextNumber() };
    this.#queries.set(asked.number, asked);
    for (const node of readMembers(config)) {
      if (node === this.#context.self) continue;
      const { epoch } = config;
      this.#context.outbox.send(node, {
        type: 'keyQuery',
        shard,
        epoch,
        query: asked.number,
        namespace,
        key,
      });
    }
    this.#askSelf(asked);
  }

  #askSelf(query: Query): void {
    const { config, namespace, key } = query;
    if (!readMembers(config).includes(this.#context.self)) return;
    this.#find(storedKey(namespace, key), (found) => {
      if (found === undefined || !this.#owner.isInSync(config.epoch)) return;
      if (this.#queries.get(query.number) !== query) return;
      query.answers.set(this.#context.self, found);
      this.#decide(query);
    });
  }

  /** The latest record of a key that is as safe here as it asked to be. */
  #find(key: string, then: (found: KeyAnswer | undefined) => void): void {
    const { copy, mending, shard } = this.#owner;
    const logged = copy.latestSafeOf(key);
    if (logged?.body?.kind === 'write') {
      const { epoch, index } = logged;
      then({ at: { epoch, index }, commit: copy.commit, state: logged.body.state });
      return;
    }
    const { applied } = copy;
    mending.find(key, (found) => {
      this.#context.touched.add(shard);
      if (this.#owner.copy !== copy) then(undefined);
      // No record is left of it, so this is where the log was: a session must not fall behind that.
      else if (found === 'absent') then({ ...NOTHING, at: applied, commit: copy.commit });
      else then({ at: found.at, commit: copy.commit, state: found.state });
    });
  }

  #decide(query: Query): void {
    const { answers, config, waiting } = query;
    if (query.againAt !== undefined) return;
    if (answers.size < majority(readMembers(config).length)) return;
    const [newest] = this.#newest(query);
    let commit = 0;
    for (const answer of answers.values()) commit = Math.max(commit, answer.commit);
    const same = [...answers.values()].filter(({ at }) => comparePositions(at, newest.at) === 0);
    const isSafe = newest.at.index <= commit || same.length >= majority(readMembers(config).length);
    if (!isSafe && !broken('shards.quorum-read-writes-back')) {
      query.againAt = after(this.#context.now, SETTLE_MS * Math.min(8, query.attempts));
      return;
    }
    this.#queries.delete(query.number);
    const found = newest.state.byteLength === 0 ? 'absent' : { state: newest.state };
    const facts = { source: 'quorum', stalenessMs: 0, nowMs: this.#context.nowMs } as const;
    waiting.answer(readResult(query.key, found, facts), newest.at);
  }

  #newest({ answers }: Query): [KeyAnswer, NodeId | undefined] {
    let newest: KeyAnswer = NOTHING;
    let holder: NodeId | undefined;
    for (const [node, answer] of answers) {
      if (holder !== undefined && comparePositions(answer.at, newest.at) <= 0) continue;
      newest = answer;
      holder = node;
    }
    return [newest, holder];
  }

  /**
   * The primary should have committed it by now. Perhaps it is gone: then whoever has the record
   * brings those who lack it up to date, so that a majority has it.
   */
  #help(query: Query): void {
    if (query.attempts < 2) return;
    const [newest, holder] = this.#newest(query);
    if (holder === undefined) return;
    const { shard, epoch } = query.config;
    for (const [to, { at }] of query.answers) {
      if (comparePositions(at, newest.at) === 0) continue;
      const { number } = query;
      const relay: Relay = {
        type: 'relay',
        shard,
        epoch,
        query: number,
        to,
        upTo: newest.at.index,
      };
      if (holder === this.#context.self) this.#owner.relay(relay);
      else this.#context.outbox.send(holder, relay);
    }
  }
}

const NOTHING: KeyAnswer = { at: ORIGIN, commit: 0, state: new Uint8Array() };
