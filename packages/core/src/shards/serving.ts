import type { Answer, NodeId, Operation, ShardConfig } from '@memgrid/protocol';
import { failedResult } from '@memgrid/protocol';
import type { Orphans } from './orphans.ts';
import { readMembers } from './quorum-rule.ts';
import { type QuorumReadOwner, QuorumReads } from './quorum-reads.ts';
import { type ReadOwner, ReadPath } from './read-path.ts';
import type { ShardContext } from './shard-context.ts';
import { WaitingLoad, type WaitingOperation } from './waiting-operation.ts';
import { type WriteOwner, WritePath } from './write-path.ts';
import { isWrite } from './write-rules.ts';

export interface ServingOwner extends WriteOwner, ReadOwner, QuorumReadOwner {
  readonly config: ShardConfig | undefined;
  readonly orphans: Orphans;
  /** Whether this node holds the shard, or is about to. */
  readonly isHeld: boolean;
  readonly hint: NodeId | undefined;
  /** Nobody else holds the shard, or is about to. */
  readonly isAlone: boolean;
}

/** What callers ask of one shard at this node: who answers each operation, and who waits. */
export class Serving {
  readonly load = new WaitingLoad();
  readonly writes: WritePath;
  readonly reads: ReadPath;
  readonly quorumReads: QuorumReads;
  readonly #context: ShardContext;
  readonly #owner: ServingOwner;

  constructor(context: ShardContext, owner: ServingOwner) {
    this.#context = context;
    this.#owner = owner;
    this.writes = new WritePath(context, owner);
    this.reads = new ReadPath(context, owner);
    this.quorumReads = new QuorumReads(context, owner);
  }

  /**
   * The answer to a get for which nobody has to be asked, nor the disk: without a place in any queue.
   * Undefined for everything else.
   */
  answerAtOnce(operation: Operation): Answer | undefined {
    const { body, read } = operation;
    const { config, isAlone } = this.#owner;
    if (body.kind !== 'get' || config === undefined) return undefined;
    if (!readMembers(config).includes(this.#context.self)) return undefined;
    if (read === 'one') return this.reads.oneAtOnce(operation, body);
    if (!isAlone) return undefined;
    return read === 'strong'
      ? this.reads.strongAtOnce(operation, body)
      : this.quorumReads.atOnce(operation, body);
  }

  /** No read waits for anything that the end of a step could bring. */
  get isAtRest(): boolean {
    return this.reads.isIdle && this.quorumReads.isIdle;
  }

  /** Takes an operation, or refuses it at the door. */
  admit(waiting: WaitingOperation): void {
    const { waitingOperationsMax, waitingBytesMax } = this.#context.config;
    const { count, bytes } = this.load;
    if (count <= waitingOperationsMax && bytes <= waitingBytesMax) {
      this.operate(waiting);
      return;
    }
    const isMany = count > waitingOperationsMax;
    const details = isMany
      ? { waiting: count, max: waitingOperationsMax }
      : { waiting: bytes, max: waitingBytesMax };
    waiting.answer(failedResult('OVERLOADED', details, { applied: 'no' }));
  }

  operate(waiting: WaitingOperation): void {
    const { operation } = waiting;
    const { config, hint, isHeld } = this.#owner;
    if (operation === undefined) return;
    if (config === undefined || !isHeld) {
      waiting.redirect(hint);
    } else if (isWrite(operation.body)) {
      this.#write(waiting);
    } else if (operation.read === 'one' || operation.body.kind === 'history') {
      // A joiner may hold next to nothing yet: what it lacks is not absent.
      if (readMembers(config).includes(this.#context.self)) this.reads.one(waiting);
      else waiting.redirect(hint);
    } else if (operation.read === 'quorum' && operation.body.kind === 'get') {
      this.quorumReads.begin(waiting);
    } else if (config.primary === this.#context.self) {
      this.reads.strong(waiting);
    } else {
      waiting.redirect(hint);
    }
  }

  /** The primary serves from now on. */
  resume(): void {
    this.writes.resume();
    this.reads.resume();
  }

  /** This node is no primary any more. What is logged may or may not be committed by the next. */
  stepDown(): void {
    const { hint } = this.#owner;
    for (const waiting of this.writes.takeQueue()) waiting.redirect(hint);
    for (const waiting of this.reads.takeQueue()) waiting.redirect(hint);
    this.writes.abandonLogged(hint);
  }

  /** This node holds the shard no longer. */
  abandonReads(): void {
    const { hint } = this.#owner;
    this.reads.abandon(hint);
    this.quorumReads.abandon(hint);
  }

  #write(waiting: WaitingOperation): void {
    const { operation } = waiting;
    const { config, hint, orphans } = this.#owner;
    if (operation === undefined || !isWrite(operation.body)) return;
    if (this.#mayStrand(waiting)) orphans.accept(waiting, operation, operation.body);
    else if (config?.primary === this.#context.self) this.writes.submit(waiting);
    else waiting.redirect(hint);
  }

  /** Whether a write is taken without the primary, because that is out of reach for now. */
  #mayStrand({ operation }: WaitingOperation): boolean {
    if (operation?.durability !== 'one' || operation.noAutonomous) return false;
    if (!isWrite(operation.body) || operation.body.condition.kind !== 'always') return false;
    const { config, primary } = this.#owner;
    if (config === undefined) return false;
    if (config.primary !== this.#context.self) return !this.#context.isAlive(config.primary);
    return primary?.isActive !== true && primary?.hasLiveQuorum !== true;
  }
}
