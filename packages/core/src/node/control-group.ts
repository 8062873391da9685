import type { ElectionMessage, GroupEpoch, LogEntry, NodeId } from '@memgrid/protocol';
import type { ElectionConfig } from '../election/election-config.ts';
import { Election } from '../election/election.ts';
import type {
  ElectionEffect,
  ElectionEvent,
  ElectionInput,
  ElectionRecord,
  ElectionStatus,
  ProgressView,
  Snapshot,
} from '../election/election-io.ts';
import { earliest, isDue, type Instant, type Machine } from '../machine.ts';
import type { NodeRequestProblem } from '../node-io.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { Random } from '../random.ts';
import {
  GroupRequests,
  type Answer,
  type CoordinatorEvent,
  type Origin,
} from './group-requests.ts';
import { RemoteRequests, type RemoteEffect } from './remote-requests.ts';

export type ControlGroupInput =
  | Extract<
      ElectionInput,
      { kind: 'message' | 'stored' | 'compact' | 'peerDied' | 'peerReset' | 'stalled' | 'retire' }
    >
  /** An encoded command for the log. */
  | { readonly kind: 'change'; readonly command: Uint8Array; readonly origin: Origin }
  | { readonly kind: 'read'; readonly origin: Origin }
  | { readonly kind: 'transfer'; readonly to: NodeId | undefined; readonly origin: Origin }
  | {
      readonly kind: 'reconfigure';
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      /** What to tell when the configuration has committed, and not before. */
      readonly events: readonly CoordinatorEvent[];
    }
  /** Answers every request that is open. */
  | { readonly kind: 'abandon'; readonly reason: NodeRequestProblem; readonly detail: string }
  /** The group was recovered by force without this node: gives up the log and starts outside. */
  | { readonly kind: 'regroup'; readonly with: readonly StoreOperation[] };

export type ControlGroupEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ElectionMessage }
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      readonly durable: boolean;
    }
  | { readonly kind: 'committed'; readonly entries: readonly LogEntry[] }
  | { readonly kind: 'restored'; readonly snapshot: Snapshot }
  | Answer
  /** The hand-over of a leaving coordinator is over, one way or the other. */
  | { readonly kind: 'handedOver' }
  | { readonly kind: 'event'; readonly event: ElectionEvent | CoordinatorEvent };

/** What a node outside the group has heard about it. */
export interface Hearsay {
  readonly leader: NodeId | undefined;
  readonly groupEpoch: GroupEpoch;
}

export interface ControlGroupOptions {
  readonly config: ElectionConfig;
  readonly self: NodeId;
  readonly record: ElectionRecord | undefined;
  readonly random: Random;
  readonly hearsay: () => Hearsay;
  /** Whether a snapshot of the group is a control state of this cluster. */
  readonly isUsable: (snapshot: Snapshot) => boolean;
  readonly now: Instant;
}

/**
 * The control group as one node uses it, from inside or from outside.
 *
 * Inside, requests go through the node's own election machine; outside, to whoever is said to lead.
 * Either way each is answered exactly once.
 */
export class ControlGroup implements Machine<ControlGroupInput, ControlGroupEffect> {
  readonly #options: ControlGroupOptions;
  readonly #requests: GroupRequests;
  readonly #remote = new RemoteRequests();
  #election: Election;
  #lives = 0;
  #nextTicket: Ticket = 1;
  /** The present election machine's writes under way, by our ticket. */
  readonly #tickets = new Map<Ticket, Ticket>();
  #effects: ControlGroupEffect[] = [];

  constructor(options: ControlGroupOptions) {
    this.#options = options;
    this.#requests = new GroupRequests(options.random.split('requests').uint32() * 4_096);
    this.#election = this.#newElection(options.record, options.now);
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#election.wakeAt, this.#remote.wakeAt);
  }

  get isLeader(): boolean {
    return this.#election.isLeader;
  }

  get isOutsider(): boolean {
    return this.#election.status().role === 'outsider';
  }

  get wantsCompaction(): boolean {
    return this.#election.wantsCompaction;
  }

  status(): ElectionStatus {
    return this.#election.status();
  }

  progress(now: Instant): readonly ProgressView[] {
    return this.#election.progress(now);
  }

  step(now: Instant, input: ControlGroupInput): readonly ControlGroupEffect[] {
    switch (input.kind) {
      case 'message':
        this.#message(now, input.from, input.body);
        break;
      case 'stored':
        this.#stored(now, input.ticket);
        break;
      case 'change':
        this.#ask(now, input.origin, input.command);
        break;
      case 'read':
        this.#ask(now, input.origin, undefined);
        break;
      case 'transfer': {
        const request = this.#requests.track(input.origin);
        this.#step(now, { kind: 'transfer', request, to: input.to });
        break;
      }
      case 'reconfigure': {
        const { voters, learners, events } = input;
        const request = this.#requests.track({ kind: 'coordination', events });
        this.#step(now, { kind: 'reconfigure', request, voters, learners });
        break;
      }
      case 'abandon':
        this.#run(now, [], this.#remote.stop());
        this.#effects.push(...this.#requests.abandon(input.reason, input.detail));
        break;
      case 'regroup':
        this.#regroup(now, input.with);
        break;
      default:
        this.#step(now, input);
    }
    return this.#take();
  }

  wake(now: Instant): readonly ControlGroupEffect[] {
    if (isDue(this.#election.wakeAt, now)) this.#run(now, this.#election.wake(now), []);
    if (isDue(this.#remote.wakeAt, now)) {
      this.#run(now, [], this.#remote.wake(now, this.#options.hearsay().leader));
    }
    return this.#take();
  }

  #newElection(record: ElectionRecord | undefined, now: Instant): Election {
    const { config, self, random, isUsable } = this.#options;
    this.#lives += 1;
    const own = random.split(`life ${this.#lives}`);
    return new Election({ config, self, record, random: own, now, isUsable });
  }

  /** Answers to what was asked from outside come back to where they were asked. */
  #message(now: Instant, from: NodeId, body: ElectionMessage): void {
    if (body.type === 'proposeResp') this.#run(now, [], this.#remote.proposed(now, body));
    if (body.type === 'readIndexResp') this.#run(now, [], this.#remote.readable(now, body));
    this.#step(now, { kind: 'message', from, body });
  }

  #stored(now: Instant, ticket: Ticket): void {
    const inner = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (inner !== undefined) this.#step(now, { kind: 'stored', ticket: inner });
  }

  /** @param command undefined to read. */
  #ask(now: Instant, origin: Origin, command: Uint8Array | undefined): void {
    const request = this.#requests.track(origin);
    if (this.isOutsider) {
      const { leader, groupEpoch } = this.#options.hearsay();
      this.#run(now, [], this.#remote.start(now, { id: request, command, groupEpoch }, leader));
    } else if (command === undefined) this.#step(now, { kind: 'readIndex', request });
    else this.#step(now, { kind: 'propose', request, command });
  }

  #regroup(now: Instant, operations: readonly StoreOperation[]): void {
    const wiped = this.#election.wipeOperations();
    // Writes and requests of the old machine end with it.
    this.#tickets.clear();
    const detail = 'The control group was recovered by force.';
    this.#effects.push(...this.#requests.abandon('noLeader', detail));
    this.#election = this.#newElection(undefined, now);
    if (wiped.length > 0) this.#store([...wiped, ...operations], true);
  }

  #step(now: Instant, input: ElectionInput): void {
    this.#run(now, this.#election.step(now, input), []);
  }

  #run(now: Instant, election: readonly ElectionEffect[], remote: readonly RemoteEffect[]): void {
    for (const effect of remote) {
      if (effect.kind === 'send') this.#effects.push(effect);
      else if (effect.outcome.kind === 'proposed') {
        this.#answer(this.#requests.proposed(effect.outcome.request, effect.outcome.outcome));
      } else this.#answer(this.#requests.readable(effect.outcome.request, effect.outcome.index));
    }
    for (const effect of election) this.#runElection(effect);
  }

  #runElection(effect: ElectionEffect): void {
    switch (effect.kind) {
      case 'store':
        this.#tickets.set(this.#store(effect.operations, effect.durable), effect.ticket);
        break;
      case 'proposed': {
        const { request, outcome } = effect;
        const events = outcome.kind === 'committed' ? this.#requests.eventsOf(request) : [];
        for (const event of events) this.#effects.push({ kind: 'event', event });
        this.#answer(this.#requests.proposed(request, outcome));
        break;
      }
      case 'readable':
        this.#answer(this.#requests.readable(effect.request, effect.index));
        break;
      case 'transferred': {
        const leader = this.#election.status().leader ?? this.#options.hearsay().leader;
        const { origin, answer } = this.#requests.transferred(effect, leader);
        this.#answer(answer);
        if (origin === 'leaving') this.#effects.push({ kind: 'handedOver' });
        break;
      }
      default:
        this.#effects.push(effect);
    }
  }

  #store(operations: readonly StoreOperation[], durable: boolean): Ticket {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#effects.push({ kind: 'store', ticket, operations, durable });
    return ticket;
  }

  #answer(answer: Answer | undefined): void {
    if (answer !== undefined) this.#effects.push(answer);
  }

  #take(): readonly ControlGroupEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
