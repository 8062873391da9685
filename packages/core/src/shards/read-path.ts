import type {
  Answer,
  AnswerSource,
  HistoryStep,
  NodeId,
  Operation,
  OperationBody,
  ShardId,
  ShardPosition,
} from '@memgrid/protocol';
import { encodeValue, entryStateField, joinSets, LIMITS, storedKey } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { StoredEntry } from '../entries/entry-table.ts';
import { decodeState, versionOf, winnerIn } from './entry-view.ts';
import { LIST_BYTES_MAX, type ListBody, Listing } from './listing.ts';
import type { Mending } from './mending.ts';
import type { Orphans } from './orphans.ts';
import type { Primary } from './primary.ts';
import { lookedUpResult, readResult } from './read-result.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import { comparePositions, ORIGIN } from './shard-log.ts';
import { enqueue, type WaitingOperation } from './waiting-operation.ts';

export interface ReadOwner {
  readonly shard: ShardId;
  readonly copy: ShardCopy;
  readonly primary: Primary | undefined;
  readonly mending: Mending;
  readonly orphans: Orphans;
  /** How long ago the primary was heard to have nothing that this replica lacks. */
  readonly stalenessMs: number;
  /** Who to ask instead. */
  readonly hint: NodeId | undefined;
}

type GetBody = Extract<OperationBody, { kind: 'get' }>;

/** Reads that are answered from what one replica has applied: at `one`, and `strong` ones. */
export class ReadPath {
  readonly #context: ShardContext;
  readonly #owner: ReadOwner;
  /** Ask for more than is applied here. */
  #behind: WaitingOperation[] = [];
  /** Strong reads that came before the primary was active. */
  #queue: WaitingOperation[] = [];

  constructor(context: ShardContext, owner: ReadOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Nobody waits for more than is applied here. */
  get isIdle(): boolean {
    return this.#behind.length === 0;
  }

  /** A read at `one`: answered as soon as this replica has applied what the caller has seen. */
  one(waiting: WaitingOperation): void {
    const { operation } = waiting;
    if (operation === undefined) return;
    if (!this.#isFarEnough(operation)) {
      if (this.#answerStranded(waiting, operation)) return;
      enqueue(this.#behind, waiting, ({ isAnswered }) => isAnswered);
      return;
    }
    const source = this.#owner.primary?.isActive === true ? 'primary' : 'replica';
    this.#answer(waiting, operation, source);
  }

  /**
   * The answer to a read at `one` that nobody has to wait for: enough is applied here, the entry is
   * in memory, and nothing but the table has a part in it. Undefined: hand it in.
   */
  oneAtOnce(operation: Operation, body: GetBody): Answer | undefined {
    const { orphans, primary } = this.#owner;
    if (!this.#isFarEnough(operation) || orphans.count > 0) return undefined;
    return this.#fromMemory(operation, body, primary?.isActive === true ? 'primary' : 'replica');
  }

  /**
   * The same for a read at the primary. Only for a primary that is alone: it need not ask itself
   * whether it was replaced.
   */
  strongAtOnce(operation: Operation, body: GetBody): Answer | undefined {
    const { copy, primary } = this.#owner;
    if (primary?.isActive !== true || copy.applied.index < copy.commit) return undefined;
    const isOpen = copy.latestIndexOf(storedKey(body.namespace, body.key)) !== undefined;
    return isOpen ? undefined : this.#fromMemory(operation, body, 'primary');
  }

  /** Whether this replica has applied what the caller has seen. */
  #isFarEnough({ atLeast }: Operation): boolean {
    // Every log begins with the record of an activation: who has not even that knows nothing.
    const needed = broken('shards.read-at-least') ? 0 : Math.max(1, atLeast);
    return this.#owner.copy.applied.index >= needed;
  }

  #fromMemory(
    { id, shard }: Operation,
    { namespace, key }: GetBody,
    source: 'primary' | 'replica',
  ): Answer | undefined {
    const { copy, mending } = this.#owner;
    if (!mending.isIdle) return undefined;
    const found = this.#context.entries.look(shard, copy.slot, storedKey(namespace, key));
    if (found === 'paged') return undefined;
    const stalenessMs = source === 'primary' ? 0 : this.#owner.stalenessMs;
    const facts = { source, stalenessMs, nowMs: this.#context.nowMs };
    const result = lookedUpResult(key, found, facts);
    return { id, shard, position: laterOf(copy.applied, found), result };
  }

  /**
   * A primary that no majority answers still shows a session what it wrote here at `one`: it is
   * logged and nothing else. Such a write is never lost, so what is shown does not go back.
   */
  #answerStranded(waiting: WaitingOperation, { body, atLeast }: Operation): boolean {
    const { copy, primary } = this.#owner;
    if (body.kind !== 'get' || primary?.isActive !== true || primary.hasLiveQuorum) return false;
    const key = storedKey(body.namespace, body.key);
    const index = copy.latestIndexOf(key);
    const logged = index === undefined ? undefined : copy.log.at(index)?.body;
    if (index === undefined || logged?.kind !== 'write' || !logged.answeredEarly) return false;
    if (copy.log.lastIndex < atLeast) return false;
    const facts = { source: 'primary', stalenessMs: 0, nowMs: this.#context.nowMs } as const;
    waiting.answer(readResult(body.key, logged, facts), copy.log.positionAt(index));
    return true;
  }

  /** A read at the primary, after a majority confirmed that it still is the primary. */
  strong(waiting: WaitingOperation): void {
    const { primary } = this.#owner;
    if (primary?.isActive !== true) {
      enqueue(this.#queue, waiting, ({ isAnswered }) => isAnswered);
      return;
    }
    primary.strongReads.confirm(waiting, this.#settledBy(waiting), () => {
      const { operation } = waiting;
      if (operation !== undefined) this.#answer(waiting, operation, 'primary');
    });
  }

  /**
   * What has to be applied before a strong read is answered: everything that is logged of what it
   * reads. A majority may have it though this primary does not know yet that it is committed, and
   * then a quorum read has shown it to somebody.
   */
  #settledBy({ operation }: WaitingOperation): number {
    const { copy } = this.#owner;
    if (operation?.body.kind !== 'get') return copy.log.lastIndex;
    const { namespace, key } = operation.body;
    return copy.latestIndexOf(storedKey(namespace, key)) ?? copy.commit;
  }

  /** The primary is active now. */
  resume(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const waiting of queue) this.strong(waiting);
  }

  takeQueue(): readonly WaitingOperation[] {
    const queue = this.#queue;
    this.#queue = [];
    return queue.filter((waiting) => !waiting.isAnswered);
  }

  /** More is applied: look who waited for it. */
  advance(): void {
    if (this.#behind.length === 0) return;
    const behind = this.#behind;
    this.#behind = [];
    for (const waiting of behind) if (!waiting.isAnswered) this.one(waiting);
  }

  /** This node holds the shard no longer. */
  abandon(hint: NodeId | undefined): void {
    for (const waiting of [...this.#behind, ...this.#queue]) waiting.redirect(hint);
    this.#behind = [];
    this.#queue = [];
  }

  #answer(waiting: WaitingOperation, operation: Operation, source: AnswerSource): void {
    const { body } = operation;
    if (body.kind === 'get') this.#get(waiting, body, source);
    else if (body.kind === 'list') {
      this.#owner.mending.whenWhole(() => this.#list(waiting, body, source));
    } else if (body.kind === 'history') this.#history(waiting, body);
  }

  #get(waiting: WaitingOperation, body: GetBody, source: AnswerSource): void {
    const { copy, mending } = this.#owner;
    const key = storedKey(body.namespace, body.key);
    const { applied } = copy;
    mending.find(key, (found) => {
      if (waiting.isAnswered) return;
      // Another copy took this one's place while the disk was reading.
      if (this.#owner.copy !== copy) {
        this.#get(waiting, body, source);
        return;
      }
      const stalenessMs = source === 'primary' ? 0 : this.#owner.stalenessMs;
      const facts = { source, stalenessMs, nowMs: this.#context.nowMs };
      const seen = waiting.operation?.read === 'one' ? this.#withOrphans(key, found) : found;
      waiting.answer(readResult(body.key, seen, facts), laterOf(applied, found));
    });
  }

  /** At `one` this node also shows what it took on its own and the log does not have yet. */
  #withOrphans(key: string, found: StoredEntry | 'absent'): { state: Uint8Array } | 'absent' {
    const { orphans } = this.#owner;
    const stranded = orphans.count === 0 ? undefined : orphans.stateOf(key);
    if (stranded === undefined) return found;
    const state = found === 'absent' ? stranded : joinSets(decodeState(found.state), stranded);
    return { state: encodeValue(entryStateField, state) };
  }

  #list(waiting: WaitingOperation, body: ListBody, source: AnswerSource): void {
    this.#listOn(waiting, new Listing(this.#context, this.#owner.copy, body), source);
  }

  /** As far as memory goes; then the disk is asked for everything that is missing of a page. */
  #listOn(waiting: WaitingOperation, listing: Listing, source: AnswerSource): void {
    const missing = listing.advance();
    if (missing.length === 0) {
      const stalenessMs = source === 'primary' ? 0 : this.#owner.stalenessMs;
      waiting.answer(listing.result(source, stalenessMs), listing.at);
      return;
    }
    let left = missing.length;
    for (const key of missing) {
      this.#owner.mending.find(key, (found) => {
        listing.fetched(key, found);
        left -= 1;
        if (left > 0 || waiting.isAnswered) return;
        // Another copy took this one's place while the disk was reading.
        if (this.#owner.copy !== listing.copy) this.#list(waiting, listing.body, source);
        else this.#listOn(waiting, listing, source);
      });
    }
  }

  /** What the retained log still holds of a key. */
  #history(waiting: WaitingOperation, body: Extract<OperationBody, { kind: 'history' }>): void {
    const { copy } = this.#owner;
    const key = storedKey(body.namespace, body.key);
    const steps: HistoryStep[] = [];
    let bytes = 0;
    let complete = copy.log.base.index === ORIGIN.index;
    for (let index = copy.applied.index; index > copy.log.base.index; index -= 1) {
      const step = stepOf(copy, index, key);
      if (step === undefined) continue;
      bytes += step.entry.byteLength + 256;
      if (steps.length >= LIMITS.historyStepsMax || bytes > LIST_BYTES_MAX) {
        complete = false;
        break;
      }
      steps.push(step);
    }
    waiting.answer({ kind: 'history', steps: steps.reverse(), complete }, copy.applied);
  }
}

function stepOf(copy: ShardCopy, index: number, key: string): HistoryStep | undefined {
  const logged = copy.log.at(index);
  if (logged === undefined) return undefined;
  const body = logged.read();
  if (body.kind !== 'write' || body.key !== key) return undefined;
  const winner = winnerIn(body.state);
  if (winner === undefined) return undefined;
  const { kind, entry } = winner.value;
  const position = { epoch: logged.epoch, index };
  return { version: versionOf(winner), kind, entry, position };
}

/** What an answer rests on: a mended entry may be newer than what is applied here. */
function laterOf(position: ShardPosition, found: StoredEntry | 'absent'): ShardPosition {
  if (found === 'absent' || comparePositions(found.at, position) <= 0) return position;
  return found.at;
}
