import {
  answerBytes,
  failedResult,
  LIMITS,
  type Answer,
  type ClientMessage,
  type NodeId,
  type Operation,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { LocalOperation } from '../shards/shards-io.ts';
import { failedAnswer } from './failed-answer.ts';
import type { GatewayEffect, GatewayLimits } from './gateway-io.ts';
import { answerWeight, operationWeight, partsOf } from './message-weight.ts';
import type { Asker } from './operations-under-way.ts';

/** An answer with the rest of its message around it must fit into one. */
const ANSWER_BYTES_MAX = LIMITS.operationsBytesMax - 1_024;

/** What one step of the gateway causes, gathered so that each destination gets one message. */
export class GatewayOutbox {
  readonly #limits: GatewayLimits;
  #local: LocalOperation[] = [];
  readonly #forwards = new Map<NodeId, Operation[]>();
  readonly #clientAnswers = new Map<LinkId, Answer[]>();
  readonly #peerAnswers = new Map<NodeId, Answer[]>();
  /** Pings that are to be answered once everything before them has been said. */
  readonly #pongs = new Map<LinkId, number>();
  #effects: GatewayEffect[] = [];

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
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

  forward(to: NodeId, operation: Operation): void {
    pushTo(this.#forwards, to, operation);
  }

  pong(link: LinkId, token: number): void {
    this.#pongs.set(link, token);
  }

  answer(asker: Asker, answer: Answer): void {
    const fits =
      answerWeight(answer) <= ANSWER_BYTES_MAX || answerBytes(answer) <= ANSWER_BYTES_MAX;
    if (!fits) {
      const problem = 'its answer is larger than one message may be; ask for less at a time';
      this.answer(asker, failedAnswer(answer, failedResult('BAD_REQUEST', { problem })));
      return;
    }
    switch (asker.kind) {
      case 'client':
        pushTo(this.#clientAnswers, asker.link, answer);
        break;
      case 'peer':
        pushTo(this.#peerAnswers, asker.peer, answer);
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
    for (const [link, token] of this.#pongs) {
      if (isHeld(link)) continue;
      this.#pongs.delete(link);
      this.send(link, { type: 'clientPong', token, wallMs: wallMs() });
    }
  }

  flushAnswersTo(link: LinkId): void {
    const gathered = this.#clientAnswers.get(link) ?? [];
    this.#clientAnswers.delete(link);
    for (const answers of partsOf(gathered, answerWeight, this.#bounds)) {
      this.send(link, { type: 'answers', answers });
    }
  }

  /** Everything that is gathered leaves, but for pongs. */
  flush(): void {
    if (this.#local.length > 0) this.emit({ kind: 'local', operations: this.#local });
    this.#local = [];
    for (const [to, gathered] of this.#forwards) {
      for (const operations of partsOf(gathered, operationWeight, this.#bounds)) {
        this.emit({ kind: 'forward', to, operations });
      }
    }
    this.#forwards.clear();
    for (const [to, gathered] of this.#peerAnswers) {
      for (const answers of partsOf(gathered, answerWeight, this.#bounds)) {
        this.emit({ kind: 'answer', to, answers });
      }
    }
    this.#peerAnswers.clear();
    for (const link of [...this.#clientAnswers.keys()]) this.flushAnswersTo(link);
  }

  take(): readonly GatewayEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get #bounds(): { readonly countMax: number; readonly bytesMax: number } {
    return { countMax: LIMITS.operationsMax, bytesMax: this.#limits.messageBytes };
  }
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
