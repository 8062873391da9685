import {
  failedResult,
  type Answer,
  type ClientMessage,
  type FailedResult,
  type NodeId,
  type Operation,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import { after, earliest, type Instant, type Machine } from '../machine.ts';
import { admit } from './admission.ts';
import { failedAnswer } from './failed-answer.ts';
import { Feeds } from './feeds.ts';
import { FrontDoor } from './front-door.ts';
import type {
  GatewayEffect,
  GatewayInput,
  GatewayLimits,
  GatewayOptions,
  LocalAnswer,
} from './gateway-io.ts';
import { GatewayOutbox } from './gateway-outbox.ts';
import { isWrite, routeOf, routeOfForwarded, type OperationRoute } from './operation-route.ts';
import { OperationsUnderWay, type Asker, type UnderWay } from './operations-under-way.ts';
import { PlacementTable } from './placement-table.ts';
import { shownResult } from './shown-result.ts';

interface Dispatched {
  readonly asker: Asker;
  readonly operation: Operation;
  readonly route: OperationRoute;
  /** Its entry was decoded and encoded here. */
  readonly admitted?: boolean;
}

/**
 * A node's front door: lets clients in, takes their operations to where they can be answered, and
 * feeds them what changes. Every operation is answered exactly once. See DESIGN.md.
 */
export class Gateway implements Machine<GatewayInput, GatewayEffect> {
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #outbox: GatewayOutbox;
  readonly #underWay: OperationsUnderWay;
  readonly #placement = new PlacementTable();
  readonly #feeds: Feeds;
  readonly #door: FrontDoor;
  readonly #isHeld = (link: LinkId): boolean => this.#feeds.isHeld(link);

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = options.limits;
    const outbox = new GatewayOutbox(options.limits);
    this.#outbox = outbox;
    this.#underWay = new OperationsUnderWay(options.limits);
    this.#feeds = new Feeds({
      limits: options.limits,
      appliedIndex: options.appliedIndex,
      changesAfter: options.changesAfter,
      emit: (effect) => outbox.emit(effect),
    });
    this.#door = new FrontDoor(options, {
      outbox,
      underWay: this.#underWay,
      placement: this.#placement,
      feeds: this.#feeds,
    });
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#underWay.wakeAt, this.#door.wakeAt);
  }

  /** Clients that were let in. */
  get clientCount(): number {
    return this.#door.count;
  }

  get feedCount(): number {
    return this.#feeds.count;
  }

  /** Operations that wait for an answer. */
  get operationCount(): number {
    return this.#underWay.count;
  }

  get operationBytes(): number {
    return this.#underWay.bytes;
  }

  step(now: Instant, input: GatewayInput): readonly GatewayEffect[] {
    switch (input.kind) {
      case 'founded':
        this.#door.founded(input.clusterId);
        break;
      case 'clientAccepted':
        this.#door.accepted(now, input.link, input.remote);
        break;
      case 'clientClosed':
        this.#door.closed(input.link);
        break;
      case 'clientReceived':
        this.#received(now, input.link, input.message);
        break;
      case 'clientGarbage':
        this.#door.refuse(input.link, 'badMessage', input.problem);
        break;
      case 'clientPressure':
        this.#door.pressure(input.link, input.bufferedBytes);
        break;
      case 'request':
        this.#begin(now, { kind: 'request', request: input.request }, input.operation);
        break;
      case 'forwarded':
        this.#forwarded(now, input.from, input.operations);
        break;
      case 'answered':
        this.#answered(input.from, input.answers);
        break;
      case 'local':
        this.#answeredHere(input.answers);
        break;
      case 'applied':
        this.#feeds.applied(input.changes);
        break;
      case 'placement':
        this.#placed(input);
        break;
      case 'nodes':
        if (this.#placement.setNodes(input.nodes, input.coordinator)) this.#door.tellPlacement([]);
        break;
      case 'peerUp':
        this.#placement.connected(input.peer, true);
        break;
      case 'peerReset':
        this.#peerReset(input.peer);
        break;
      case 'drain':
        this.#door.close(input.reason);
        break;
    }
    return this.#take();
  }

  wake(now: Instant): readonly GatewayEffect[] {
    for (const late of this.#underWay.takeDue(now)) {
      const applied = late.write ? 'unknown' : 'no';
      this.#answer(late, failedResult('TIMEOUT', { timeoutMs: late.timeoutMs }, { applied }));
    }
    this.#door.wake(now);
    return this.#take();
  }

  /** Answers everything that waits and hangs up on everybody: this node stops. */
  abandon(): readonly GatewayEffect[] {
    for (const left of this.#underWay.takeAll()) {
      const applied = left.write ? 'unknown' : 'no';
      this.#answer(left, failedResult('SHUTTING_DOWN', {}, { applied }));
    }
    const effects = [...this.#take()];
    for (const link of this.#door.links) {
      this.#door.closed(link);
      effects.push(...this.#take(), { kind: 'clientHangUp', link });
    }
    return effects;
  }

  // Clients.

  #received(now: Instant, link: LinkId, message: ClientMessage): void {
    const client = this.#door.get(link);
    if (client === undefined) return;
    if (client.stage === 'greeting') {
      this.#door.greeted(client, message);
      return;
    }
    switch (message.type) {
      case 'operations': {
        const asker: Asker = { kind: 'client', link };
        for (const operation of message.operations) this.#begin(now, asker, operation);
        break;
      }
      case 'feedOpen':
        this.#feeds.open(link, message);
        break;
      case 'feedClose':
        this.#feeds.close(link, message.feed);
        break;
      case 'feedCredit':
        this.#feeds.credit(link, message.bytes);
        break;
      case 'clientPing':
        this.#outbox.pong(link, message.token);
        break;
      case 'clientPong':
        break;
      case 'clientBye':
        this.#door.beginLeaving(client);
        break;
      default:
        this.#door.refuse(
          link,
          'badMessage',
          `"${message.type}" is nothing that a client says here.`,
        );
    }
  }

  // Operations.

  #begin(now: Instant, asker: Asker, operation: Operation): void {
    if (this.#door.isClosing) {
      this.#refuse(asker, operation, failedResult('SHUTTING_DOWN', {}));
      return;
    }
    const route = routeOf(operation, this.#options.self, this.#placement);
    if (route.kind === 'failed' || !isWrite(operation.body)) {
      this.#dispatch(now, { asker, operation, route });
      return;
    }
    const admitted = admit(operation, this.#options.rules, this.#placement.shardCount);
    if (admitted.kind === 'failed') this.#refuse(asker, operation, admitted.failure);
    else this.#dispatch(now, { asker, operation: admitted.operation, route, admitted: true });
  }

  #forwarded(now: Instant, from: NodeId, operations: readonly Operation[]): void {
    const asker: Asker = { kind: 'peer', peer: from };
    for (const operation of operations) {
      const route = routeOfForwarded(operation, this.#options.self, this.#placement);
      this.#dispatch(now, { asker, operation, route });
    }
  }

  #dispatch(now: Instant, { asker, operation, route, admitted = false }: Dispatched): void {
    if (route.kind === 'failed') {
      this.#refuse(asker, operation, route.result);
      return;
    }
    const overload = this.#underWay.overloadOf(asker, operation);
    if (overload !== undefined) {
      this.#refuse(asker, operation, failedResult('OVERLOADED', overload));
      return;
    }
    if (route.kind === 'local' && this.#answeredAtOnce(now, asker, operation)) return;
    const timeoutMs = Math.min(operation.timeoutMs, this.#limits.operationMsMax);
    const to = route.kind === 'forward' ? route.to : undefined;
    const deadline = after(now, timeoutMs);
    const { token } = this.#underWay.begin(operation, { asker, deadline, to, timeoutMs });
    if (to === undefined) this.#outbox.carryOut({ token, operation, admitted });
    else this.#outbox.forward(to, { ...operation, id: token, timeoutMs });
  }

  /**
   * Most reads wait for nothing, and so need no place among what is under way. Not before what came
   * earlier in the same message for the same shard: a caller may expect its own order.
   */
  #answeredAtOnce(now: Instant, asker: Asker, operation: Operation): boolean {
    if (operation.body.kind !== 'get' || this.#outbox.writesTo(operation.shard)) return false;
    const answer = this.#options.answerAtOnce(now, operation);
    if (answer === undefined) return false;
    this.#underWay.passing(operation);
    this.#show(asker, answer, operation.schemaVersion);
    return true;
  }

  #refuse(asker: Asker, operation: Operation, result: FailedResult): void {
    this.#outbox.answer(asker, failedAnswer(operation, result));
  }

  #answer({ asker, id, shard }: UnderWay, result: FailedResult): void {
    this.#outbox.answer(asker, failedAnswer({ id, shard }, result));
  }

  /** One answer too late, or twice, or to somebody else's question finds nobody waiting. */
  #answered(from: NodeId, answers: readonly Answer[]): void {
    for (const answer of answers) {
      if (this.#underWay.get(answer.id)?.forwardedTo !== from) continue;
      this.#finish(answer.id, answer);
    }
  }

  #answeredHere(answers: readonly LocalAnswer[]): void {
    for (const { token, answer } of answers) this.#finish(token, answer);
  }

  #finish(token: number, answer: Answer): void {
    const underWay = this.#underWay.finish(token);
    if (underWay === undefined) return;
    const { asker, id, schemaVersion } = underWay;
    const { shard, position, result, unknownFields } = answer;
    // Nearly every answer is of this version: a literal of four costs less than a copy of anything.
    const own: Answer = { id, shard, position, result };
    this.#show(asker, unknownFields === undefined ? own : { ...own, unknownFields }, schemaVersion);
  }

  /** Answers with entries in the version of their schema that the caller knows. */
  #show(asker: Asker, answer: Answer, schemaVersion: number | undefined): void {
    // A peer passes it on to its own caller, and shows it there.
    const result =
      asker.kind === 'peer'
        ? answer.result
        : shownResult(answer.result, this.#options.rules, schemaVersion);
    this.#outbox.answer(asker, result === answer.result ? answer : { ...answer, result });
  }

  /** What a peer asked, nobody hears any more; what it was asked, it may never answer. */
  #peerReset(peer: NodeId): void {
    this.#placement.connected(peer, false);
    this.#underWay.forget(peer);
    this.#outbox.forgetPeer(peer);
    for (const lost of this.#underWay.takeForwardedTo(peer)) {
      const problem = 'the connection to the node that was to answer is gone';
      const options = { hint: peer, applied: lost.write ? 'unknown' : 'no' } as const;
      const details = { shard: lost.shard, problem };
      this.#answer(lost, failedResult('SHARD_UNAVAILABLE', details, options));
    }
  }

  // Placement.

  #placed({ index, shardCount, changed }: Extract<GatewayInput, { kind: 'placement' }>): void {
    this.#placement.apply(index, shardCount, changed);
    const { self } = this.#options;
    for (const { shard, primary, replicas, next } of changed) {
      const held = primary === self || replicas.includes(self) || next.includes(self);
      if (!held) this.#feeds.moved(shard);
    }
    if (changed.length > 0) this.#door.tellPlacement(changed);
  }

  #take(): readonly GatewayEffect[] {
    this.#underWay.endStep();
    this.#feeds.pump();
    this.#outbox.sendPongs(this.#isHeld, this.#options.wallMs);
    this.#outbox.flush();
    this.#door.letGo();
    return this.#outbox.take();
  }
}
