import type { Answer, NodeId, Operation, OperationResult, ShardPosition } from '@memgrid/protocol';
import { failedResult } from '@memgrid/protocol';
import { type Due, NOT_QUEUED } from '../due-queue.ts';
import { after, type Instant } from '../machine.ts';
import type { ShardContext } from './shard-context.ts';
import type { LocalOperation, OperationToken } from './shards-io.ts';
import { ORIGIN } from './shard-log.ts';

/** How many operations wait in one shard, and how large they are. */
export class WaitingLoad {
  count = 0;
  bytes = 0;
}

/**
 * One operation that was handed in, until it is answered: exactly once, whatever happens first.
 */
export class WaitingOperation implements Due {
  readonly token: OperationToken;
  readonly deadline: Instant;
  readonly bytes: number;
  /** Its entry is certainly one: see `LocalOperation`. */
  readonly admitted: boolean;
  dueAt: Instant = NOT_QUEUED;
  readonly #context: ShardContext;
  readonly #load: WaitingLoad;
  /** Given up with the answer: a deadline far away must not keep an entry in memory. */
  #operation: Operation | undefined;
  /** Where the write is logged, while it is; then nobody can say that it was not applied. */
  loggedAt: ShardPosition | undefined;

  constructor(context: ShardContext, local: LocalOperation, load: WaitingLoad) {
    this.token = local.token;
    this.admitted = local.admitted === true;
    this.#operation = local.operation;
    this.#context = context;
    this.#load = load;
    this.deadline = after(context.now, local.operation.timeoutMs);
    this.bytes = weightOf(local.operation);
    load.count += 1;
    load.bytes += this.bytes;
  }

  /** It was not answered within the step that brought it: now its deadline counts. */
  outlast(): void {
    if (!this.isAnswered) this.#context.deadlines.add(this.deadline, this);
  }

  get isAnswered(): boolean {
    return this.#operation === undefined;
  }

  /** Undefined once it is answered. */
  get operation(): Operation | undefined {
    return this.#operation;
  }

  answer(result: OperationResult, position: ShardPosition = ORIGIN): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    this.#operation = undefined;
    this.#context.deadlines.remove(this);
    this.#load.count -= 1;
    this.#load.bytes -= this.bytes;
    const { id, shard } = operation;
    const answer: Answer = { id, shard, position, result };
    this.#context.outbox.answer(this.token, answer);
  }

  /** The caller has no more time. */
  expire(): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    const applied = this.loggedAt === undefined ? 'no' : 'unknown';
    this.answer(failedResult('TIMEOUT', { timeoutMs: operation.timeoutMs }, { applied }));
  }

  /** The shard can do nothing for it here and now. */
  refuse(problem: string, hint: NodeId | undefined): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    const applied = this.loggedAt === undefined ? 'no' : 'unknown';
    const details = { shard: operation.shard, problem };
    this.answer(failedResult('SHARD_UNAVAILABLE', details, { applied, hint }));
  }

  /** Somebody else is the primary. */
  redirect(hint: NodeId | undefined): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    const applied = this.loggedAt === undefined ? 'no' : 'unknown';
    const { shard } = operation;
    if (applied === 'no') {
      this.answer(failedResult('NOT_PRIMARY', { shard, hint }, { hint }));
    } else {
      this.refuse('Its primary changed while the write was under way.', hint);
    }
  }
}

/** What an operation weighs in a queue: its payload, and a little for itself. */
function weightOf({ body }: Operation): number {
  if (body.kind === 'put') return body.entry.byteLength + 256;
  if (body.kind === 'update') return body.patch.byteLength + 256;
  return 256;
}

/** How often a queue is looked through for those that were answered meanwhile. */
const LOOKED_THROUGH_EVERY = 256;

/**
 * Adds to a queue that may not move for hours. Operations in it are answered by their deadlines
 * all the same, so it must not grow by them.
 */
export function enqueue<T>(queue: T[], item: T, isAnswered: (one: T) => boolean): void {
  queue.push(item);
  if (queue.length % LOOKED_THROUGH_EVERY !== 0) return;
  const open = queue.filter((one) => !isAnswered(one));
  queue.splice(0, queue.length, ...open);
}
