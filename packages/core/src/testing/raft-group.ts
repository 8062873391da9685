import {
  type ElectionMessage,
  type GroupConfig,
  type GroupEpoch,
  type LogEntry,
  type LogIndex,
  type NodeId,
  nodeId,
} from '@memgrid/protocol';
import { type ElectionConfig, electionConfig } from '../election/election-config.ts';
import { Election } from '../election/election.ts';
import type { ElectionEffect, ElectionInput, Snapshot } from '../election/election-io.ts';
import { initialRecord, recordOperations, recoverElection } from '../election/recover.ts';
import type { Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import { Random } from '../random.ts';

/** How bad the world is. Probabilities are for each message. */
export interface Weather {
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  readonly loss: number;
  readonly duplication: number;
  readonly syncMsMin: number;
  readonly syncMsMax: number;
}

export interface RaftGroupOptions {
  readonly seed: number;
  /** Voters at the founding. */
  readonly voters: number;
  /** Nodes that belong to no group yet. */
  readonly outsiders: number;
  readonly config?: Partial<ElectionConfig>;
  readonly weather?: Partial<Weather>;
}

/** What watches a run. Called for every effect before it is carried out. */
export interface Observer {
  effect?(host: Host, effect: ElectionEffect): void;
  /** Called when a message is about to be read, which may be long after it arrived. */
  delivered?(host: Host, from: NodeId, body: ElectionMessage): void;
  restarted?(host: Host): void;
}

interface PendingBatch {
  readonly ticket: Ticket;
  readonly operations: readonly StoreOperation[];
}

/** One node: its disk outlives its machine. */
export interface Host {
  readonly id: NodeId;
  machine: Election | undefined;
  /** What is synced. */
  readonly disk: Map<string, Uint8Array>;
  pending: PendingBatch[];
  /** Counts process starts, so that what was meant for an earlier one is dropped. */
  life: number;
  pausedUntil: number;
  inbox: ElectionInput[];
  wakeAt: number | undefined;
  syncedAt: number;
  applied: LogIndex;
  /** Stands for the control state: a fingerprint of everything applied. */
  state: Uint8Array;
}

interface Event {
  readonly at: number;
  readonly tie: number;
  readonly run: () => void;
}

const CALM: Weather = {
  latencyMsMin: 0,
  latencyMsMax: 50,
  loss: 0,
  duplication: 0,
  syncMsMin: 1,
  syncMsMax: 10,
};

const GROUP_EPOCH = 1 as GroupEpoch;

/** A readable id: `idOf(3)` is `…0003`. */
export function idOf(number: number): NodeId {
  return nodeId(number.toString(16).padStart(32, '0'));
}

/** The state after `entry`, given the one before it: an FNV-1a chain over whatever it says. */
export function nextState(state: Uint8Array, entry: LogEntry): Uint8Array {
  let hash = 0x811c9dc5;
  const mix = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  };
  for (const byte of state) mix(byte);
  for (const byte of fingerprint(entry)) mix(byte);
  return Uint8Array.of(hash & 0xff, (hash >>> 8) & 0xff, (hash >>> 16) & 0xff, hash >>> 24);
}

function fingerprint({ index, term, payload }: LogEntry): readonly number[] {
  const head = [index & 0xff, index >>> 8, term & 0xff, term >>> 8];
  if (payload.kind === 'command') return [...head, 1, ...payload.command];
  if (payload.kind === 'blank') return [...head, 2];
  const text = JSON.stringify(payload.config);
  return [...head, 3, ...[...text].map((letter) => letter.charCodeAt(0))];
}

/**
 * A whole control group under one seed: election machines, virtual time, a network that loses,
 * delays and repeats, and disks that forget what was not synced. For the tests of the election
 * machine alone; the simulator package has the whole node.
 */
export class RaftGroup {
  readonly hosts = new Map<NodeId, Host>();
  readonly random: Random;
  readonly config: ElectionConfig;
  weather: Weather;
  observer: Observer = {};
  now = 0;
  readonly #queue: Event[] = [];
  readonly #cuts = new Set<string>();
  #nextRequest = 1;

  constructor(options: RaftGroupOptions) {
    this.random = Random.of(options.seed);
    this.config = electionConfig(options.config);
    this.weather = { ...CALM, ...options.weather };
    const total = options.voters + options.outsiders;
    const ids = Array.from({ length: total }, (_, at) => idOf(at + 1));
    const voters = ids.slice(0, options.voters);
    const config: GroupConfig = { voters, votersOutgoing: [], learners: [] };
    const record = initialRecord({ groupEpoch: GROUP_EPOCH, config, state: Uint8Array.of(0) });
    for (const id of ids) {
      const disk = new Map<string, Uint8Array>();
      if (voters.includes(id)) applyOperations(disk, recordOperations(record));
      this.hosts.set(id, {
        id,
        machine: undefined,
        disk,
        pending: [],
        life: 0,
        pausedUntil: 0,
        inbox: [],
        wakeAt: undefined,
        syncedAt: 0,
        applied: 0 as LogIndex,
        state: new Uint8Array(0),
      });
    }
    for (const id of ids) this.restart(id);
  }

  host(id: NodeId): Host {
    const host = this.hosts.get(id);
    if (host === undefined) throw new RangeError(`There is no node ${id}.`);
    return host;
  }

  get running(): readonly Host[] {
    return [...this.hosts.values()].filter((host) => host.machine !== undefined);
  }

  /** The leader of the latest term among the running nodes. */
  get leader(): Host | undefined {
    return this.running
      .filter((host) => host.machine?.isLeader === true)
      .sort((a, b) => termOf(b) - termOf(a))[0];
  }

  /** Runs until `untilMs` or until `done` holds; true: `done` holds. */
  run(untilMs: number, done: () => boolean = () => false): boolean {
    while (!done()) {
      const event = this.#queue[0];
      if (event === undefined || event.at > untilMs) {
        this.now = untilMs;
        return done();
      }
      heapPop(this.#queue);
      this.now = Math.max(this.now, event.at);
      event.run();
    }
    return true;
  }

  /** Runs something later. */
  schedule(atMs: number, run: () => void): void {
    heapPush(this.#queue, { at: atMs, tie: this.random.uint32(), run });
  }

  /** Gives an input now, or when the node is no longer paused. Dead nodes hear nothing. */
  input(id: NodeId, input: ElectionInput): void {
    const host = this.host(id);
    if (host.machine === undefined) return;
    if (host.pausedUntil > this.now) {
      host.inbox.push(input);
      return;
    }
    if (input.kind === 'message') this.observer.delivered?.(host, input.from, input.body);
    this.#carryOut(host, host.machine.step(this.now as Instant, input));
  }

  request(): RequestId {
    return this.#nextRequest++;
  }

  crash(id: NodeId): void {
    const host = this.host(id);
    if (host.machine === undefined) return;
    host.machine = undefined;
    host.life += 1;
    host.inbox = [];
    // Batches reach the disk in order, so some first few of the unsynced ones may have.
    const survivors = host.pending.slice(0, this.random.below(host.pending.length + 1));
    for (const { operations } of survivors) applyOperations(host.disk, operations);
    host.pending = [];
  }

  restart(id: NodeId): void {
    const host = this.host(id);
    if (host.machine !== undefined) return;
    const record = recoverElection(host.disk);
    const now = this.now as Instant;
    const random = this.random.split(`${id} ${host.life}`);
    const { config } = this;
    host.machine = new Election({ config, self: id, record, random, now });
    host.wakeAt = undefined;
    host.pausedUntil = 0;
    host.syncedAt = this.now;
    this.#startFrom(host, host.machine.snapshot);
    this.observer.restarted?.(host);
    this.#armWake(host);
  }

  /** The process stands still; what arrives meanwhile waits in its inbox. */
  pause(id: NodeId, forMs: number): void {
    const host = this.host(id);
    if (host.machine === undefined || host.pausedUntil > this.now) return;
    const until = this.now + forMs;
    const { life } = host;
    host.pausedUntil = until;
    this.schedule(until, () => {
      if (host.life === life && host.machine !== undefined) this.#resume(host, forMs);
    });
  }

  /** Nothing gets from `from` to `to` any more. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(`${from} ${to}`);
  }

  /** Splits into islands: nodes in different ones do not hear each other. */
  split(islands: readonly (readonly NodeId[])[]): void {
    for (const a of islands) {
      for (const b of islands) {
        if (a === b) continue;
        for (const from of a) for (const to of b) this.cut(from, to);
      }
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  #resume(host: Host, stalledMs: number): void {
    const inbox: ElectionInput[] = [{ kind: 'stalled', stalledMs }, ...host.inbox];
    host.inbox = [];
    for (const input of inbox) this.input(host.id, input);
    this.#armWake(host);
  }

  #startFrom(host: Host, snapshot: Snapshot): void {
    host.applied = snapshot.index;
    host.state = snapshot.state;
  }

  #carryOut(host: Host, effects: readonly ElectionEffect[]): void {
    for (const effect of effects) {
      this.observer.effect?.(host, effect);
      switch (effect.kind) {
        case 'send':
          this.#transmit(host.id, effect.to, effect.body);
          break;
        case 'store':
          this.#store(host, effect);
          break;
        case 'committed':
          for (const entry of effect.entries) {
            host.state = nextState(host.state, entry);
            host.applied = entry.index;
          }
          break;
        case 'restored':
          this.#startFrom(host, effect.snapshot);
          break;
        default:
      }
    }
    this.#armWake(host);
  }

  #transmit(from: NodeId, to: NodeId, body: ElectionMessage): void {
    const { loss, duplication } = this.weather;
    if (this.#cuts.has(`${from} ${to}`)) return;
    const copies = this.random.chance(loss) ? 0 : this.random.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const latency = this.random.between(this.weather.latencyMsMin, this.weather.latencyMsMax);
      this.schedule(this.now + latency, () => {
        const host = this.hosts.get(to);
        if (host?.machine === undefined || this.#cuts.has(`${from} ${to}`)) return;
        this.input(to, { kind: 'message', from, body });
      });
    }
  }

  #store(host: Host, { ticket, operations }: PendingBatch): void {
    const { syncMsMin, syncMsMax } = this.weather;
    const { life } = host;
    const batch: PendingBatch = { ticket, operations };
    host.pending.push(batch);
    host.syncedAt = Math.max(host.syncedAt, this.now + this.random.between(syncMsMin, syncMsMax));
    this.schedule(host.syncedAt, () => {
      if (host.life !== life) return;
      // Ties are in random order, so an earlier batch may still be here: it goes first.
      while (host.pending[0] !== undefined && host.pending[0].ticket <= ticket) {
        applyOperations(host.disk, (host.pending.shift() as PendingBatch).operations);
      }
      this.input(host.id, { kind: 'stored', ticket });
    });
  }

  #armWake(host: Host): void {
    const wakeAt = host.machine?.wakeAt;
    if (wakeAt === undefined || host.pausedUntil > this.now) return;
    if (host.wakeAt !== undefined && host.wakeAt <= wakeAt && host.wakeAt > this.now) return;
    const at = Math.max(wakeAt, this.now + 0.01);
    const { life } = host;
    host.wakeAt = at;
    this.schedule(at, () => {
      if (host.life !== life || host.wakeAt !== at) return;
      host.wakeAt = undefined;
      if (host.pausedUntil > this.now) return;
      if (host.machine !== undefined) this.#carryOut(host, host.machine.wake(this.now as Instant));
    });
  }
}

function termOf(host: Host): number {
  return host.machine?.status().term ?? 0;
}

function applyOperations(
  disk: Map<string, Uint8Array>,
  operations: readonly StoreOperation[],
): void {
  for (const operation of operations) {
    if (operation.kind === 'put') disk.set(operation.key, operation.value);
    else disk.delete(operation.key);
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}

function heapPush(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (!isBefore(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function heapPop(heap: Event[]): Event | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  while (true) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Event)) child += 1;
    if (!isBefore(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return top;
}
