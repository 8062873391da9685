import { ERROR_CODES } from '@memgrid/protocol';
import type { Answer, ErrorCode, FailedResult, Retry, ShardId } from '@memgrid/protocol';
import { operationWeight } from '../gateway/message-weight.ts';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import { NO_SLOT } from '../routing/placement-table.ts';
import { Router } from '../routing/router.ts';
import { Attempts } from './attempts.ts';
import { appliedOf, outcomeOf, timeoutOf } from './call-outcome.ts';
import { shardOfCall } from './call-shard.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Connections } from './connections.ts';
import type { NearCache } from './near-cache.ts';
import { nearOutcome, noteNear } from './near-calls.ts';
import { OpenCalls } from './open-calls.ts';
import type { Peer } from './peer.ts';
import { PendingCall, UNKNOWN_SHARD } from './pending-call.ts';
import type { SessionConfig } from './session-config.ts';
import type { Call, CallId, SessionEffect } from './session-io.ts';
import { TokenBucket } from './token-bucket.ts';

/** Before anything is known of how long a node takes. */
const HEDGE_MS_UNKNOWN = 50;
/** Saved-up retries and hedges: a short hiccup may use them all at once. */
const BUDGET_MAX = 100;

/** How often those who gave up are swept out of a peer's backlog. */
const BACKLOG_SWEEP = 1024;

const NEVER = Infinity as Instant;
/** As long as the operation id that a write will get. */
const A_UUID = '00000000-0000-7000-8000-000000000000';

export interface CallsOptions {
  readonly config: SessionConfig;
  readonly random: Random;
  readonly cluster: ClusterView;
  readonly connections: Connections;
  readonly nearCache: NearCache | undefined;
  readonly now: Instant;
  readonly emit: (effect: SessionEffect) => void;
}

/**
 * Calls of the application: where each goes, when it is sent again, and what became of it.
 * See DESIGN.md, Q3, Q4 and Q9 to Q13.
 */
export class Calls {
  readonly #options: CallsOptions;
  readonly #config: SessionConfig;
  readonly #cluster: ClusterView;
  readonly #connections: Connections;
  readonly #open: OpenCalls;
  readonly #attempts: Attempts;
  readonly #retries: TokenBucket;
  readonly #hedges: TokenBucket;
  #router: Router<Peer> | undefined;
  #closing = false;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#cluster = options.cluster;
    this.#connections = options.connections;
    this.#open = new OpenCalls(options.emit);
    this.#attempts = new Attempts(options);
    const { retryShare, retriesPerSecondMin, hedgeShare } = options.config;
    const { now } = options;
    this.#retries = new TokenBucket({
      share: retryShare,
      perSecond: retriesPerSecondMin,
      max: BUDGET_MAX,
      now,
    });
    this.#hedges = new TokenBucket({ share: hedgeShare, perSecond: 0, max: BUDGET_MAX / 10, now });
  }

  get count(): number {
    return this.#open.count;
  }

  get bytes(): number {
    return this.#open.bytes;
  }

  get wakeAt(): Instant | undefined {
    return this.#open.wakeAt;
  }

  /** Takes calls in; each gets exactly one outcome, now or later. */
  begin(calls: readonly Call[], now: Instant): void {
    for (const call of calls) this.#begin(call, now);
  }

  /** No new calls from now on. */
  refuseNew(): void {
    this.#closing = true;
  }

  abort(id: CallId): void {
    const call = this.#open.get(id);
    // Its attempts stay where they are: the node will answer them, and that makes room again.
    if (call !== undefined) this.#open.forget(call);
  }

  answered(peer: Peer, answers: readonly Answer[], now: Instant): void {
    for (const answer of answers) this.#answer(peer, answer, now);
    this.#pump(peer, now);
  }

  /** A connection that can take calls: whoever waited for one goes now. */
  ready(now: Instant): void {
    for (const call of this.#open.waiting) if (call.retryAt === NEVER) this.#dispatch(call, now);
  }

  /** There are newer owners: calls that wait because of the old ones need not wait any longer. */
  placed(changed: readonly ShardId[], now: Instant): void {
    if (changed.length === 0) return;
    const shards = new Set(changed);
    for (const call of this.#open.waiting) {
      if (shards.has(call.shard) && this.#epochOf(call) !== call.epochSent) {
        this.#dispatch(call, now);
      }
    }
    for (const peer of this.#connections.all) this.#takeElsewhere(peer, shards, now);
  }

  /**
   * What waits too long already, or at a node that the others believe to be dead, is given to the
   * new owners as well.
   */
  #takeElsewhere(peer: Peer, shards: ReadonlySet<ShardId>, now: Instant): void {
    const { placement } = this.#cluster;
    const isDead = placement?.node(peer.slot)?.alive === false;
    for (const call of peer.attempts.inOrder()) {
      const isOpen = !call.settled && call.stage === 'sent' && call.sentTo === peer.slot;
      const isLate = isDead || (call.toPrimary && call.attempts > 1);
      if (!isOpen || !isLate || !shards.has(call.shard)) continue;
      if (this.#epochOf(call) === call.epochSent) continue;
      // It may be the new primary itself that has passed the call on to the old one.
      call.avoid = placement?.primaryOf(call.shard) === peer.slot ? NO_SLOT : peer.slot;
      this.#event('silent');
      this.#dispatch(call, now);
    }
  }

  /** The connection is gone, and with it every answer that was still to come. */
  lost(peer: Peer, now: Instant): void {
    const { attempts, backlog } = peer;
    for (const call of attempts.inOrder()) {
      call.unanswered -= 1;
      if (call.settled) continue;
      if (call.write) call.lost = true;
      if (call.unanswered > 0) continue;
      this.#event('disconnected');
      this.#open.wait(call);
      // A connection is lost once for all its calls, so sending them again is no storm. A call to
      // which it happens twice waits like any other retry.
      if (call.attempts < 2) this.#dispatch(call, now);
      else this.#retryLater(call, now);
    }
    this.#leaveLine(peer, backlog, now);
  }

  /** Nothing new goes to this peer: what has not been sent yet goes elsewhere. */
  leaving(peer: Peer, now: Instant): void {
    const { backlog } = peer;
    peer.backlog = [];
    this.#leaveLine(peer, backlog, now);
  }

  /** What has not been sent yet goes elsewhere. */
  #leaveLine(peer: Peer, backlog: readonly PendingCall[], now: Instant): void {
    for (const call of backlog) {
      if (!isInLine(call, peer)) continue;
      call.inLineAt = NO_SLOT;
      this.#dispatch(call, now);
    }
  }

  /** There may be room again in this peer's window. */
  pressureEased(peer: Peer, now: Instant): void {
    this.#pump(peer, now);
  }

  wake(now: Instant): void {
    for (let call = this.#open.takeDue(now); call; call = this.#open.takeDue(now)) {
      this.#look(call, now);
      this.#open.schedule(call);
    }
  }

  /** Sends what this step gathered: one message a node, as far as the limits allow. */
  flush(): void {
    this.#attempts.flush();
  }

  /** Every call ends now. */
  closeAll(): void {
    this.#closing = true;
    for (const call of this.#open.all()) this.#open.fail(call, 'CLOSED', {});
  }

  #begin(source: Call, now: Instant): void {
    if (this.#closing) {
      this.#open.refuse(source, 'CLOSED', {});
      return;
    }
    const { nearCache } = this.#options;
    const { shardCount } = this.#cluster;
    const near =
      nearCache === undefined ? undefined : nearOutcome(nearCache, source, { shardCount, now });
    if (near !== undefined) {
      this.#open.tell(source.call, near);
      return;
    }
    const bytes = operationWeight({ body: source.body, operationId: A_UUID });
    const { callsMax, bytesMax } = this.#config;
    if (this.#open.count >= callsMax || this.#open.bytes + bytes > bytesMax) {
      this.#open.refuse(source, 'OVERLOADED', { waiting: this.#open.count, max: callsMax });
      return;
    }
    const call = new PendingCall(source, bytes, now);
    if (call.write && call.operationId === '') call.operationId = this.#attempts.operationId(now);
    this.#open.add(call);
    this.#retries.earn();
    if (!call.toPrimary) this.#hedges.earn();
    this.#dispatch(call, now);
    this.#open.schedule(call);
  }

  /** Sends a call to the best node there is, or lets it wait for one. */
  #dispatch(call: PendingCall, now: Instant): void {
    call.retryAt = NEVER;
    if (call.shard === UNKNOWN_SHARD && !this.#locate(call)) return;
    this.#setFloor(call);
    const peer = this.#routerOf()?.pick(call, now);
    if (peer === undefined) this.#open.wait(call);
    else if (peer.hasRoom(call.bytes)) this.#send(call, peer, now);
    else {
      this.#open.wait(call);
      this.#waitForRoom(call, peer, now);
    }
  }

  /** In line for the peer's window; after as long as an attempt may take, whoever is best is asked. */
  #waitForRoom(call: PendingCall, peer: Peer, now: Instant): void {
    call.retryAt = after(now, this.#config.attemptMsMax);
    if (call.inLineAt === peer.slot) return;
    call.inLineAt = peer.slot;
    peer.backlog.push(call);
    if (peer.backlog.length % BACKLOG_SWEEP !== 0) return;
    peer.backlog = peer.backlog.filter((waiting) => isInLine(waiting, peer));
  }

  /** False when the call waits for the cluster to say how many shards it has, or has failed. */
  #locate(call: PendingCall): boolean {
    const { shardCount } = this.#cluster;
    if (shardCount === 0) {
      this.#open.wait(call);
      return false;
    }
    const shard = shardOfCall(call.source, shardCount);
    if (shard === undefined) {
      const { body } = call.source;
      this.#open.fail(call, 'SHARD_UNKNOWN', { id: body.kind === 'list' ? '' : body.key });
      return false;
    }
    call.shard = shard;
    return true;
  }

  /** What a read must have seen, so that the session never goes back. */
  #setFloor(call: PendingCall): void {
    const { token } = this.#cluster;
    if (token === undefined || call.write || call.options.read !== 'one') return;
    call.linearizable = token.isUnknown(call.shard);
    call.toPrimary = call.linearizable;
    call.atLeast = token.indexOf(call.shard);
    call.atLeastSince = token.raisedAt(call.shard);
  }

  #send(call: PendingCall, peer: Peer, now: Instant): void {
    this.#open.waitNoMore(call);
    call.inLineAt = NO_SLOT;
    const id = this.#attempts.send(call, peer, now);
    call.stage = 'sent';
    call.lastAttempt = id;
    call.sentAt = now;
    call.sentTo = peer.slot;
    call.epochSent = this.#epochOf(call);
    call.attemptDeadline = after(now, this.#config.attemptMsMax);
    call.hedgeAt = this.#mayHedge(call) ? after(now, this.#hedgeDelay(peer)) : NEVER;
    call.hint = NO_SLOT;
    this.#open.reschedule(call);
  }

  #mayHedge(call: PendingCall): boolean {
    return !call.toPrimary && this.#config.hedgeShare > 0 && call.hedge === 0;
  }

  #hedgeDelay(peer: Peer): number {
    const p95 = peer.latency.p95Ms;
    return Math.max(this.#config.hedgeMsMin, p95 === 0 ? HEDGE_MS_UNKNOWN : p95);
  }

  /** A call whose moment has come. */
  #look(call: PendingCall, now: Instant): void {
    if (call.deadline <= now) {
      this.#open.settle(call, timeoutOf(call, now, this.#cluster.placement));
      return;
    }
    if (call.stage === 'waiting') {
      if (call.retryAt <= now) this.#retryNow(call, now);
      return;
    }
    if (call.hedgeAt <= now) this.#hedge(call, now);
    if (call.attemptDeadline <= now) this.#attemptTooLong(call, now);
  }

  #hedge(call: PendingCall, now: Instant): void {
    call.hedgeAt = NEVER;
    call.avoid = call.sentTo;
    const second = this.#routerOf()?.pickSecond(call, now);
    if (second === undefined || !second.hasRoom(call.bytes) || !this.#hedges.take(now)) return;
    call.hedge = this.#attempts.send(call, second, now);
    call.hedgedAt = now;
    this.#options.emit({ kind: 'event', event: { name: 'call.hedged' } });
  }

  /**
   * The attempt took too long: it is made once more elsewhere, and the first one may still answer.
   * A node that has said nothing since is left alone until it does.
   */
  #attemptTooLong(call: PendingCall, now: Instant): void {
    call.attemptDeadline = NEVER;
    const asked = this.#connections.at(call.sentTo);
    if (asked !== undefined && asked.heardAt < call.sentAt && !asked.suspect) {
      asked.suspect = true;
      this.#connections.ping(asked, now);
    }
    call.avoid = call.sentTo;
    const other = this.#routerOf()?.pick(call, now);
    // The same node has it already, and would only get it twice.
    if (other === undefined || other.slot === call.sentTo || !this.#retries.take(now)) {
      call.attemptDeadline = after(now, this.#config.attemptMsMax);
      return;
    }
    this.#event('silent');
    this.#dispatch(call, now);
  }

  #answer(peer: Peer, answer: Answer, now: Instant): void {
    const call = this.#attempts.answered(peer, answer.id, now);
    if (call === undefined) return;
    const { index } = answer.position;
    if (index > 0) {
      peer.noteSeen(call.shard, index);
      this.#cluster.token?.raise(call.shard, answer.position, now);
      this.#options.nearCache?.raised(call.shard, index);
    }
    if (answer.result.kind === 'failed') {
      if (!call.settled) this.#failed(call, peer, answer.result, now);
      return;
    }
    const { nearCache } = this.#options;
    if (nearCache !== undefined) noteNear(nearCache, call, answer, now);
    if (call.settled) return;
    if (call.linearizable) this.#cluster.token?.settle(call.shard);
    const node = this.#cluster.nodeIdOf(peer.slot);
    this.#open.settle(call, { kind: 'answered', answer, node, operationId: call.operationId });
  }

  #failed(call: PendingCall, peer: Peer, result: FailedResult, now: Instant): void {
    call.lastFailure = result;
    if (call.write && result.applied !== 'no') call.lost = true;
    const retry = retryOf(result.code);
    if (retry === 'never') {
      this.#open.settle(call, outcomeOf(result, call.operationId, finalApplied(call, result)));
      return;
    }
    // Somebody else may still answer this call, and need not know of the failure.
    if (call.unanswered > 0) return;
    this.#open.wait(call);
    call.avoid = retry === 'here' ? NO_SLOT : peer.slot;
    call.hint = NO_SLOT;
    if (result.hint !== undefined) {
      call.hint = this.#cluster.placement?.slotOf(result.hint) ?? NO_SLOT;
    }
    this.#event(result.code);
    // The first time somebody is sent elsewhere it is news; after that it is a retry like any other.
    if (retry === 'elsewhere' && call.attempts < 2) this.#dispatch(call, now);
    else this.#retryLater(call, now);
  }

  #retryLater(call: PendingCall, now: Instant): void {
    const { retryMsMin, retryMsMax } = this.#config;
    const ceiling = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(call.attempts, 20));
    call.retryAt = after(now, 1 + this.#options.random.between(0, ceiling));
    this.#open.reschedule(call);
  }

  /**
   * Its pause is over. Without budget it waits on: for the next moment, for newer owners of its
   * shard, or for its deadline. Only for a node that is too busy there is no point in waiting.
   */
  #retryNow(call: PendingCall, now: Instant): void {
    // What was never sent is no retry.
    if (call.attempts === 0 || this.#retries.take(now)) {
      this.#dispatch(call, now);
      return;
    }
    const { lastFailure } = call;
    if (lastFailure?.code === 'OVERLOADED') {
      this.#open.settle(call, outcomeOf(lastFailure, call.operationId, appliedOf(call)));
      return;
    }
    call.retryAt = after(now, this.#options.random.between(0, this.#config.retryMsMax));
  }

  /** Room in a window: those who wait for it go, in the order in which they came. */
  #pump(peer: Peer, now: Instant): void {
    if (peer.backlog.length === 0 || peer.stage !== 'ready') return;
    const { backlog } = peer;
    let sent = 0;
    while (sent < backlog.length) {
      const call = backlog[sent] as PendingCall;
      const isHere = isInLine(call, peer);
      if (isHere && !peer.hasRoom(call.bytes)) break;
      sent += 1;
      if (!isHere) continue;
      this.#send(call, peer, now);
    }
    if (sent > 0) peer.backlog = backlog.slice(sent);
  }

  #epochOf(call: PendingCall): number {
    return call.shard === UNKNOWN_SHARD ? 0 : (this.#cluster.placement?.epochOf(call.shard) ?? 0);
  }

  #routerOf(): Router<Peer> | undefined {
    const { placement } = this.#cluster;
    if (placement === undefined) return undefined;
    this.#router ??= new Router(placement, this.#connections, this.#config.freshMs);
    return this.#router;
  }

  #event(code: ErrorCode | 'disconnected' | 'silent'): void {
    this.#options.emit({ kind: 'event', event: { name: 'call.retried', code } });
  }
}

/** Somebody who gave up, or was sent elsewhere, may still stand in a backlog. */
function isInLine(call: PendingCall, peer: Peer): boolean {
  return !call.settled && call.inLineAt === peer.slot;
}

/** What is known after a definite failure of one attempt. */
function finalApplied(call: PendingCall, result: FailedResult): 'yes' | 'no' | 'unknown' {
  return result.applied === 'yes' ? 'yes' : appliedOf(call);
}

/** Wider than the table's own type, so that codes to come are thought of. */
function retryOf(code: ErrorCode): Retry {
  return ERROR_CODES[code].retry;
}
