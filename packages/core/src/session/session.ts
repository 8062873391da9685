import { makeOperationId } from '@memgrid/protocol';
import type { Answer, ClientMessage, Placement } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { LinkId } from '../link-id.ts';
import { earliest } from '../machine.ts';
import type { Instant, Machine } from '../machine.ts';
import type { Random } from '../random.ts';
import { Calls } from './calls.ts';
import { ClusterView } from './cluster-view.ts';
import { Connections } from './connections.ts';
import { Feeds } from './feeds.ts';
import { NearCache } from './near-cache.ts';
import type { NearEntry, NearStore } from './near-entry.ts';
import type { Peer } from './peer.ts';
import type { SessionConfig } from './session-config.ts';
import type { SessionEffect, SessionInput, SessionStatus } from './session-io.ts';
import { Watches } from './watches.ts';

export interface SessionOptions {
  /** `host:port`, at least one. */
  readonly seeds: readonly string[];
  /** For the logs of the nodes. */
  readonly name: string;
  readonly version: string;
  readonly config: SessionConfig;
  readonly random: Random;
  readonly now: Instant;
  /** Where entries may be kept in this process; undefined for no near cache. */
  readonly nearStore: NearStore | undefined;
}

/** How often nodes are asked for a sign of life, as a share of the staleness that is allowed. */
const CONFIRM_SHARE = 0.4;

/**
 * A client's session with a cluster: connections, calls, watches and the near cache, as one
 * machine. See DESIGN.md.
 */
export class Session implements Machine<SessionInput, SessionEffect> {
  readonly #random: Random;
  readonly #cluster = new ClusterView();
  readonly #connections: Connections;
  readonly #calls: Calls;
  readonly #feeds: Feeds;
  readonly #watches: Watches;
  readonly #nearCache: NearCache | undefined;
  #phase: SessionStatus['phase'] = 'connecting';
  #isDraining = false;
  #statusChanged = true;
  #effects: SessionEffect[] = [];

  constructor(options: SessionOptions) {
    const { config, random, now, nearStore } = options;
    invariant(options.seeds.length > 0, 'A session needs at least one address to begin with.');
    const emit = (effect: SessionEffect): void => {
      this.#effects.push(effect);
    };
    const cluster = this.#cluster;
    this.#random = random.split('ids');
    this.#connections = new Connections({
      ...options,
      random: random.split('connections'),
      cluster,
      emit,
      onReady: (_peer, at) => this.#nodeReady(at),
      onLost: (peer, at) => this.#nodeLost(peer, at),
      onLeaving: (peer, at) => this.#nodeLeaving(peer, at),
      confirmMs: nearStore === undefined ? undefined : config.nearStalenessMs * CONFIRM_SHARE,
    });
    const connections = this.#connections;
    this.#feeds = new Feeds({ cluster, connections, random: random.split('feeds') });
    if (nearStore !== undefined) {
      const near = { store: nearStore, stalenessMs: config.nearStalenessMs };
      this.#nearCache = new NearCache(near, cluster, this.#feeds);
    }
    this.#calls = new Calls({
      config,
      random: random.split('calls'),
      cluster,
      connections,
      nearCache: this.#nearCache,
      now,
      emit,
    });
    this.#watches = new Watches({ config, cluster, feeds: this.#feeds, emit });
  }

  get wakeAt(): Instant | undefined {
    if (this.#phase === 'closed') return undefined;
    return earliest(earliest(this.#calls.wakeAt, this.#connections.wakeAt), this.#feeds.wakeAt);
  }

  /** 0 before the first node said welcome. */
  get shardCount(): number {
    return this.#cluster.shardCount;
  }

  get status(): SessionStatus {
    return {
      phase: this.#phase,
      connected: this.#connections.describe(),
      coordinator: this.#cluster.placement?.coordinator,
      waitingCalls: this.#calls.count,
      waitingBytes: this.#calls.bytes,
    };
  }

  /** What this session has seen, for another one; '' before the first node said welcome. */
  get token(): string {
    return this.#cluster.token?.text() ?? '';
  }

  /** Why a text is no token for this session; undefined when it is one. */
  tokenProblem(text: string): string | undefined {
    const { token } = this.#cluster;
    return token === undefined ? 'no node has been reached yet' : token.problemWith(text);
  }

  /**
   * Reads from now on see at least what the session of this token saw. The same as the input, for
   * who reads from the near cache before the next turn.
   */
  atLeast(token: string, now: Instant): void {
    this.#cluster.atLeast(token, now);
    this.#nearCache?.revokeAll();
  }

  /** The cluster's time, as far as it is known here. Milliseconds since 1970. */
  wallMs(now: Instant): number {
    return this.#cluster.wallMs(now);
  }

  /**
   * The id of a new write, for a caller who needs it before the call is made.
   *
   * @param wallMs the cluster's time, as `wallMs` says it.
   */
  newOperationId(wallMs: number): string {
    const random = this.#random;
    const words = [random.uint32(), random.uint32(), random.uint32()] as const;
    return makeOperationId(wallMs, words);
  }

  /** From the near cache only; undefined says nothing about the entry. */
  near(namespace: string, key: string, now: Instant): NearEntry | undefined {
    return this.#nearCache?.get(namespace, key, now);
  }

  /** Whether an entry of the near store may be served; if so, `isPermitted` says so from now on. */
  permitNear(entry: NearEntry, now: Instant): boolean {
    return this.#nearCache?.permit(entry, now) === true;
  }

  nearStalenessMs(entry: NearEntry, now: Instant): number {
    return this.#nearCache?.stalenessMs(entry, now) ?? 0;
  }

  step(now: Instant, input: SessionInput): readonly SessionEffect[] {
    if (this.#phase !== 'closed') this.#handle(now, input);
    else if (input.kind === 'calls') this.#calls.begin(input.calls, now);
    else if (input.kind === 'watch') this.#watches.closeAll(CLOSED_WATCH);
    return this.#take(now);
  }

  wake(now: Instant): readonly SessionEffect[] {
    if (this.#phase === 'closed') return [];
    this.#connections.tend(now);
    this.#calls.wake(now);
    this.#feeds.retry(now);
    return this.#take(now);
  }

  #handle(now: Instant, input: SessionInput): void {
    switch (input.kind) {
      case 'wallClock':
        // The clock that counts here is the cluster's.
        break;
      case 'linkOpened':
        this.#connections.opened(input.link, now);
        break;
      case 'linkFailed':
        this.#connections.lost(input.link, input.problem, now);
        break;
      case 'linkClosed':
        this.#connections.lost(input.link, 'The connection was closed.', now);
        break;
      case 'received':
        this.#received(input.link, input.message, now);
        break;
      case 'garbage':
        this.#garbage(input.link, input.problem, now);
        break;
      case 'pressure':
        this.#pressure(input.link, input.bufferedBytes, now);
        break;
      case 'calls':
        this.#calls.begin(input.calls, now);
        break;
      case 'abort':
        this.#calls.abort(input.call);
        break;
      case 'watch':
        this.#watches.open(input.watch, input.request, now);
        break;
      case 'watchTaken':
        this.#watches.taken(input.watch, input.bytes, now);
        break;
      case 'unwatch':
        this.#watches.close(input.watch);
        break;
      case 'atLeast':
        this.atLeast(input.token, now);
        break;
      case 'drain':
        this.#drain();
        break;
      case 'close':
        this.#close();
        break;
    }
  }

  #received(link: LinkId, message: ClientMessage, now: Instant): void {
    const peer = this.#connections.heard(link, now);
    if (peer === undefined) return;
    if (message.type === 'clientWelcome' || message.type === 'clientRefused') {
      if (message.type === 'clientWelcome') this.#connections.welcomed(peer, message, now);
      else this.#connections.wasRefused(peer, message, now);
      return;
    }
    if (!peer.isConnected) {
      this.#connections.distrust(peer, `"${message.type}" before the welcome.`, now);
      return;
    }
    this.#fromNode(peer, message, now);
  }

  #fromNode(peer: Peer, message: ClientMessage, now: Instant): void {
    switch (message.type) {
      case 'answers':
        this.#calls.answered(peer, message.answers, now);
        if (message.answers.some(isOfAnotherTime)) this.#connections.ping(peer, now);
        this.#connections.settleLeaving(peer, now);
        break;
      case 'placement':
        this.#placed(message, now);
        this.#statusChanged = true;
        break;
      case 'feedChanges':
        this.#feeds.changed(peer, message, now);
        break;
      case 'feedGap':
        this.#feeds.missed(peer, message, now);
        break;
      case 'clientPing':
        this.#connections.send(peer, { type: 'clientPong', token: message.token });
        break;
      case 'clientPong':
        if (message.wallMs !== undefined) this.#cluster.told(message.wallMs, now);
        this.#connections.ponged(peer, message.token, now);
        break;
      case 'clientBye':
        this.#connections.leaves(peer, now);
        break;
      default:
        this.#connections.distrust(peer, `"${message.type}" is nothing that a node says.`, now);
    }
  }

  #placed(placement: Placement, now: Instant): void {
    const changed = this.#connections.placed(placement);
    this.#calls.placed(changed, now);
    this.#feeds.placed(changed, now);
    this.#becomeReady();
  }

  #garbage(link: LinkId, problem: string, now: Instant): void {
    const peer = this.#connections.heard(link, now);
    if (peer !== undefined) this.#connections.distrust(peer, problem, now);
  }

  #pressure(link: LinkId, bufferedBytes: number, now: Instant): void {
    const peer = this.#connections.pressure(link, bufferedBytes);
    if (peer !== undefined) this.#calls.pressureEased(peer, now);
  }

  #nodeReady(now: Instant): void {
    this.#becomeReady();
    this.#statusChanged = true;
    this.#calls.ready(now);
    this.#watches.ready(now);
    this.#feeds.retryAll(now);
  }

  /** A node is there, and has told who holds what. */
  #becomeReady(): void {
    const isPlaced = this.#cluster.placement?.isKnown === true;
    if (this.#phase !== 'connecting' || !isPlaced || this.#connections.all.length === 0) return;
    this.#phase = 'ready';
  }

  #nodeLost(peer: Peer, now: Instant): void {
    this.#statusChanged = true;
    if (this.#phase === 'ready' && this.#connections.all.length === 0) this.#phase = 'connecting';
    this.#calls.lost(peer, now);
    this.#feeds.lost(peer, now);
  }

  #nodeLeaving(peer: Peer, now: Instant): void {
    this.#statusChanged = true;
    this.#calls.leaving(peer, now);
    this.#feeds.lost(peer, now);
  }

  #drain(): void {
    this.#isDraining = true;
    this.#phase = 'draining';
    this.#statusChanged = true;
    this.#calls.refuseNew();
  }

  #close(): void {
    this.#calls.closeAll();
    this.#watches.closeAll(CLOSED_WATCH);
    this.#calls.flush();
    this.#connections.close();
    this.#nearCache?.revokeAll();
    this.#phase = 'closed';
    this.#statusChanged = true;
  }

  /** The end of every step: what was wanted is dialled, what was gathered is sent. */
  #take(now: Instant): readonly SessionEffect[] {
    if (this.#phase !== 'closed') {
      this.#connections.dial(now);
      this.#calls.flush();
    }
    if (this.#isDraining && this.#calls.count === 0) {
      this.#isDraining = false;
      this.#effects.push({ kind: 'drained' });
    }
    if (this.#statusChanged) {
      this.#statusChanged = false;
      this.#effects.push({ kind: 'status', status: this.status });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

const CLOSED_WATCH = { code: 'CLOSED', message: 'The client was closed.' } as const;

/**
 * Ids are made by the nodes' time as it was told. One that is refused for its age means that their
 * clocks were set, or that this process slept: the next one shall be right.
 */
function isOfAnotherTime({ result }: Answer): boolean {
  if (result.kind !== 'failed') return false;
  return result.code === 'OPERATION_EXPIRED' || result.code === 'BAD_REQUEST';
}
