import { invariant } from '@memgrid/core';
import type { Random } from '@memgrid/core';
import type { EventQueue } from './event-queue.ts';
import { conditionsOf, ORDINARY_PATH } from './path-conditions.ts';
import type { NetworkFault, PathConditions, Spoilage } from './path-conditions.ts';
import { SimConnection } from './sim-connection.ts';
import type { ConnectionSurroundings, SimSocket } from './sim-connection.ts';
import { hostOf, SimDial } from './sim-dial.ts';
import type { DialListener, DialSurroundings } from './sim-dial.ts';

/** A process that accepts connections at an address. */
export interface Acceptor<Frame> {
  readonly accepted: (socket: SimSocket<Frame>, remote: string) => void;
}

/** How long the shell waits for a connection to open, as production's does. */
const DIAL_TIMEOUT_MS = 3_000;

/**
 * The network between the hosts of a world: connections that behave like TCP's, over directed
 * paths that can be cut, slow, lossy, narrow and spiteful.
 */
export class SimNetwork<Frame> {
  readonly #queue: EventQueue;
  readonly #random: Random;
  /** Hosts by name, and whether they have power. */
  readonly #hosts = new Map<string, boolean>();
  readonly #acceptors = new Map<string, Acceptor<Frame>>();
  #faults: NetworkFault[] = [];
  readonly #paths = new Map<string, PathConditions>();
  #connections: SimConnection<Frame>[] = [];
  #remoteCount = 0;

  constructor(queue: EventQueue, random: Random) {
    this.#queue = queue;
    this.#random = random;
  }

  get connectionCount(): number {
    return this.#connections.length;
  }

  addHost(host: string): void {
    this.#hosts.set(host, true);
  }

  /** Power on or off. Without it a host answers nothing, not even with a refusal. */
  power(host: string, on: boolean): void {
    invariant(this.#hosts.has(host), `There is no host ${host}.`);
    this.#hosts.set(host, on);
    if (on) this.#pumpAll();
  }

  listen(address: string, acceptor: Acceptor<Frame>): void {
    this.#acceptors.set(address, acceptor);
  }

  unlisten(address: string): void {
    this.#acceptors.delete(address);
  }

  dial(from: string, address: string, listener: DialListener<Frame>): SimDial<Frame> {
    const world: DialSurroundings<Frame> = {
      after: (delayUs, run) => this.#queue.after(delayUs, run),
      packet: (source, target, run) => this.#packet(source, target, run),
      hostExists: (host) => this.#hosts.has(host),
      connect: () => this.#connect(from, address),
    };
    return new SimDial({ from, address, timeoutMs: DIAL_TIMEOUT_MS }, world, listener);
  }

  /** Puts a fault in force; the result takes it back. */
  inflict(fault: NetworkFault): () => void {
    this.#faults.push(fault);
    this.#changed();
    return () => {
      if (!this.#faults.includes(fault)) return;
      this.#faults = this.#faults.filter((other) => other !== fault);
      this.#changed();
    };
  }

  /** Takes every fault back. */
  heal(): void {
    this.#faults = [];
    this.#changed();
  }

  isCut(from: string, to: string): boolean {
    return this.#conditions(from, to).cut;
  }

  /** Resets every connection between two hosts, in the middle of whatever is on its way. */
  reset(a: string, b: string): void {
    for (const connection of [...this.#connections]) if (connection.joins(a, b)) connection.reset();
  }

  /** Whether and how a frame on this path arrives as something that was never sent. */
  spoilage(from: string, to: string): Spoilage | undefined {
    for (const fault of this.#faults) {
      if (fault.spoil === undefined || !fault.concerns(from, to)) continue;
      if (this.#random.chance(fault.spoil.share)) return fault.spoil.how;
    }
    return undefined;
  }

  #connect(from: string, address: string): SimConnection<Frame> | undefined {
    const to = hostOf(address);
    const acceptor = this.#acceptors.get(address);
    if (acceptor === undefined || this.#conditions(from, to).refuse) return undefined;
    const connection = new SimConnection(from, to, this.#surroundings);
    this.#connections.push(connection);
    this.#remoteCount += 1;
    const remote = `${from}:${32_768 + (this.#remoteCount % 28_000)}`;
    connection.acceptor.listen({
      // The web socket's request: the acceptor's process hears of the connection only now.
      opened: () => {
        const listening = this.#acceptors.get(address);
        if (listening === undefined) connection.acceptor.abort();
        else listening.accepted(connection.acceptor, remote);
      },
      frame: () => undefined,
      closed: () => undefined,
      buffered: () => undefined,
    });
    connection.laneFrom(connection.dialler).send({ kind: 'open' });
    return connection;
  }

  readonly #surroundings: ConnectionSurroundings<Frame> = {
    lane: (from, to) => ({
      nowUs: () => this.#queue.nowUs,
      at: (atUs, run) => this.#queue.at(atUs, run),
      random: this.#random,
      conditions: () => this.#conditions(from, to),
      acknowledgementsPass: () => !this.#conditions(to, from).cut,
    }),
    hostIsUp: (host) => this.#hosts.get(host) === true,
    packet: (from, to, run) => this.#packet(from, to, run),
    forget: (connection) => {
      this.#connections = this.#connections.filter((other) => other !== connection);
    },
  };

  /** One packet on its own, as the kernels exchange them outside the stream: it can get lost. */
  #packet(from: string, to: string, run: () => void): void {
    const path = this.#conditions(from, to);
    if (path.cut || (path.lossShare > 0 && this.#random.chance(path.lossShare))) return;
    const travelMs = this.#random.between(path.latencyMsMin, path.latencyMsMax);
    this.#queue.after(travelMs * 1000, () => {
      if (this.#hosts.get(to) === true) run();
    });
  }

  #conditions(from: string, to: string): PathConditions {
    if (this.#faults.length === 0 || from === to) return ORDINARY_PATH;
    const key = `${from}>${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = conditionsOf(this.#faults, from, to);
      this.#paths.set(key, path);
    }
    return path;
  }

  #changed(): void {
    this.#paths.clear();
    this.#pumpAll();
  }

  #pumpAll(): void {
    for (const connection of [...this.#connections]) connection.pump();
  }
}
