import {
  answerBytes,
  failedResult,
  LIMITS,
  type Answer,
  type ClientMessage,
  type NodeId,
  type Operation,
  type ShardId,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { LocalOperation } from '../shards/shards-io.ts';
import { failedAnswer } from './failed-answer.ts';
import type { GatewayEffect, GatewayLimits } from './gateway-io.ts';
import { type MessageBounds, MessageParts } from './message-parts.ts';
import { answerWeight, operationWeight } from './message-weight.ts';
import { isWrite } from './operation-route.ts';
import type { Asker } from './operations-under-way.ts';

/** An answer with the rest of its message around it must fit into one. */
const ANSWER_BYTES_MAX = LIMITS.operationsBytesMax - 1_024;

/** What one step of the gateway causes, gathered so that each destination gets one message. */
export class GatewayOutbox {
  readonly #bounds: MessageBounds;
  #local: LocalOperation[] = [];
  /** Shards that are written to by the first so many of `#local`. */
  #written = new Set<ShardId>();
  #writtenBy = 0;
  // Each step takes new ones: a map that is cleared points from what it held before to what it holds
  // now, so that one which has come into the old generation keeps the answers of all later steps.
  #forwards = new Map<NodeId, MessageParts<Operation>>();
  #clientAnswers = new Map<LinkId, MessageParts<Answer>>();
  #peerAnswers = new Map<NodeId, MessageParts<Answer>>();
  /** Pings that are to be answered once everything before them has been said. */
  readonly #pongs = new Map<LinkId, number>();
  #effects: GatewayEffect[] = [];

  constructor({ messageBytes }: GatewayLimits) {
    this.#bounds = { countMax: LIMITS.operationsMax, bytesMax: messageBytes };
  }

  /** At once, in front of whatever is gathered. */
  emit(effect: GatewayEffect): void {
    this.#effects.push(effect);
  }

  send(link: LinkId, message: ClientMessage): void {
    this.emit({ kind: 'clientSend', link, message });
  }

  carryOut(operation: LocalOperation): void {
    this.#local.push(operation);
  }

  /** Whether anything that is gathered writes to the shard. */
  writesTo(shard: ShardId): boolean {
    // Looked through only when somebody asks: most steps only write, or only read.
    for (; this.#writtenBy < this.#local.length; this.#writtenBy += 1) {
      const { operation } = this.#local[this.#writtenBy] as LocalOperation;
      if (isWrite(operation.body)) this.#written.add(operation.shard);
    }
    return this.#written.has(shard);
  }

  forward(to: NodeId, operation: Operation): void {
    this.#partsFor(this.#forwards, to).add(operation, operationWeight(operation));
  }

  pong(link: LinkId, token: number): void {
    this.#pongs.set(link, token);
  }

  answer(asker: Asker, answer: Answer): void {
    const bytes = answerWeight(answer);
    if (bytes > ANSWER_BYTES_MAX && answerBytes(answer) > ANSWER_BYTES_MAX) {
      const problem = 'its answer is larger than one message may be; ask for less at a time';
      this.answer(asker, failedAnswer(answer, failedResult('BAD_REQUEST', { problem })));
      return;
    }
    switch (asker.kind) {
      case 'client':
        this.#partsFor(this.#clientAnswers, asker.link).add(answer, bytes);
        break;
      case 'peer':
        this.#partsFor(this.#peerAnswers, asker.peer).add(answer, bytes);
        break;
      case 'request':
        this.emit({ kind: 'reply', request: asker.request, answer });
        break;
    }
  }

  /** Nobody is at the other end any more. */
  forgetClient(link: LinkId): void {
    this.#clientAnswers.delete(link);
    this.#pongs.delete(link);
  }

  forgetPeer(peer: NodeId): void {
    this.#peerAnswers.delete(peer);
  }

  /** A pong confirms what was said before it, so it waits behind feeds that are held back. */
  sendPongs(isHeld: (link: LinkId) => boolean, wallMs: () => number): void {
    if (this.#pongs.size === 0) return;
    for (const [link, token] of this.#pongs) {
      if (isHeld(link)) continue;
      this.#pongs.delete(link);
      this.send(link, { type: 'clientPong', token, wallMs: wallMs() });
    }
  }

  flushAnswersTo(link: LinkId): void {
    const gathered = this.#clientAnswers.get(link);
    if (gathered === undefined) return;
    this.#clientAnswers.delete(link);
    this.#sendAnswers(link, gathered);
  }

  /** Everything that is gathered leaves, but for pongs. */
  flush(): void {
    this.#flushLocal();
    if (this.#forwards.size > 0) {
      for (const [to, { parts }] of this.#forwards) {
        for (const operations of parts) this.emit({ kind: 'forward', to, operations });
      }
      this.#forwards = new Map();
    }
    if (this.#peerAnswers.size > 0) {
      for (const [to, { parts }] of this.#peerAnswers) {
        for (const answers of parts) this.emit({ kind: 'answer', to, answers });
      }
      this.#peerAnswers = new Map();
    }
    if (this.#clientAnswers.size > 0) {
      for (const [link, gathered] of this.#clientAnswers) this.#sendAnswers(link, gathered);
      this.#clientAnswers = new Map();
    }
  }

  take(): readonly GatewayEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #flushLocal(): void {
    if (this.#local.length === 0) return;
    this.emit({ kind: 'local', operations: this.#local });
    this.#local = [];
    if (this.#written.size > 0) this.#written = new Set();
    this.#writtenBy = 0;
  }

  #sendAnswers(link: LinkId, { parts }: MessageParts<Answer>): void {
    for (const answers of parts) this.send(link, { type: 'answers', answers });
  }

  #partsFor<K, T>(byDestination: Map<K, MessageParts<T>>, to: K): MessageParts<T> {
    let parts = byDestination.get(to);
    if (parts === undefined) {
      parts = new MessageParts<T>(this.#bounds);
      byDestination.set(to, parts);
    }
    return parts;
  }
}
