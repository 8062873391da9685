import type { NodeId, Operation, ShardId } from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';
import { NumberedItems } from '../numbered-items.ts';
import type { RequestId } from '../request-id.ts';
import type { OperationToken } from '../shards/shards-io.ts';
import { Deadlines } from './deadlines.ts';
import type { GatewayLimits } from './gateway-io.ts';
import { operationLoad } from './message-weight.ts';
import { isWrite } from './operation-route.ts';

/** Who waits for an answer. */
export type Asker =
  | { readonly kind: 'client'; readonly link: LinkId }
  | { readonly kind: 'peer'; readonly peer: NodeId }
  | { readonly kind: 'request'; readonly request: RequestId };

/** One operation that has not been answered yet. */
export interface UnderWay {
  readonly token: OperationToken;
  readonly asker: Asker;
  /** As the asker numbered it. */
  readonly id: number;
  readonly shard: ShardId;
  readonly write: boolean;
  /** What the caller wants to be shown entries in; undefined for the committed version. */
  readonly schemaVersion: number | undefined;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly deadline: Instant;
  /** Undefined: with the shards of this node. */
  readonly forwardedTo: NodeId | undefined;
}

/** An operation in the list of all that its asker waits for. */
interface Listed extends UnderWay {
  /** Whether it is among the deadlines by now. */
  isTimed: boolean;
  isFinished: boolean;
  previous: Listed | undefined;
  next: Listed | undefined;
}

interface Begun {
  readonly asker: Asker;
  readonly deadline: Instant;
  /** Undefined: the shards of this node. */
  readonly to: NodeId | undefined;
  readonly timeoutMs: number;
}

/** What one asker waits for: chained, so that nothing has to be looked up to take one out. */
interface Load {
  count: number;
  bytes: number;
  first: Listed | undefined;
}

/** Operations that may wait for their place among the deadlines. */
const UNTIMED_MAX = 4_096;

/** All operations between a question and its answer, within bounds for each asker and in total. */
export class OperationsUnderWay {
  readonly #limits: GatewayLimits;
  readonly #all = new NumberedItems<Listed>();
  readonly #byAsker = new Map<LinkId | NodeId, Load>();
  readonly #byTarget = new Map<NodeId, Set<OperationToken>>();
  readonly #deadlines = new Deadlines();
  /**
   * Begun since somebody asked for the next deadline. Most are answered within the same step, and
   * never come to have one.
   */
  #untimed: Listed[] = [];
  #bytes = 0;
  /** What was answered in this step without ever waiting; all of it was one asker's. */
  #passedCount = 0;
  #passedBytes = 0;
  #lastToken: OperationToken = 0;

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#all.count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get wakeAt(): Instant | undefined {
    this.#time();
    return this.#deadlines.wakeAt;
  }

  countOf(asker: LinkId | NodeId): number {
    return this.#byAsker.get(asker)?.count ?? 0;
  }

  /** What keeps one more operation out: how much waits already, and how much may. */
  overloadOf(asker: Asker, operation: Operation): { waiting: number; max: number } | undefined {
    const { totalBytes, totalOperations, windowBytes, windowOperations } = this.#limits;
    const bytes = operationLoad(operation);
    const load = this.#byAsker.get(keyOf(asker));
    // Answers that were given in this step wait for its end like any other.
    const count = (load?.count ?? 0) + this.#passedCount;
    const ownBytes = (load?.bytes ?? 0) + this.#passedBytes;
    const allCount = this.#all.count + this.#passedCount;
    const allBytes = this.#bytes + this.#passedBytes;
    if (allCount >= totalOperations) return { waiting: allCount, max: totalOperations };
    if (allBytes + bytes > totalBytes) return { waiting: allBytes, max: totalBytes };
    if (count >= windowOperations) return { waiting: count, max: windowOperations };
    if (ownBytes + bytes > windowBytes) return { waiting: ownBytes, max: windowBytes };
    return undefined;
  }

  /** An operation is answered at once: until the end of the step it counts like those that wait. */
  passing(operation: Operation): void {
    this.#passedCount += 1;
    this.#passedBytes += operationLoad(operation);
  }

  endStep(): void {
    this.#passedCount = 0;
    this.#passedBytes = 0;
  }

  begin(operation: Operation, { asker, deadline, to, timeoutMs }: Begun): UnderWay {
    this.#lastToken += 1;
    const token = this.#lastToken;
    const load = this.#loadOf(keyOf(asker));
    const underWay: Listed = {
      token,
      asker,
      id: operation.id,
      shard: operation.shard,
      write: isWrite(operation.body),
      schemaVersion: operation.schemaVersion,
      bytes: operationLoad(operation),
      timeoutMs,
      deadline,
      forwardedTo: to,
      isTimed: false,
      isFinished: false,
      previous: undefined,
      next: load.first,
    };
    if (load.first !== undefined) load.first.previous = underWay;
    load.first = underWay;
    load.count += 1;
    load.bytes += underWay.bytes;
    this.#all.add(token, underWay);
    this.#bytes += underWay.bytes;
    if (to !== undefined) this.#targetsOf(to).add(token);
    this.#untimed.push(underWay);
    if (this.#untimed.length >= UNTIMED_MAX) this.#time();
    return underWay;
  }

  /** Ends it; undefined when it has ended before. */
  finish(token: OperationToken): UnderWay | undefined {
    const underWay = this.#all.take(token);
    if (underWay === undefined) return undefined;
    const { bytes, deadline, forwardedTo } = underWay;
    this.#bytes -= bytes;
    underWay.isFinished = true;
    if (underWay.isTimed) this.#deadlines.strike(deadline, token);
    this.#unlist(underWay);
    if (forwardedTo !== undefined) {
      const targets = this.#targetsOf(forwardedTo);
      targets.delete(token);
      if (targets.size === 0) this.#byTarget.delete(forwardedTo);
    }
    return underWay;
  }

  get(token: OperationToken): UnderWay | undefined {
    return this.#all.get(token);
  }

  /** Nobody waits for these any more. */
  forget(asker: LinkId | NodeId): void {
    let first = this.#byAsker.get(asker)?.first;
    while (first !== undefined) {
      const { token, next }: Listed = first;
      this.finish(token);
      first = next;
    }
  }

  /** Ends and returns what was forwarded to this peer. */
  takeForwardedTo(peer: NodeId): readonly UnderWay[] {
    return this.#finishAll([...(this.#byTarget.get(peer) ?? [])]);
  }

  takeDue(now: Instant): readonly UnderWay[] {
    this.#time();
    return this.#finishAll(this.#deadlines.takeDue(now));
  }

  takeAll(): readonly UnderWay[] {
    return this.#finishAll(this.#all.inOrder().map(({ token }) => token));
  }

  /** Gives whatever still waits its place among the deadlines. */
  #time(): void {
    if (this.#untimed.length === 0) return;
    for (const underWay of this.#untimed) {
      if (underWay.isFinished) continue;
      underWay.isTimed = true;
      this.#deadlines.add(underWay.deadline, underWay.token);
    }
    this.#untimed = [];
  }

  #unlist(underWay: Listed): void {
    const { asker, bytes, previous, next } = underWay;
    const key = keyOf(asker);
    const load = this.#loadOf(key);
    if (previous === undefined) load.first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    // One that is done and has come into the old generation must not keep younger ones alive.
    underWay.previous = undefined;
    underWay.next = undefined;
    load.count -= 1;
    load.bytes -= bytes;
    if (load.count === 0) this.#byAsker.delete(key);
  }

  #finishAll(tokens: readonly OperationToken[]): readonly UnderWay[] {
    const taken: UnderWay[] = [];
    for (const token of tokens) {
      const underWay = this.finish(token);
      if (underWay !== undefined) taken.push(underWay);
    }
    return taken;
  }

  #loadOf(key: LinkId | NodeId): Load {
    const present = this.#byAsker.get(key);
    if (present !== undefined) return present;
    const load: Load = { count: 0, bytes: 0, first: undefined };
    this.#byAsker.set(key, load);
    return load;
  }

  #targetsOf(node: NodeId): Set<OperationToken> {
    const present = this.#byTarget.get(node);
    if (present !== undefined) return present;
    const tokens = new Set<OperationToken>();
    this.#byTarget.set(node, tokens);
    return tokens;
  }
}

/** Links are numbers and peers are texts; requests of this process all count together. */
function keyOf(asker: Asker): LinkId | NodeId {
  switch (asker.kind) {
    case 'client':
      return asker.link;
    case 'peer':
      return asker.peer;
    case 'request':
      return 0;
  }
}
