import { broken } from '#breaks';
import type {
  Envelope,
  Generation,
  GroupEpoch,
  MemberRecord,
  Message,
  NodeId,
} from '@memgrid/protocol';
import type { Links } from './links/links.ts';
import type { LinksEffect, LinksInput } from './links/links-io.ts';
import { earliest, type Instant, type Machine } from './machine.ts';
import { ClockKeeper } from './node/clock-keeper.ts';
import type { ClusterMachine } from './node/cluster-machine.ts';
import type { DataPlane, DataPlaneEffect, DataPlaneInput } from './node/data-plane.ts';
import { EffectQueue } from './node/effect-queue.ts';
import { describeNode, waitingFor, type NodeParts } from './node/describe-node.ts';
import type { ClusterEffect, ClusterInput } from './node/cluster-machine-io.ts';
import { recoveredEntry, type ClusterEntry, type NewEntry } from './node/cluster-entry.ts';
import { ClusterSearch, type SearchEffect } from './node/cluster-search.ts';
import {
  clockBoundOperation,
  identityOperation,
  recoverNode,
  type RecoveredNode,
} from './node/node-records.ts';
import type { NodeMachineOptions, PartEffect } from './node/node-machine-io.ts';
import { clusterOf, dataPlaneOf, envelopeOf, identityOf, linksOf } from './node/node-parts.ts';
import { ownRecord } from './node/own-record.ts';
import { PendingWrites } from './node/pending-writes.ts';
import { PeerBook } from './node/peer-book.ts';
import { Rejections } from './node/rejections.ts';
import type { Surroundings } from './node/seed-search.ts';
import type { NodeEvent } from './node-event.ts';
import type { HaltCode, Identity, NodeEffect, NodeInput, NodeRequest } from './node-io.ts';
import type { RequestId } from './request-id.ts';
import type { StoreOperation } from './store-operation.ts';
import type { NodePhase, NodeStatus } from './node-status.ts';
import type { SchemaRegistry } from './schema-registry/schema-registry.ts';

/**
 * One node: from its data directory to its place in a cluster.
 *
 * Composes the links, the founding, and the cluster machine, and routes between them. Nothing is
 * sent before this process's generation is durable: two lives must never share one number.
 */
export class NodeMachine implements Machine<NodeInput, NodeEffect> {
  readonly #options: NodeMachineOptions;
  readonly #recovered: RecoveredNode;
  readonly #instance: number;
  readonly #clock: ClockKeeper;
  readonly #links: Links;
  readonly #data: DataPlane;
  readonly #rejections: Rejections;
  #identity: Identity;
  #phase: NodePhase = 'starting';
  #started = false;
  #cluster: ClusterMachine | undefined;
  readonly #peers = new PeerBook();
  readonly #search: ClusterSearch;
  readonly #writes = new PendingWrites();
  /** Why this node stopped for good. */
  #end: { readonly code: HaltCode; readonly detail: string } | undefined;
  readonly #inner = new EffectQueue<PartEffect>();
  #out: NodeEffect[] = [];

  /** @throws Error naming the key when a record is damaged. */
  constructor(options: NodeMachineOptions) {
    const { settings, random, now, wallMs } = options;
    this.#options = options;
    const recovered = recoverNode(options.records);
    this.#recovered = recovered;
    this.#identity = identityOf(options, recovered);
    this.#instance = random.split('instance').uint32();
    this.#clock = new ClockKeeper(recovered.clockBoundMs, wallMs, now);
    this.#rejections = new Rejections(settings.seeds);
    this.#search = new ClusterSearch({
      settings,
      peers: this.#peers,
      identity: () => this.#identity,
      surroundings: () => this.#surroundings(),
      random,
    });
    this.#links = linksOf(options, this.#ownRecord(), recovered);
    this.#data = dataPlaneOf(options, this.#identity, this.#clock);
  }

  get wakeAt(): Instant | undefined {
    if (this.#end !== undefined) return undefined;
    if (!this.#started) return this.#options.now;
    let soonest = earliest(this.#links.wakeAt, this.#search.wakeAt);
    soonest = earliest(soonest, this.#cluster?.wakeAt);
    // Nothing about entries leaves, or changes, before this start is durable.
    return this.#phase === 'starting' ? soonest : earliest(soonest, this.#data.wakeAt);
  }

  step(now: Instant, input: NodeInput): readonly NodeEffect[] {
    if (this.#end !== undefined) return this.#refuse(input, this.#end.detail);
    this.#start();
    this.#input(now, input);
    return this.#take(now);
  }

  wake(now: Instant): readonly NodeEffect[] {
    if (this.#end !== undefined) return [];
    this.#start();
    this.#fromLinks(this.#links.wake(now));
    this.#settle(now);
    this.#fromSearch(this.#search.wake(now));
    this.#settle(now);
    if (this.#cluster !== undefined) this.#fromCluster(this.#cluster.wake(now));
    this.#settle(now);
    if (this.#phase !== 'starting') this.#fromData(this.#data.wake(now));
    return this.#take(now);
  }

  /** For the rules of entries, which change with every schema that is defined. */
  get schemas(): SchemaRegistry | undefined {
    return this.#cluster?.view.schemas;
  }

  /** Everything that may be looked at from outside. A copy, built on demand. */
  status(now: Instant): NodeStatus {
    return describeNode(now, this.#parts());
  }

  #parts(): NodeParts {
    return {
      settings: this.#options.settings,
      identity: this.#identity,
      phase: this.#phase,
      cluster: this.#cluster?.view,
      links: this.#links,
      search: this.#search,
      rejections: this.#rejections,
      data: this.#data,
      clock: this.#clock,
    };
  }

  // Starting.

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const boundMs = this.#clock.nextBound();
    const operations = [identityOperation(this.#identity)];
    if (boundMs !== undefined) operations.push(clockBoundOperation(boundMs));
    const begin = (now: Instant): void => {
      if (boundMs !== undefined) this.#clock.boundStored(boundMs);
      this.#begin(now);
    };
    if (broken('identity.generation-before-first-packet')) {
      this.#store(operations, () => undefined);
      begin(this.#options.now);
    } else this.#store(operations, begin);
  }

  /** The generation and a bound of the clock are durable: packets may leave. */
  #begin(now: Instant): void {
    const { clusterId } = this.#identity;
    if (clusterId !== undefined) {
      this.#search.begin(now);
      this.#enterCluster(now, recoveredEntry(clusterId, this.#recovered));
      return;
    }
    this.#phase = 'discovering';
    const { promise } = this.#recovered;
    this.#fromSearch(this.#search.beginAlone(now, this.#ownRecord(), promise));
  }

  #ownRecord(): MemberRecord {
    return ownRecord(this.#options.settings, this.#identity, this.#instance);
  }

  #enterCluster(now: Instant, entry: ClusterEntry): void {
    const { clusterId, control } = entry;
    const cluster = clusterOf(this.#options, entry, { self: this.#ownRecord(), now });
    const { groupEpoch } = cluster.view;
    this.#phase = 'joining';
    this.#toLinks(now, { kind: 'self', clusterId, groupEpoch });
    this.#cluster = cluster;
    this.#toData(now, { kind: 'founded', clusterId });
    this.#fromCluster(cluster.begin(now));
    for (const peer of this.#peers.peers()) this.#announcePeer(now, peer);
    for (const member of control?.members() ?? []) {
      if (member.nodeId === this.#identity.nodeId) continue;
      this.#connect(now, member.address, member.nodeId);
    }
    this.#fromCluster(cluster.wake(now));
  }

  // Inputs.

  #input(now: Instant, input: NodeInput): void {
    switch (input.kind) {
      case 'wallClock':
        this.#tellClock(now, input.wallMs);
        break;
      case 'stored':
        this.#writes.confirmed(now, input.ticket);
        break;
      case 'storeFailed':
        this.#halt(now, 'storeFailed', `The disk refused a write: ${input.problem}`);
        break;
      case 'stalled':
        this.#toCluster(now, input);
        break;
      case 'load':
        this.#readings(now, input.loopLagP99Ms, input.heapPercent);
        break;
      case 'request':
        this.#request(now, input.request, input.body);
        break;
      case 'shutdown':
        this.#shutDown(now);
        break;
      case 'linkAccepted':
        // Before the start is durable there is no identity to shake hands with.
        if (this.#phase === 'starting') this.#out.push({ kind: 'hangUp', link: input.link });
        else this.#toLinks(now, input);
        break;
      case 'clientAccepted':
        if (this.#phase === 'starting') this.#out.push({ kind: 'clientHangUp', link: input.link });
        else this.#toData(now, input);
        break;
      case 'linkOpened':
      case 'linkFailed':
      case 'linkClosed':
      case 'received':
      case 'garbage':
      case 'unknownMessage':
      case 'pressure':
        this.#toLinks(now, input);
        break;
      default:
        this.#toData(now, input);
    }
  }

  #tellClock(now: Instant, wallMs: number): void {
    this.#clock.tell(now, wallMs);
    // A bound that is asked for must be stored: the clock waits for it.
    const boundMs = this.#phase === 'starting' ? undefined : this.#clock.nextBound();
    if (boundMs !== undefined) {
      this.#store([clockBoundOperation(boundMs)], () => this.#clock.boundStored(boundMs));
    }
    for (const event of this.#clock.takeEvents()) this.#publish(event);
  }

  #request(now: Instant, request: RequestId, body: NodeRequest): void {
    if (this.#cluster === undefined) {
      const reply = {
        kind: 'failed',
        reason: 'notFounded',
        detail: waitingFor(this.#parts()),
      } as const;
      this.#out.push({ kind: 'reply', request, reply });
    } else if (body.kind === 'operation') {
      this.#toData(now, { kind: 'request', request, operation: body.operation });
    } else if (body.kind === 'orphans') {
      this.#toData(now, { kind: 'orphans', request, ask: body.ask });
    } else this.#toCluster(now, { kind: 'request', request, body });
  }

  #readings(now: Instant, loopLagP99Ms: number, heapPercent: number): void {
    const readings = {
      loopLagP99Ms,
      heapPercent,
      clockOffsetMs: this.#clock.offsetMs,
      clockSuspect: this.#clock.suspect,
    };
    this.#toCluster(now, { kind: 'readings', readings });
  }

  #shutDown(now: Instant): void {
    if (this.#phase === 'leaving') return;
    const inCluster = this.#cluster !== undefined;
    this.#phase = 'leaving';
    this.#toData(now, { kind: 'drain', reason: 'shuttingDown' });
    if (inCluster) this.#toCluster(now, { kind: 'leave' });
    else this.#finishLeaving(now);
  }

  #finishLeaving(now: Instant): void {
    this.#toLinks(now, { kind: 'close', reason: 'leaving' });
    this.#halt(now, 'left', 'This node left.');
  }

  // Links.

  #toLinks(now: Instant, input: LinksInput): void {
    this.#fromLinks(this.#links.step(now, input));
  }

  #fromLinks(effects: readonly LinksEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'links', effect });
  }

  #handleLinks(now: Instant, effect: LinksEffect): void {
    switch (effect.kind) {
      case 'dial':
      case 'hangUp':
        this.#out.push(effect);
        break;
      case 'transmit':
        this.#out.push({
          kind: 'send',
          link: effect.link,
          envelope: envelopeOf(effect, {
            identity: this.#identity,
            clock: this.#clock,
            controlIndex: this.#cluster?.view.controlIndex ?? 0,
          }),
        });
        break;
      case 'peerUp':
        this.#peerUp(now, effect);
        break;
      case 'peerDown':
        this.#peerDown(now, effect.peer, effect.generation);
        break;
      case 'dialRefused':
      case 'dialFailed':
      case 'newGeneration':
        this.#toCluster(now, effect);
        break;
      case 'reached':
        this.#fromSearch(this.#search.reached(now, effect.address, effect.peer));
        break;
      case 'rejected':
        this.#rejections.note(now, effect);
        this.#giveUpIfRejected(now);
        break;
      case 'message':
        this.#message(now, effect.from, effect.generation, effect.envelope);
        break;
      case 'event':
        this.#publish(effect.event);
        break;
    }
  }

  #peerUp(now: Instant, effect: Extract<LinksEffect, { kind: 'peerUp' }>): void {
    this.#rejections.connected(now, effect.peer);
    this.#peers.add(effect, this.#identity.clusterId);
    this.#announcePeer(now, effect.peer);
    this.#fromSearch(this.#search.peerUp(now, effect));
  }

  #peerDown(now: Instant, peer: NodeId, generation: Generation): void {
    this.#peers.remove(peer);
    this.#rejections.disconnected(now, peer);
    this.#clock.forget(peer);
    this.#fromSearch(this.#search.peerDown(now, peer));
    this.#toCluster(now, { kind: 'peerDown', peer, generation });
    this.#toData(now, { kind: 'peerReset', peer });
  }

  #message(now: Instant, from: NodeId, generation: Generation, envelope: Envelope): void {
    this.#clock.observe(now, from, envelope.timestamp);
    for (const event of this.#clock.takeEvents()) this.#publish(event);
    this.#peers.spokeFor(from, envelope.cluster32);
    this.#announcePeer(now, from);
    const { message } = envelope;
    switch (message.type) {
      case 'discover':
      case 'foundRequest':
      case 'foundResp':
      case 'foundCommit':
        this.#fromSearch(this.#search.message(now, from, message));
        break;
      default:
        if (this.#cluster === undefined) break;
        if (this.#peers.isAnnounced(from)) {
          this.#toCluster(now, { kind: 'message', from, generation, envelope });
        } else {
          const detail = `"${message.type}" from ${from}, which is in no cluster yet.`;
          this.#publish({ name: 'frame.refused', reason: 'unexpected', detail });
        }
    }
  }

  /** Tells the cluster machine about a connected peer of the same cluster, once. */
  #announcePeer(now: Instant, peer: NodeId): void {
    if (this.#cluster === undefined) return;
    const facts = this.#peers.takeNewcomer(peer, this.#identity.clusterId);
    if (facts === undefined) return;
    this.#toCluster(now, { ...facts, kind: 'peerUp' });
    this.#toData(now, { kind: 'peerUp', peer });
  }

  // Finding a cluster.

  #surroundings(): Surroundings {
    const members = this.#cluster?.view.control()?.members ?? [];
    const others = members.filter((member) => member.nodeId !== this.#identity.nodeId);
    const connected = others.filter((member) => this.#links.isConnected(member.nodeId));
    const inCluster = this.#cluster !== undefined;
    return { inCluster, others: others.length, connected: connected.length };
  }

  #connect(now: Instant, address: string, peer: NodeId | undefined): void {
    if (address === this.#options.settings.address && peer !== undefined) return;
    this.#toLinks(now, { kind: 'connect', address, peer });
  }

  #fromSearch(effects: readonly SearchEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'search', effect });
  }

  #handleSearch(now: Instant, effect: SearchEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#deliver(now, effect.to, this.#peers.addressOf(effect.to), effect.body);
        break;
      case 'connect':
        this.#connect(now, effect.address, effect.peer);
        break;
      case 'disconnect':
        this.#toLinks(now, effect);
        break;
      case 'store': {
        const { operations, ticket } = effect;
        this.#store(operations, (at) => this.#fromSearch(this.#search.stored(at, ticket)));
        break;
      }
      case 'enter':
        this.#enterNew(effect.entry);
        break;
      case 'reachedSelf':
        this.#rejections.reachedSelf(effect.address);
        break;
      case 'event':
        this.#publish(effect.event);
        break;
    }
  }

  /** The cluster exists: first on our disk, then for the others. */
  #enterNew(entry: NewEntry): void {
    this.#store(entry.operations, (at) => {
      this.#identity = { ...this.#identity, clusterId: entry.clusterId };
      this.#publish(entry.event);
      this.#enterCluster(at, entry);
      this.#fromSearch(this.#search.entered(entry));
    });
  }

  // Life in the cluster.

  #toCluster(now: Instant, input: ClusterInput): void {
    if (this.#cluster !== undefined) this.#fromCluster(this.#cluster.step(now, input));
  }

  #fromCluster(effects: readonly ClusterEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'cluster', effect });
  }

  #handleCluster(now: Instant, effect: ClusterEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#deliver(now, effect.to, effect.address, effect.message);
        break;
      case 'contact':
        this.#connect(now, effect.address, effect.peer);
        break;
      case 'disconnect':
        this.#toLinks(now, effect);
        break;
      case 'store':
        this.#storeForCluster(effect);
        break;
      case 'reply':
        this.#out.push(effect);
        break;
      case 'data':
        this.#toData(now, { kind: 'message', from: effect.from, body: effect.body });
        break;
      case 'placement':
      case 'nodes':
        this.#toData(now, effect);
        break;
      case 'expelled':
        this.#toLinks(now, effect);
        break;
      case 'regrouped':
        this.#regrouped(now, effect.groupEpoch);
        break;
      case 'gone':
        this.#finishLeaving(now);
        break;
      case 'halt':
        this.#halt(now, effect.code, effect.detail);
        break;
      case 'event':
        this.#publish(effect.event);
        break;
    }
  }

  // Entries.

  #toData(now: Instant, input: DataPlaneInput): void {
    this.#fromData(this.#data.step(now, input));
  }

  #fromData(effects: readonly DataPlaneEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'data', effect });
  }

  #handleData(now: Instant, effect: DataPlaneEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#deliver(now, effect.to, this.#cluster?.view.addressOf(effect.to) ?? '', effect.body);
        break;
      case 'store':
        this.#storeForData(effect);
        break;
      case 'report':
        this.#toCluster(now, { kind: 'reports', reports: effect.reports });
        break;
      case 'event':
        this.#publish(effect.event);
        break;
      default:
        this.#out.push(effect);
    }
  }

  #storeForData(effect: Extract<DataPlaneEffect, { kind: 'store' }>): void {
    const { operations, durable, ticket } = effect;
    this.#store(operations, (at) => this.#toData(at, { kind: 'stored', ticket }), durable);
  }

  #storeForCluster(effect: Extract<ClusterEffect, { kind: 'store' }>): void {
    const { operations, durable, ticket } = effect;
    this.#store(operations, (at) => this.#toCluster(at, { kind: 'stored', ticket }), durable);
  }

  #regrouped(now: Instant, groupEpoch: GroupEpoch): void {
    const { clusterId } = this.#identity;
    this.#toLinks(now, { kind: 'self', clusterId, groupEpoch });
  }

  #deliver(now: Instant, to: NodeId, address: string, message: Message): void {
    const input: LinksInput = { kind: 'deliver', to, address, message };
    this.#toLinks(now, input);
  }

  // Ending.

  #giveUpIfRejected(now: Instant): void {
    const verdict = this.#rejections.verdict(this.#identity.clusterId);
    if (verdict !== undefined) this.#halt(now, verdict.code, verdict.detail);
  }

  #halt(now: Instant, code: HaltCode, detail: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, detail };
    this.#phase = 'halted';
    // Nobody else will answer what still waits.
    if (this.#cluster !== undefined) this.#fromCluster(this.#cluster.abandon(now, detail));
    this.#fromData(this.#data.abandon(now));
  }

  #refuse(input: NodeInput, detail: string): readonly NodeEffect[] {
    if (input.kind !== 'request') return [];
    const reply = { kind: 'failed', reason: 'shuttingDown', detail } as const;
    return [{ kind: 'reply', request: input.request, reply }];
  }

  // Bookkeeping.

  #store(
    operations: readonly StoreOperation[],
    then: (now: Instant) => void,
    durable = true,
  ): void {
    const ticket = this.#writes.begin(then);
    this.#out.push({ kind: 'store', ticket, operations, durable });
  }

  #publish(event: NodeEvent): void {
    this.#out.push({ kind: 'publish', event });
  }

  /** What the parts caused in each other, in the order in which it was caused. */
  #settle(now: Instant): void {
    for (let next = this.#inner.take(); next !== undefined; next = this.#inner.take()) {
      this.#handle(now, next);
    }
    this.#inner.settled();
    if (this.#phase === 'joining' && this.#cluster?.view.registered === true)
      this.#phase = 'member';
  }

  #handle(now: Instant, inner: PartEffect): void {
    switch (inner.of) {
      case 'links':
        return this.#handleLinks(now, inner.effect);
      case 'search':
        return this.#handleSearch(now, inner.effect);
      case 'cluster':
        return this.#handleCluster(now, inner.effect);
      case 'data':
        return this.#handleData(now, inner.effect);
    }
  }

  #take(now: Instant): readonly NodeEffect[] {
    this.#settle(now);
    const effects = this.#out;
    this.#out = [];
    // Whatever else this step caused comes first: the shell carries nothing out after this.
    if (this.#end !== undefined) effects.push({ kind: 'halt', ...this.#end });
    return effects;
  }
}
