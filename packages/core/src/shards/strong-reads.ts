import type { NodeId, ShardConfig } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, type Instant } from '../machine.ts';
import { everyReplica, hasQuorum, type QuorumSet, writeSets } from './quorum-rule.ts';
import type { ShardContext } from './shard-context.ts';
import { enqueue, type WaitingOperation } from './waiting-operation.ts';

interface Confirmed {
  readonly waiting: WaitingOperation;
  /** The read may only see a state that has applied at least this. */
  readonly index: number;
  readonly answer: () => void;
}

interface Round {
  readonly number: number;
  readonly waiting: readonly Confirmed[];
  readonly startedAt: Instant;
}

/**
 * Makes sure, before a read is answered, that this primary had not been replaced when it was asked.
 *
 * One question to a write quorum serves all reads that came before it: "is this epoch still the
 * latest that you promised?". A later primary must have been promised by a majority that this
 * quorum meets, so it cannot have committed anything before. See DESIGN.md, F12.
 */
export class StrongReads {
  readonly #context: ShardContext;
  readonly #config: ShardConfig;
  readonly #sets: readonly QuorumSet[];
  /** The last round to which each node said yes. */
  readonly #answered = new Map<NodeId, number>();
  #waiting: Confirmed[] = [];
  #round: Round | undefined;
  /** Confirmed, and not applied yet. */
  #confirmed: Confirmed[] = [];

  constructor(context: ShardContext, config: ShardConfig) {
    this.#context = context;
    this.#config = config;
    this.#sets = writeSets(config);
  }

  /** Runs `then` once the epoch is confirmed and `index` is applied. */
  confirm(waiting: WaitingOperation, index: number, then: () => void): void {
    const confirmed = { waiting, index, answer: then };
    enqueue(this.#waiting, confirmed, (one) => one.waiting.isAnswered);
  }

  /** Gives back everything that waits: the epoch is over. */
  drain(): readonly WaitingOperation[] {
    const all = [...this.#waiting, ...(this.#round?.waiting ?? []), ...this.#confirmed];
    this.#waiting = [];
    this.#round = undefined;
    this.#confirmed = [];
    return all.map(({ waiting }) => waiting).filter((waiting) => !waiting.isAnswered);
  }

  pong(from: NodeId, round: number): void {
    this.#answered.set(from, Math.max(round, this.#answered.get(from) ?? 0));
  }

  /** Does what can be done by now; called at the end of every step that touched the shard. */
  advance(applied: number): void {
    if (this.isIdle) return;
    if (this.#round === undefined && this.#waiting.length > 0) this.#begin();
    const round = this.#round;
    if (round !== undefined && this.#isConfirmed(round)) {
      this.#round = undefined;
      this.#confirmed.push(...round.waiting);
      if (this.#waiting.length > 0) this.#begin();
    }
    const ready = this.#confirmed.filter(({ index }) => index <= applied);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter(({ index }) => index > applied);
    for (const { answer } of ready) answer();
  }

  /** Nobody waits. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#round === undefined && this.#confirmed.length === 0;
  }

  get wakeAt(): Instant | undefined {
    return this.#round === undefined
      ? undefined
      : after(this.#round.startedAt, this.#context.config.retryMs);
  }

  /** Asks again: questions or answers may have been lost. */
  wake(now: Instant): void {
    const round = this.#round;
    if (round === undefined || after(round.startedAt, this.#context.config.retryMs) > now) return;
    this.#round = { ...round, startedAt: now };
    // The number stays: an answer to the first question is as good.
    this.#ask(round.number);
  }

  #begin(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const number = this.#context.outbox.round;
    this.#round = { number, waiting, startedAt: this.#context.now };
    this.#ask(number);
  }

  #ask(number: number): void {
    for (const node of everyReplica(this.#config)) {
      if (node === this.#context.self || (this.#answered.get(node) ?? 0) >= number) continue;
      this.#context.outbox.ping(node, this.#config.shard, this.#config.epoch);
    }
  }

  #isConfirmed(round: Round): boolean {
    if (broken('shards.strong-read-asks')) return true;
    return hasQuorum(this.#sets, (node) => {
      return node === this.#context.self || (this.#answered.get(node) ?? 0) >= round.number;
    });
  }
}
