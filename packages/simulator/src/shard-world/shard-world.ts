import { invariant, Random } from '@memgrid/core';
import type { ShardEvent } from '@memgrid/core';
import { nodeId } from '@memgrid/protocol';
import type { Answer, NodeId, Operation } from '@memgrid/protocol';
import type { Violation } from '../checker.ts';
import { EventQueue } from '../event-queue.ts';
import { HistoryRecorder } from '../history/history-recorder.ts';
import { appliedOnce } from './checkers/applied-once.ts';
import { deletedStaysDeleted } from './checkers/deleted-stays-deleted.ts';
import { dotsNameOneWrite } from './checkers/dots-name-one-write.ts';
import { expiryIsKept } from './checkers/expiry-is-kept.ts';
import { logsMatch } from './checkers/logs-match.ts';
import { oneActivationPerEpoch } from './checkers/one-activation-per-epoch.ts';
import { promisesNeverFall } from './checkers/promises-never-fall.ts';
import { ShardCall } from './shard-call.ts';
import type { CallLimits, CallSurroundings } from './shard-call.ts';
import type { ShardChecker } from './shard-checker.ts';
import { ListClient } from './list-client.ts';
import { ShardClient } from './shard-client.ts';
import type { ClientSurroundings, FinishedCall, HistoryName } from './shard-client.ts';
import { ShardControl } from './shard-control.ts';
import type { BelievedNode } from './shard-control.ts';
import { ShardHost } from './shard-host.ts';
import type { ShardHostHooks, ShardLife, ShardParcel, ShardsFactory } from './shard-host.ts';
import { inflictOnShards } from './shard-inflict.ts';
import { ShardNetwork } from './shard-network.ts';
import type { ShardDayPlan, ShardTuning } from './shard-tuning.ts';

/** What a reader of a failing day gets to see. */
export interface ShardTraceLine {
  readonly atMs: number;
  readonly node: string;
  readonly what: string;
  readonly detail: unknown;
}

export interface ShardWorldOptions {
  readonly seed: number;
  readonly plan: ShardDayPlan;
  readonly shards: ShardsFactory;
  readonly trace?: (line: ShardTraceLine) => void;
}

/** The skews of the hosts, and the time that messages take. */
const CLOCKS_APART_MS = 700;
const CONTROL_EVERY_US = 40_000;
const LIMITS_OF_CALLS: CallLimits = { tries: 4, timeoutMsMin: 100, timeoutMsMax: 500 };
const CLIENT_LATENCY_MS_MAX = 5;
const CLIENT_LOSS_SHARE = 0.01;

/**
 * Nodes that run nothing but `Shards`, an ideal control group, a network and disks that misbehave,
 * and clients that write down what they see. A hundred times cheaper than a whole cluster, so the
 * protocol of replication alone can be asked many more questions.
 */
export class ShardWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly tuning: ShardTuning;
  readonly control: ShardControl;
  readonly hosts: readonly ShardHost[];
  readonly clients: readonly (ListClient | ShardClient)[];
  readonly histories: Readonly<Record<HistoryName, HistoryRecorder>>;
  readonly violations: Violation[] = [];
  /** How often each event of the machines was seen. */
  readonly events = new Map<ShardEvent['name'], number>();
  readonly finishedCalls: FinishedCall[] = [];
  readonly #options: ShardWorldOptions;
  readonly #network: ShardNetwork;
  readonly #checkers: readonly ShardChecker[];
  readonly #numbers = new Map<NodeId, number>();
  /** How much of the control group's log each host has been told. */
  readonly #told: number[] = [];
  /** What the control group believes; follows the truth after a while. */
  readonly #believed: BelievedNode[] = [];
  readonly #sessionKeys: ClientSurroundings['sessionKeys'] = new Map();
  #processes = 0;
  #healed = false;

  constructor(options: ShardWorldOptions) {
    this.#options = options;
    this.random = Random.of(options.seed).split('shard-world');
    this.tuning = options.plan.tuning;
    this.queue = new EventQueue(this.random.split('queue'));
    this.#checkers = [
      promisesNeverFall(),
      oneActivationPerEpoch(),
      logsMatch(),
      appliedOnce(),
      dotsNameOneWrite(),
      deletedStaysDeleted(CLOCKS_APART_MS),
      expiryIsKept(CLOCKS_APART_MS),
    ];
    const nowNs = (): number => this.queue.nowUs * 1000;
    this.histories = {
      register: new HistoryRecorder(nowNs),
      session: new HistoryRecorder(nowNs),
      list: new HistoryRecorder(nowNs),
    };
    this.hosts = Array.from({ length: this.tuning.nodes }, (_, node) => this.#makeHost(node));
    this.#network = new ShardNetwork(this.queue, this.random.split('network'), {
      tuning: this.tuning,
      ends: {
        deliver: (from, to, message) => this.#deliver(from, to, message as ShardParcel),
        reset: (at, peer) => this.hosts[at]?.input({ kind: 'peerReset', peer: this.#idOf(peer) }),
        lifeOf: (node) => this.hosts[node]?.lives ?? 0,
      },
    });
    const { replicationFactor, shards } = this.tuning;
    this.control = new ShardControl({
      random: this.random.split('control'),
      shards,
      replicationFactor: Math.min(replicationFactor, this.tuning.nodes),
      nodes: () => this.#believed,
      committed: () => this.#spreadNews(),
    });
    for (const host of this.hosts) this.#startHost(host);
    const targets = {
      queue: this.queue,
      tuning: this.tuning,
      control: this.control,
      hosts: this.hosts,
      network: this.#network,
      isHealed: () => this.#healed,
      startHost: (host: ShardHost) => this.#startHost(host),
      changed: () => this.#notice(this.random.between(1, this.tuning.noticeMs)),
    };
    for (const fault of options.plan.faults) {
      this.queue.at(Math.round(fault.atMs * 1000), () => {
        this.#trace('world', fault.kind, fault);
        inflictOnShards(targets, fault);
      });
    }
    const { clients, listers } = this.tuning;
    this.clients = [
      ...Array.from({ length: clients }, (_, at) => this.#makeClient(at)),
      ...Array.from({ length: listers }, (_, at) => this.#makeLister(at)),
    ];
    this.queue.after(CONTROL_EVERY_US, this.#controlRound);
  }

  get nowMs(): number {
    return this.queue.nowUs / 1000;
  }

  get isStopped(): boolean {
    return this.violations.length > 0;
  }

  /** Lets so much virtual time pass; ends early at a violation. */
  run(ms: number): void {
    this.queue.runUntil(this.queue.nowUs + Math.round(ms * 1000), () => this.isStopped);
  }

  /** Ends every fault, starts every process, and lets the control group finish what it began. */
  heal(): void {
    this.#healed = true;
    this.#trace('world', 'healed', undefined);
    this.#network.heal();
    this.control.calm();
    for (const host of this.hosts) {
      host.clock.mend();
      host.disk.mend();
      if (host.isUp) host.resume();
      else this.#startHost(host);
      host.input({ kind: 'alive', nodes: new Set(this.hosts.map(({ nodeId: id }) => id)) });
    }
    this.#notice(0);
    this.#spreadNews();
  }

  /** What a call needs of this world, for clients and for whoever looks at the end. */
  callSurroundings(random: Random): CallSurroundings {
    return {
      queue: this.queue,
      random,
      nodes: this.hosts.map(({ nodeId: id }) => id),
      config: ({ shard }) => this.control.config(shard),
      ask: (to, operation, answered) => this.#ask(to, operation, answered),
    };
  }

  /** Calls that try as often and as long as `limits` says. */
  executing(random: Random, limits: CallLimits): ClientSurroundings['execute'] {
    const calls = this.callSurroundings(random);
    return (operation, ended) => void new ShardCall(calls, operation, { limits, ended });
  }

  /** What a client needs of this world. */
  surroundings(execute: ClientSurroundings['execute']): ClientSurroundings {
    return {
      queue: this.queue,
      tuning: this.tuning,
      execute,
      histories: this.histories,
      ownerOf: (shard) => `u${shard}`,
      sessionKeys: this.#sessionKeys,
      newProcess: () => this.newProcess(),
      finished: (call: FinishedCall) => this.finished(call),
    };
  }

  violated(checker: string, message: string, node?: number): void {
    this.#trace('world', `VIOLATION ${checker}`, message);
    this.violations.push({
      checker,
      atMs: this.nowMs,
      node: node === undefined ? undefined : nameOf(node),
      message,
    });
  }

  newProcess(): number {
    this.#processes += 1;
    return this.#processes - 1;
  }

  /** A call ended: every checker that judges answers looks at it. */
  finished(call: FinishedCall): void {
    this.#trace('client', 'finished', call);
    this.finishedCalls.push(call);
    this.#check(undefined, (checker) => checker.finished?.(call));
  }

  /** Asks the checkers for what can only be said at the end. */
  finish(): void {
    if (!this.isStopped) this.#check(undefined, (checker) => checker.finish?.());
  }

  #makeHost(node: number): ShardHost {
    const id = nodeId((node + 1).toString(16).padStart(32, '0'));
    this.#numbers.set(id, node);
    this.#told.push(0);
    this.#believed.push({ nodeId: id, alive: true, generation: 1 as BelievedNode['generation'] });
    return new ShardHost({
      node,
      nodeId: id,
      queue: this.queue,
      random: this.random.split(`host/${node}`),
      tuning: this.tuning,
      shards: this.#options.shards,
      hooks: this.#hooks(),
    });
  }

  #hooks(): ShardHostHooks {
    const { trace } = this.#options;
    return {
      send: (from, to, parcel) => this.#send(from, to, parcel),
      report: (_life, reports) => {
        const us = this.random.between(500, 20_000);
        this.queue.after(us, () => this.control.reported(reports));
      },
      applied: (life, changes) =>
        this.#check(life.node, (checker) => checker.applied?.(life, changes)),
      event: (life, event) => {
        this.events.set(event.name, (this.events.get(event.name) ?? 0) + 1);
        this.#check(life.node, (checker) => checker.event?.(life, event));
      },
      started: (life, status) =>
        this.#check(life.node, (checker) => checker.started?.(life, status)),
      faulted: (life, error) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.violated('machines-never-fault', text, life.node);
      },
      trace:
        trace === undefined
          ? undefined
          : (life, what, detail) => this.#trace(nameOf(life.node), what, detail),
    };
  }

  #makeClient(at: number): ShardClient {
    const random = this.random.split(`client/${at}`);
    const execute = this.executing(random.split('calls'), LIMITS_OF_CALLS);
    return new ShardClient(at, this.surroundings(execute), random);
  }

  #makeLister(at: number): ListClient {
    const random = this.random.split(`lister/${at}`);
    const execute = this.executing(random.split('calls'), LIMITS_OF_CALLS);
    return new ListClient(at, this.surroundings(execute), random);
  }

  #check(node: number | undefined, ask: (checker: ShardChecker) => string | undefined): void {
    for (const checker of this.#checkers) {
      const message = ask(checker);
      if (message !== undefined) this.violated(checker.name, message, node);
    }
  }

  #send(from: ShardLife, to: NodeId, parcel: ShardParcel): void {
    this.#trace(nameOf(from.node), `> n${this.#numberOf(to) + 1} ${parcel.body.type}`, parcel.body);
    this.#check(from.node, (checker) => checker.sent?.(from, to, parcel.body));
    invariant(to !== from.nodeId, 'A node sends nothing to itself.');
    this.#network.send(from.node, this.#numberOf(to), parcel);
  }

  #deliver(from: number, to: number, parcel: ShardParcel): void {
    this.hosts[to]?.deliver(this.#idOf(from), parcel);
  }

  #ask(to: NodeId, operation: Operation, answered: (answer: Answer) => void): void {
    const host = this.hosts[this.#numberOf(to)];
    const { random } = this;
    const delayUs = (): number => random.between(100, CLIENT_LATENCY_MS_MAX * 1000);
    const isLost = (): boolean => !this.#healed && random.chance(CLIENT_LOSS_SHARE);
    if (isLost()) return;
    this.queue.after(delayUs(), () =>
      host?.operate(operation, (answer) => {
        this.#trace(nameOf(host.node), '= answer', answer);
        if (!isLost()) this.queue.after(delayUs(), () => answered(answer));
      }),
    );
  }

  readonly #controlRound = (): void => {
    this.control.round();
    this.queue.after(CONTROL_EVERY_US, this.#controlRound);
  };

  /** Everybody hears of it in time; a host that is down hears it when it starts. */
  #spreadNews(): void {
    const to = this.control.length;
    for (const host of this.hosts) {
      const averageMs = this.#healed ? 5 : this.tuning.newsMs;
      const delayMs = -Math.log(1 - this.random.unit()) * averageMs;
      this.queue.after(delayMs * 1000, () => {
        if (host.isUp) this.#tell(host, to);
      });
    }
  }

  #tell(host: ShardHost, to: number): void {
    const after = this.#told[host.node] ?? 0;
    if (to <= after) return;
    this.#told[host.node] = to;
    host.input({ kind: 'configs', configs: this.control.changes(after, to) });
  }

  /** A process may begin with an older table than the one before it had heard of. */
  #startHost(host: ShardHost): void {
    const length = this.control.length;
    const known = Math.max(this.tuning.shards, this.random.below(length + 1));
    this.#told[host.node] = known;
    host.start(this.control.changes(0, known));
    host.input({ kind: 'alive', nodes: new Set(this.#believedAlive()) });
    const delayMs = -Math.log(1 - this.random.unit()) * this.tuning.newsMs;
    this.queue.after(delayMs * 1000, () => {
      if (host.isUp) this.#tell(host, this.control.length);
    });
    this.#notice(this.random.between(1, this.tuning.noticeMs));
  }

  #believedAlive(): readonly NodeId[] {
    return this.#believed.filter(({ alive }) => alive).map(({ nodeId: id }) => id);
  }

  /** After `ms` the control group and the nodes believe what is true now. */
  #notice(ms: number): void {
    this.queue.after(ms * 1000, () => {
      let changed = false;
      for (const [at, host] of this.hosts.entries()) {
        const before = this.#believed[at] as BelievedNode;
        const alive = host.isUp && !host.isPaused;
        if (before.alive === alive && before.generation === host.generation) continue;
        this.#believed[at] = { ...before, alive, generation: host.generation };
        changed = true;
      }
      if (!changed) return;
      const nodes = new Set(this.#believedAlive());
      for (const host of this.hosts) host.input({ kind: 'alive', nodes });
    });
  }

  #idOf(node: number): NodeId {
    const host = this.hosts[node];
    invariant(host !== undefined, `There is no node ${node}.`);
    return host.nodeId;
  }

  #numberOf(id: NodeId): number {
    const number = this.#numbers.get(id);
    invariant(number !== undefined, `Nobody is called ${id}.`);
    return number;
  }

  #trace(node: string, what: string, detail: unknown): void {
    this.#options.trace?.({ atMs: this.nowMs, node, what, detail });
  }
}

function nameOf(node: number): string {
  return `n${node + 1}`;
}
