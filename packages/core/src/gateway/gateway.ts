import {
  answerBytes,
  failedResult,
  LIMITS,
  type Answer,
  type ClientHello,
  type ClientMessage,
  type ClientRefused,
  type ClusterId,
  type FailedResult,
  type NodeId,
  type Operation,
  type ShardConfig,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import { after, earliest, type Instant, type Machine } from '../machine.ts';
import type { LocalOperation } from '../shards/shards-io.ts';
import { admit } from './admission.ts';
import { shownResult } from './shown-result.ts';
import type { ClientSession } from './client-session.ts';
import { failedAnswer } from './failed-answer.ts';
import { Feeds } from './feeds.ts';
import type {
  GatewayEffect,
  GatewayInput,
  GatewayLimits,
  GatewayOptions,
  LocalAnswer,
} from './gateway-io.ts';
import { answerWeight, operationWeight, partsOf } from './message-weight.ts';
import { routeOf, routeOfForwarded, type OperationRoute } from './operation-route.ts';
import { OperationsUnderWay, type Asker, type UnderWay } from './operations-under-way.ts';
import { PlacementTable } from './placement-table.ts';

/** An answer with the rest of its message around it must fit into one. */
const ANSWER_BYTES_MAX = LIMITS.operationsBytesMax - 1_024;

/**
 * A node's front door: lets clients in, takes their operations to where they can be answered, and
 * feeds them what changes. Every operation is answered exactly once. See DESIGN.md.
 */
export class Gateway implements Machine<GatewayInput, GatewayEffect> {
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #clients = new Map<LinkId, ClientSession>();
  readonly #greeting = new Set<ClientSession>();
  readonly #leaving = new Set<ClientSession>();
  readonly #underWay: OperationsUnderWay;
  readonly #placement = new PlacementTable();
  readonly #feeds: Feeds;
  #clusterId: ClusterId | undefined;
  #draining: 'shuttingDown' | 'draining' | undefined;
  // Gathered during one step, so that each destination gets one message.
  #local: LocalOperation[] = [];
  readonly #forwards = new Map<NodeId, Operation[]>();
  readonly #clientAnswers = new Map<LinkId, Answer[]>();
  /** Pings that are to be answered once everything before them has been said. */
  readonly #pongs = new Map<LinkId, number>();
  readonly #peerAnswers = new Map<NodeId, Answer[]>();
  #effects: GatewayEffect[] = [];

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#underWay = new OperationsUnderWay(options.limits);
    this.#feeds = new Feeds({
      limits: options.limits,
      appliedIndex: options.appliedIndex,
      emit: (effect) => this.#effects.push(effect),
    });
  }

  get wakeAt(): Instant | undefined {
    // Everybody gets the same time to say hello, so the first who came is the first who is late.
    const [oldest] = this.#greeting;
    return earliest(this.#underWay.wakeAt, oldest?.helloDeadline);
  }

  /** Clients that were let in. */
  get clientCount(): number {
    return this.#clients.size - this.#greeting.size;
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
        this.#clusterId = input.clusterId;
        break;
      case 'clientAccepted':
        this.#accepted(now, input.link, input.remote);
        break;
      case 'clientClosed':
        this.#closed(input.link);
        break;
      case 'clientReceived':
        this.#received(now, input.link, input.message);
        break;
      case 'clientGarbage':
        this.#refuse(input.link, 'badMessage', input.problem);
        break;
      case 'clientPressure':
        this.#pressure(input.link, input.bufferedBytes);
        break;
      case 'request':
        this.#request(now, input);
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
        if (this.#placement.setNodes(input.nodes, input.coordinator)) this.#tellPlacement([]);
        break;
      case 'peerUp':
        this.#placement.connected(input.peer, true);
        break;
      case 'peerReset':
        this.#peerReset(input.peer);
        break;
      case 'drain':
        this.#drain(input.reason);
        break;
    }
    return this.#take();
  }

  wake(now: Instant): readonly GatewayEffect[] {
    for (const late of this.#underWay.takeDue(now)) {
      const applied = late.write ? 'unknown' : 'no';
      this.#answer(late, failedResult('TIMEOUT', { timeoutMs: late.timeoutMs }, { applied }));
    }
    for (const { link, helloDeadline } of [...this.#greeting]) {
      if (helloDeadline > now) break;
      this.#refuse(link, 'badMessage', 'The client did not introduce itself in time.');
    }
    return this.#take();
  }

  /** Answers everything that waits and hangs up on everybody: this node stops. */
  abandon(): readonly GatewayEffect[] {
    for (const left of this.#underWay.takeAll()) {
      const applied = left.write ? 'unknown' : 'no';
      this.#answer(left, failedResult('SHUTTING_DOWN', {}, { applied }));
    }
    const effects = [...this.#take()];
    for (const { link } of [...this.#clients.values()]) {
      this.#closed(link);
      effects.push(...this.#take(), { kind: 'clientHangUp', link });
    }
    return effects;
  }

  // Clients.

  #accepted(now: Instant, link: LinkId, remote: string): void {
    const helloDeadline = after(now, this.#limits.helloMsMax);
    const client: ClientSession = { link, remote, helloDeadline, stage: 'greeting', paused: false };
    this.#clients.set(link, client);
    this.#greeting.add(client);
    if (this.#clients.size <= this.#limits.clientsMax) return;
    const detail = `${this.#limits.clientsMax} clients are connected already.`;
    this.#refuse(link, 'overloaded', detail);
  }

  #closed(link: LinkId): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    this.#clients.delete(link);
    this.#greeting.delete(client);
    this.#leaving.delete(client);
    this.#clientAnswers.delete(link);
    this.#underWay.forget(link);
    this.#feeds.forget(link);
    this.#pongs.delete(link);
    if (client.stage === 'greeting') return;
    this.#effects.push({ kind: 'event', event: { name: 'client.disconnected', link } });
  }

  #received(now: Instant, link: LinkId, message: ClientMessage): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    if (client.stage === 'greeting') {
      if (message.type === 'clientHello') this.#greet(client, message);
      else this.#refuse(link, 'badMessage', `"${message.type}" before "clientHello".`);
      return;
    }
    switch (message.type) {
      case 'operations':
        for (const operation of message.operations) {
          this.#begin(now, { kind: 'client', link }, operation);
        }
        break;
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
        this.#pongs.set(link, message.token);
        break;
      case 'clientPong':
        break;
      case 'clientBye':
        this.#beginLeaving(client);
        break;
      default:
        this.#refuse(link, 'badMessage', `"${message.type}" is nothing that a client says here.`);
    }
  }

  #greet(client: ClientSession, hello: ClientHello): void {
    const { protocolMin, protocolMax, self, generation, wallMs } = this.#options;
    const { link, remote } = client;
    if (hello.protocolMin > protocolMax || hello.protocolMax < protocolMin) {
      const detail =
        `The client speaks protocol ${hello.protocolMin} to ${hello.protocolMax}, this node ` +
        `${protocolMin} to ${protocolMax}: upgrade the older of the two.`;
      this.#refuse(link, 'protocol', detail);
      return;
    }
    if (this.#clusterId === undefined || this.#placement.shardCount === 0) {
      const detail = 'This node belongs to no cluster whose shards have owners yet.';
      this.#refuse(link, 'notFounded', detail);
      return;
    }
    if (this.#draining !== undefined) {
      this.#refuse(link, 'shuttingDown', 'This node takes no new clients: it is about to stop.');
      return;
    }
    client.stage = 'open';
    this.#greeting.delete(client);
    this.#send(link, {
      type: 'clientWelcome',
      protocol: Math.min(hello.protocolMax, protocolMax),
      clusterId: this.#clusterId,
      nodeId: self,
      generation,
      wallMs: wallMs(),
      shardCount: this.#placement.shardCount,
      windowBytes: this.#limits.windowBytes,
    });
    this.#send(link, this.#placement.whole());
    const named = `${hello.name} ${hello.version}`;
    this.#effects.push({
      kind: 'event',
      event: { name: 'client.connected', link, remote, client: named },
    });
  }

  /** Says why, then hangs up. What it asked is forgotten: it will hear no answer. */
  #refuse(link: LinkId, reason: ClientRefused['reason'], detail: string): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { protocolMin, protocolMax } = this.#options;
    this.#flushAnswersTo(link);
    this.#send(link, { type: 'clientRefused', reason, protocolMin, protocolMax, detail });
    this.#effects.push({
      kind: 'event',
      event: { name: 'client.refused', link, remote: client.remote, detail },
    });
    this.#closed(link);
    this.#effects.push({ kind: 'clientHangUp', link });
  }

  #pressure(link: LinkId, bufferedBytes: number): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { pauseBytes, resumeBytes, hangUpBytes } = this.#limits;
    if (bufferedBytes >= hangUpBytes) {
      const detail = `The client left ${bufferedBytes} bytes of answers unread.`;
      this.#refuse(link, 'overloaded', detail);
      return;
    }
    this.#feeds.hold(link, bufferedBytes >= resumeBytes);
    const paused = client.paused ? bufferedBytes >= resumeBytes : bufferedBytes >= pauseBytes;
    if (paused === client.paused) return;
    client.paused = paused;
    this.#effects.push({ kind: 'clientPause', link, paused });
  }

  // Operations.

  #request(now: Instant, { request, operation }: Extract<GatewayInput, { kind: 'request' }>): void {
    this.#begin(now, { kind: 'request', request }, operation);
  }

  #begin(now: Instant, asker: Asker, operation: Operation): void {
    if (this.#draining !== undefined) {
      this.#answerAtOnce(asker, operation, failedResult('SHUTTING_DOWN', {}));
      return;
    }
    const route = routeOf(operation, this.#options.self, this.#placement);
    if (route.kind === 'failed') {
      this.#dispatch(now, { asker, operation, route });
      return;
    }
    const admitted = admit(operation, this.#options.rules, this.#placement.shardCount);
    if (admitted.kind === 'failed') this.#answerAtOnce(asker, operation, admitted.failure);
    else this.#dispatch(now, { asker, operation: admitted.operation, route });
  }

  #forwarded(now: Instant, from: NodeId, operations: readonly Operation[]): void {
    const asker: Asker = { kind: 'peer', peer: from };
    for (const operation of operations) {
      const route = routeOfForwarded(operation, this.#options.self, this.#placement);
      this.#dispatch(now, { asker, operation, route });
    }
  }

  #dispatch(
    now: Instant,
    { asker, operation, route }: { asker: Asker; operation: Operation; route: OperationRoute },
  ): void {
    if (route.kind === 'failed') {
      this.#answerAtOnce(asker, operation, route.result);
      return;
    }
    const overload = this.#underWay.overloadOf(asker, operation);
    if (overload !== undefined) {
      this.#answerAtOnce(asker, operation, failedResult('OVERLOADED', overload));
      return;
    }
    const timeoutMs = Math.min(operation.timeoutMs, this.#limits.operationMsMax);
    const to = route.kind === 'forward' ? route.to : undefined;
    const deadline = after(now, timeoutMs);
    const { token } = this.#underWay.begin({ ...operation, timeoutMs }, { asker, deadline, to });
    if (to === undefined) this.#local.push({ token, operation });
    else pushTo(this.#forwards, to, { ...operation, id: token, timeoutMs });
  }

  #answerAtOnce(asker: Asker, operation: Operation, result: FailedResult): void {
    this.#deliver(asker, failedAnswer(operation, result));
  }

  #answer({ asker, id, shard }: UnderWay, result: FailedResult): void {
    this.#deliver(asker, failedAnswer({ id, shard }, result));
  }

  #deliver(asker: Asker, answer: Answer): void {
    const fits =
      answerWeight(answer) <= ANSWER_BYTES_MAX || answerBytes(answer) <= ANSWER_BYTES_MAX;
    if (!fits) {
      const problem = 'its answer is larger than one message may be; ask for less at a time';
      this.#deliver(asker, failedAnswer(answer, failedResult('BAD_REQUEST', { problem })));
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
        this.#effects.push({ kind: 'reply', request: asker.request, answer });
        break;
    }
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
    // A peer passes it on to its own caller, and shows it there.
    const result =
      asker.kind === 'peer'
        ? answer.result
        : shownResult(answer.result, this.#options.rules, schemaVersion);
    this.#deliver(asker, { ...answer, id, result });
  }

  /** What a peer asked, nobody hears any more; what it was asked, it may never answer. */
  #peerReset(peer: NodeId): void {
    this.#placement.connected(peer, false);
    this.#underWay.forget(peer);
    this.#peerAnswers.delete(peer);
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
    if (changed.length > 0) this.#tellPlacement(changed);
  }

  #tellPlacement(changed: readonly ShardConfig[]): void {
    const open = [...this.#clients.values()].filter(({ stage }) => stage === 'open');
    if (open.length === 0) return;
    const message = this.#placement.changed(changed);
    for (const { link } of open) this.#send(link, message);
  }

  // Ending.

  #drain(reason: 'shuttingDown' | 'draining'): void {
    if (this.#draining !== undefined) return;
    this.#draining = reason;
    for (const client of [...this.#clients.values()]) {
      if (client.stage === 'greeting') {
        this.#refuse(client.link, 'shuttingDown', 'This node is about to stop.');
        continue;
      }
      this.#send(client.link, { type: 'clientBye', reason });
      this.#beginLeaving(client);
    }
  }

  #beginLeaving(client: ClientSession): void {
    client.stage = 'leaving';
    this.#leaving.add(client);
    this.#feeds.forget(client.link);
  }

  /** Clients that said goodbye, or were told so, go when their last answer has been given. */
  #letGo(): void {
    for (const { link } of [...this.#leaving]) {
      if (this.#underWay.countOf(link) > 0) continue;
      this.#closed(link);
      this.#effects.push({ kind: 'clientHangUp', link });
    }
  }

  // Bookkeeping.

  #send(link: LinkId, message: ClientMessage): void {
    this.#effects.push({ kind: 'clientSend', link, message });
  }

  /** A pong confirms what was said before it, so it waits behind feeds that are held back. */
  #sendPongs(): void {
    for (const [link, token] of this.#pongs) {
      if (this.#feeds.isHeld(link)) continue;
      this.#pongs.delete(link);
      this.#send(link, { type: 'clientPong', token });
    }
  }

  #take(): readonly GatewayEffect[] {
    this.#feeds.pump();
    this.#sendPongs();
    this.#flushOperations();
    for (const link of [...this.#clientAnswers.keys()]) this.#flushAnswersTo(link);
    this.#letGo();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #flushOperations(): void {
    if (this.#local.length > 0) this.#effects.push({ kind: 'local', operations: this.#local });
    this.#local = [];
    const bounds = { countMax: LIMITS.operationsMax, bytesMax: this.#limits.messageBytes };
    for (const [to, gathered] of this.#forwards) {
      for (const operations of partsOf(gathered, operationWeight, bounds)) {
        this.#effects.push({ kind: 'forward', to, operations });
      }
    }
    this.#forwards.clear();
    for (const [to, gathered] of this.#peerAnswers) {
      for (const answers of partsOf(gathered, answerWeight, bounds)) {
        this.#effects.push({ kind: 'answer', to, answers });
      }
    }
    this.#peerAnswers.clear();
  }

  #flushAnswersTo(link: LinkId): void {
    const gathered = this.#clientAnswers.get(link) ?? [];
    this.#clientAnswers.delete(link);
    const bounds = { countMax: LIMITS.operationsMax, bytesMax: this.#limits.messageBytes };
    for (const answers of partsOf(gathered, answerWeight, bounds)) {
      this.#send(link, { type: 'answers', answers });
    }
  }
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
