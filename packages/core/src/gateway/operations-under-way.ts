import type { NodeId, Operation, ShardId } from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';
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

interface Begun {
  readonly asker: Asker;
  readonly deadline: Instant;
  /** Undefined: the shards of this node. */
  readonly to: NodeId | undefined;
  readonly timeoutMs: number;
}

interface Load {
  readonly tokens: Set<OperationToken>;
  bytes: number;
}

/** All operations between a question and its answer, within bounds for each asker and in total. */
export class OperationsUnderWay {
  readonly #limits: GatewayLimits;
  readonly #all = new Map<OperationToken, UnderWay>();
  readonly #byAsker = new Map<LinkId | NodeId, Load>();
  readonly #byTarget = new Map<NodeId, Set<OperationToken>>();
  readonly #deadlines = new Deadlines();
  #bytes = 0;
  #lastToken: OperationToken = 0;

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#all.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt;
  }

  countOf(asker: LinkId | NodeId): number {
    return this.#byAsker.get(asker)?.tokens.size ?? 0;
  }

  /** What keeps one more operation out: how much waits already, and how much may. */
  overloadOf(asker: Asker, operation: Operation): { waiting: number; max: number } | undefined {
    const { totalBytes, totalOperations, windowBytes, windowOperations } = this.#limits;
    const bytes = operationLoad(operation);
    const load = this.#byAsker.get(keyOf(asker));
    const count = load?.tokens.size ?? 0;
    const ownBytes = load?.bytes ?? 0;
    if (this.#all.size >= totalOperations) {
      return { waiting: this.#all.size, max: totalOperations };
    }
    if (this.#bytes + bytes > totalBytes) return { waiting: this.#bytes, max: totalBytes };
    if (count >= windowOperations) return { waiting: count, max: windowOperations };
    if (ownBytes + bytes > windowBytes) return { waiting: ownBytes, max: windowBytes };
    return undefined;
  }

  begin(operation: Operation, { asker, deadline, to, timeoutMs }: Begun): UnderWay {
    this.#lastToken += 1;
    const underWay: UnderWay = {
      token: this.#lastToken,
      asker,
      id: operation.id,
      shard: operation.shard,
      write: isWrite(operation.body),
      schemaVersion: operation.schemaVersion,
      bytes: operationLoad(operation),
      timeoutMs,
      deadline,
      forwardedTo: to,
    };
    const { token, bytes } = underWay;
    this.#all.set(token, underWay);
    this.#bytes += bytes;
    this.#deadlines.add(deadline, token);
    const load = this.#loadOf(keyOf(asker));
    load.tokens.add(token);
    load.bytes += bytes;
    if (to !== undefined) this.#targetsOf(to).add(token);
    return underWay;
  }

  /** Ends one: it will be answered now. Undefined when that happened already. */
  finish(token: OperationToken): UnderWay | undefined {
    const underWay = this.#all.get(token);
    if (underWay === undefined) return undefined;
    const { asker, bytes, deadline, forwardedTo } = underWay;
    this.#all.delete(token);
    this.#bytes -= bytes;
    this.#deadlines.strike(deadline, token);
    const key = keyOf(asker);
    const load = this.#loadOf(key);
    load.tokens.delete(token);
    load.bytes -= bytes;
    if (load.tokens.size === 0) this.#byAsker.delete(key);
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
    for (const token of [...(this.#byAsker.get(asker)?.tokens ?? [])]) this.finish(token);
  }

  /** Ends and returns what was forwarded to this peer. */
  takeForwardedTo(peer: NodeId): readonly UnderWay[] {
    return this.#finishAll([...(this.#byTarget.get(peer) ?? [])]);
  }

  takeDue(now: Instant): readonly UnderWay[] {
    return this.#finishAll(this.#deadlines.takeDue(now));
  }

  takeAll(): readonly UnderWay[] {
    return this.#finishAll([...this.#all.keys()]);
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
    const load = { tokens: new Set<OperationToken>(), bytes: 0 };
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
