import { makeOperationId } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Connections } from './connections.ts';
import { Outgoing } from './outgoing.ts';
import type { Peer } from './peer.ts';
import type { PendingCall } from './pending-call.ts';

/** A day: nodes grant less, and what travels is a whole number. */
const TIMEOUT_MS_MAX = 86_400_000;

export interface AttemptsOptions {
  readonly random: Random;
  readonly cluster: ClusterView;
  readonly connections: Connections;
}

/** Calls as they travel: each attempt has a number of its own, all of a write one operation id. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #outgoing: Outgoing;
  #nextNumber = 1;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#outgoing = new Outgoing(options.connections);
  }

  /** An operation id for a write that begins now. */
  operationId(now: Instant): string {
    const { random, cluster } = this.#options;
    return makeOperationId(cluster.wallMs(now), [
      random.uint32(),
      random.uint32(),
      random.uint32(),
    ]);
  }

  /** @returns the number under which it will be answered. */
  send(call: PendingCall, peer: Peer, now: Instant): number {
    const { body } = call.source;
    const { options } = call;
    const id = this.#nextNumber;
    this.#nextNumber = id === Number.MAX_SAFE_INTEGER ? 1 : id + 1;
    call.attempts += 1;
    call.unanswered += 1;
    peer.attempts.add(id, call);
    peer.unansweredBytes += call.bytes;
    peer.usedAt = now;
    this.#outgoing.add(peer, {
      id,
      shard: call.shard,
      operationId: this.#operationIdOf(call, now),
      body,
      read: call.linearizable ? 'strong' : options.read,
      durability: options.durability,
      sync: options.sync,
      timeoutMs: Math.min(Math.max(1, Math.ceil(call.deadline - now)), TIMEOUT_MS_MAX),
      noAutonomous: options.noAutonomous,
      atLeast: call.atLeast,
      schemaVersion: options.schemaVersion,
    });
    return id;
  }

  /** Takes an attempt off its peer. The call; undefined when nobody waits for this number. */
  answered(peer: Peer, number: number, now: Instant): PendingCall | undefined {
    const call = peer.attempts.take(number);
    if (call === undefined) return undefined;
    peer.unansweredBytes -= call.bytes;
    call.unanswered -= 1;
    if (number === call.lastAttempt) peer.latency.add(now - call.sentAt);
    else if (number === call.hedge) peer.latency.add(now - call.hedgedAt);
    return call;
  }

  /** Sends what this step gathered: one message a node, as far as the limits allow. */
  flush(): void {
    this.#outgoing.flush();
  }

  /** The same for every attempt: that is what makes it safe to repeat a write. */
  #operationIdOf(call: PendingCall, now: Instant): string {
    if (call.attempts > 1 && call.write && broken('session.same-operation-id')) {
      return this.operationId(now);
    }
    return call.write ? call.operationId : '';
  }
}
