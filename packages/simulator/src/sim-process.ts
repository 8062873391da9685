import { Driver, entryKey, unreachable } from '@memgrid/core';
import type {
  Clock,
  Instant,
  LinkId,
  Machine,
  NodeEffect,
  NodeInput,
  NodeRequest,
  NodeStatus,
  Random,
  Scheduler,
} from '@memgrid/core';
import type { Envelope } from '@memgrid/protocol';
import { ClientSockets } from './client-sockets.ts';
import type { ClientSocketEvents } from './client-sockets.ts';
import type { EntryDisk } from './entry-disk.ts';
import type { EventQueue } from './event-queue.ts';
import { MeteredMachine } from './metered-machine.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimSocket } from './sim-connection.ts';
import { hostOf } from './sim-dial.ts';
import type { SimDisk } from './sim-disk.ts';
import { SimLinks } from './sim-links.ts';
import type { CodecChoice, WireFrame } from './frame-codec.ts';
import type { SimNetwork } from './sim-network.ts';
import type { TraceHash } from './trace-hash.ts';
import type { ProcessEnd, ProcessLabel, WorldEvent } from './world-event.ts';

/** What runs in a simulated process: the real `NodeMachine`, or a toy in tests. */
export interface SimulatedMachine extends Machine<NodeInput, NodeEffect> {
  status(now: Instant): NodeStatus;
}

export interface ProcessOptions {
  readonly label: ProcessLabel;
  readonly address: string;
  readonly machine: SimulatedMachine;
  readonly queue: EventQueue;
  readonly network: SimNetwork<WireFrame>;
  readonly disk: SimDisk;
  /** The entries on that disk. */
  readonly entries: Pick<EntryDisk, 'load' | 'written'>;
  readonly clock: SimClock;
  readonly random: Random;
  readonly codec: CodecChoice;
  readonly hash: TraceHash;
  readonly observe: (event: WorldEvent) => void;
  readonly ended: (end: ProcessEnd) => void;
}

/** What waits in the socket buffers and queues of the operating system. */
export type Arrival =
  | { readonly kind: 'input'; readonly input: NodeInput }
  | { readonly kind: 'deed'; readonly run: (push: (input: NodeInput) => void) => void };

/** How long a loop takes from "something is ready" to the turn that handles it. */
const LOOP_US = 40;
/** What a turn costs besides its steps: the poll, the flush. */
const TURN_US = 30;
/** Node's timers count whole milliseconds and fire a little late. */
const TIMER_LATE_US_MAX = 1_000;
/** The stall sensor's tick, and how late it must be to count. */
const SENSOR_US = 20_000;
const STALL_REPORTED_US_MIN = 300_000;
const LOAD_EVERY_US = 1_000_000;
const SLICE_MS_MAX = 5;
const INBOX_MAX = 65_536;

/**
 * One simulated process: the production driver around a machine, on an event loop that can be
 * slow, stalled and stopped.
 *
 * An iteration of the loop does what Node's does: due timers, then everything that arrived, then
 * the turn. While a process is stalled or stopped its sockets stay open and fill up.
 */
export class SimProcess {
  readonly label: ProcessLabel;
  readonly #options: ProcessOptions;
  readonly #clock: Clock;
  readonly #machine: MeteredMachine;
  readonly #driver: Driver<NodeInput, NodeEffect>;
  readonly #links: SimLinks;
  readonly #clients: ClientSockets;
  #clientCount = 0;
  #arrivals: Arrival[] = [];
  #turn: (() => void) | undefined;
  #timer: { readonly atUs: number; readonly turn: () => void } | undefined;
  #timerQueuedUs = Infinity;
  #loopQueuedUs = Infinity;
  #busyUntilUs = 0;
  #stoppedAtUs: number | undefined;
  #stalledUs = 0;
  #lagUsMax = 0;
  #heapPercent = 30;
  #sampleWanted = false;
  #end: ProcessEnd | undefined;
  /** How much slower than an ordinary one this machine is at the moment. */
  slowness = 1;

  constructor(options: ProcessOptions) {
    this.label = options.label;
    this.#options = options;
    this.#clock = options.clock.view(() => this.#machine.spentUs * this.slowness);
    this.#machine = new MeteredMachine({
      ...options,
      received: (link, envelope) => this.#received(link, envelope),
      stored: (operations) => options.observe({ kind: 'stored', at: this.label, operations }),
      published: (name) => {
        if (SAMPLED_AFTER.has(name)) this.#sampleWanted = true;
      },
    });
    this.#links = new SimLinks(options, (arrival) => this.#arrive(arrival));
    this.#clients = new ClientSockets({
      host: hostOf(options.address),
      network: options.network,
      random: options.random.split('clients'),
      later: (run) => this.#arrive({ kind: 'deed', run }),
      events: this.#clientEvents,
      sent: (bytes) => options.hash.bytes(bytes),
    });
    this.#driver = new Driver<NodeInput, NodeEffect>({
      machine: this.#machine,
      clock: this.#clock,
      scheduler: this.#scheduler,
      perform: (effect) => this.#perform(effect),
      flush: () => {
        this.#links.flush();
        this.#clients.flush();
      },
      wallClockInput: (wallMs) => ({ kind: 'wallClock', wallMs }),
      onFault: (error) => this.#finish({ how: 'faulted', error }),
      sliceMsMax: SLICE_MS_MAX,
      inboxMax: INBOX_MAX,
    });
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  get isStopped(): boolean {
    return this.#stoppedAtUs !== undefined;
  }

  /** Alive and able to answer within `withinUs` of now. */
  canAnswer(withinUs: number): boolean {
    return this.isRunning && !this.isStopped && this.#busyUntilUs <= this.#nowUs + withinUs;
  }

  get refusedInputCount(): number {
    return this.#driver.refusedCount;
  }

  start(): void {
    const { network, address, observe } = this.#options;
    network.listen(address, this.#links.acceptor);
    network.listen(clientAddress(address), { accepted: (...told) => this.#acceptClient(...told) });
    observe({ kind: 'started', at: this.label });
    this.#driver.start();
    this.#options.queue.after(this.#options.random.between(0, LOAD_EVERY_US), this.#measureLoad);
  }

  status(): NodeStatus {
    return this.#options.machine.status(this.#clock.now());
  }

  request(request: number, body: NodeRequest): void {
    this.#options.observe({ kind: 'requested', at: this.label, request, body });
    this.#arrive({ kind: 'input', input: { kind: 'request', request, body } });
  }

  /** Something that no connection and no timer brings: what was found on the disk. */
  tell(input: NodeInput): void {
    this.#arrive({ kind: 'input', input });
  }

  /** SIGTERM. */
  shutdown(): void {
    this.#arrive({ kind: 'input', input: { kind: 'shutdown' } });
  }

  /** The loop does nothing for so long: garbage collection, a long computation, a throttled CPU. */
  stall(forUs: number): void {
    if (!this.isRunning) return;
    this.#busyUntilUs = Math.max(this.#busyUntilUs, this.#nowUs) + forUs;
    this.#stalledUs += forUs;
    this.#queueLoop(this.#busyUntilUs);
  }

  /** SIGSTOP: nothing runs until `resume`; the kernel keeps the sockets. */
  stop(): void {
    if (this.isRunning) this.#stoppedAtUs ??= this.#nowUs;
  }

  resume(): void {
    if (this.#stoppedAtUs === undefined) return;
    this.#stalledUs += this.#nowUs - this.#stoppedAtUs;
    this.#stoppedAtUs = undefined;
    this.#queueLoop(this.#nowUs);
  }

  kill(): void {
    this.#finish({ how: 'killed' });
  }

  powerOff(): void {
    this.#finish({ how: 'powerOff' });
  }

  readonly #scheduler: Scheduler = {
    soon: (turn) => {
      this.#turn = turn;
      this.#queueLoop(this.#nowUs + LOOP_US);
    },
    at: (moment, turn) => {
      const late = this.#options.random.below(TIMER_LATE_US_MAX);
      const dueUs = Math.max(this.#nowUs, this.#options.clock.worldUsOf(moment)) + late;
      this.#timer = { atUs: dueUs, turn };
      this.#queueTimer();
    },
    cancel: () => {
      this.#timer = undefined;
    },
  };

  /** Keeps one event in the queue for all timers: a later one is looked at when it fires. */
  #queueTimer(): void {
    const timer = this.#timer;
    if (timer === undefined || timer.atUs >= this.#timerQueuedUs) return;
    const atUs = timer.atUs;
    this.#timerQueuedUs = atUs;
    this.#options.queue.at(atUs, () => {
      if (this.#timerQueuedUs !== atUs) return;
      this.#timerQueuedUs = Infinity;
      if (this.#timer === undefined) return;
      if (this.#timer.atUs <= this.#nowUs) this.#queueLoop(this.#nowUs);
      else this.#queueTimer();
    });
  }

  #arrive(arrival: Arrival): void {
    if (!this.isRunning) return;
    this.#arrivals.push(arrival);
    this.#queueLoop(this.#nowUs + LOOP_US);
  }

  #queueLoop(atUs: number): void {
    const whenUs = Math.round(Math.max(atUs, this.#busyUntilUs));
    if (whenUs >= this.#loopQueuedUs || !this.isRunning) return;
    this.#loopQueuedUs = whenUs;
    this.#options.queue.at(whenUs, () => {
      if (this.#loopQueuedUs !== whenUs) return;
      this.#loopQueuedUs = Infinity;
      if (!this.isRunning || this.isStopped) return;
      // A stall may have begun after this iteration was queued.
      if (this.#busyUntilUs > this.#nowUs) this.#queueLoop(this.#busyUntilUs);
      else this.#iterate();
    });
  }

  #iterate(): void {
    this.#machine.beginTurn();
    this.#tellStall();
    this.#fireTimer();
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    for (const arrival of arrivals) {
      if (arrival.kind === 'input') this.#driver.push(arrival.input);
      else arrival.run((input) => this.#driver.push(input));
    }
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.();
    this.#sampleIfWanted();
    const spentUs = (TURN_US + this.#machine.spentUs) * this.slowness;
    this.#machine.beginTurn();
    this.#busyUntilUs = this.#nowUs + Math.round(spentUs);
    if (this.#turn !== undefined || this.#arrivals.length > 0) this.#queueLoop(this.#nowUs);
  }

  /** What the sensor's late tick tells, before anything that arrived meanwhile. */
  #tellStall(): void {
    if (this.#stalledUs === 0) return;
    const seenUs = this.#stalledUs - this.#options.random.below(SENSOR_US);
    this.#stalledUs = 0;
    this.#lagUsMax = Math.max(this.#lagUsMax, seenUs);
    if (seenUs < STALL_REPORTED_US_MIN) return;
    this.#driver.push({ kind: 'stalled', stalledMs: Math.round(seenUs / 1000) });
  }

  #fireTimer(): void {
    const timer = this.#timer;
    if (timer === undefined || timer.atUs > this.#nowUs) return;
    this.#timer = undefined;
    timer.turn();
  }

  readonly #measureLoad = (): void => {
    if (!this.isRunning) return;
    const { random, queue } = this.#options;
    const lagMs = Math.max(random.between(0.1, 2), this.#lagUsMax / 1000);
    this.#lagUsMax = 0;
    this.#heapPercent = Math.min(90, Math.max(10, this.#heapPercent + random.below(7) - 3));
    this.#arrive({
      kind: 'input',
      input: { kind: 'load', loopLagP99Ms: Math.round(lagMs), heapPercent: this.#heapPercent },
    });
    queue.after(LOAD_EVERY_US, this.#measureLoad);
  };

  #perform(effect: NodeEffect): void {
    if (!this.isRunning) return;
    const { disk, entries, observe } = this.#options;
    switch (effect.kind) {
      case 'dial':
        this.#links.dial(effect.link, effect.address);
        break;
      case 'hangUp':
        this.#links.hangUp(effect.link);
        break;
      case 'send':
        this.#send(effect.link, effect.envelope);
        break;
      case 'store':
        entries.written(effect.operations);
        disk.store(effect.operations, effect.durable, (problem) => {
          const { ticket } = effect;
          const input: NodeInput =
            problem === undefined
              ? { kind: 'stored', ticket }
              : { kind: 'storeFailed', ticket, problem };
          this.#arrive({ kind: 'input', input });
        });
        break;
      case 'clientSend':
        this.#clients.send(effect.link, effect.message);
        break;
      case 'clientHangUp':
        this.#clients.hangUp(effect.link);
        break;
      case 'clientPause':
        this.#clients.pause(effect.link, effect.paused);
        break;
      case 'load':
        this.#load(effect);
        break;
      case 'reply':
        observe({ kind: 'replied', at: this.label, request: effect.request, reply: effect.reply });
        break;
      case 'publish':
        observe({ kind: 'published', at: this.label, event: effect.event });
        break;
      case 'halt':
        this.#links.flush();
        this.#clients.flush();
        this.#finish({ how: 'halted', code: effect.code, detail: effect.detail });
        break;
      default:
        unreachable(effect);
    }
  }

  #send(link: LinkId, envelope: Envelope): void {
    const to = this.#links.peerHost(link);
    // The link is gone and the machine has not read that yet: nothing leaves.
    if (to === undefined) return;
    this.#options.observe({ kind: 'sent', at: this.label, to, envelope });
    this.#links.send(link, envelope);
  }

  #load(effect: NodeEffect & { readonly kind: 'load' }): void {
    const { key, shard, slot, ticket } = effect;
    this.#options.entries.load(entryKey(shard, slot, key), (result) => {
      this.#arrive({ kind: 'input', input: { kind: 'loaded', ticket, result } });
    });
  }

  #acceptClient(socket: SimSocket<WireFrame>, remote: string): void {
    this.#clientCount += 1;
    const link = this.#clientCount;
    this.#clients.admit(link, socket);
    this.#arrive({
      kind: 'deed',
      run: (push) => {
        socket.accept();
        push({ kind: 'clientAccepted', link, remote });
      },
    });
  }

  get #clientEvents(): ClientSocketEvents {
    const push = (input: NodeInput): void => void this.#driver.push(input);
    return {
      // A node dials no client.
      opened: () => undefined,
      failed: () => undefined,
      closed: (link) => push({ kind: 'clientClosed', link }),
      received: (link, message) => push({ kind: 'clientReceived', link, message }),
      garbage: (link, problem) => push({ kind: 'clientGarbage', link, problem }),
      pressure: (link, bufferedBytes) => push({ kind: 'clientPressure', link, bufferedBytes }),
    };
  }

  #received(link: LinkId, envelope: Envelope): void {
    const from = this.#links.peerHost(link) ?? 'gone';
    this.#options.observe({ kind: 'received', at: this.label, from, envelope });
  }

  sample(): void {
    if (!this.isRunning || this.isStopped) return;
    this.#options.observe({ kind: 'sampled', at: this.label, status: this.status() });
  }

  #sampleIfWanted(): void {
    if (!this.#sampleWanted) return;
    this.#sampleWanted = false;
    this.sample();
  }

  #finish(end: ProcessEnd): void {
    if (!this.isRunning) return;
    this.#end = end;
    this.#driver.stop();
    const { network, address, disk, observe } = this.#options;
    network.unlisten(address);
    network.unlisten(clientAddress(address));
    this.#links.end(end.how);
    this.#clients.end(end.how);
    this.#arrivals = [];
    if (end.how === 'halted') {
      disk.close();
    } else {
      const lost = disk.crash(end.how === 'powerOff' ? 'powerOff' : 'killed');
      if (lost.batchesLost > 0) observe({ kind: 'diskLost', at: this.label, ...lost });
    }
    observe({ kind: 'ended', at: this.label, end });
    this.#options.ended(end);
  }

  get #nowUs(): number {
    return this.#options.queue.nowUs;
  }
}

const SAMPLED_AFTER: ReadonlySet<string> = new Set([
  'control.applied',
  'control.caughtUp',
  'coordinator.elected',
  'coordinator.steppedDown',
  'coordinator.lost',
  'cluster.founded',
  'cluster.joined',
  'group.changed',
  'snapshot.installed',
]);

/** Where a node whose peers reach it at `address` takes clients. */
export function clientAddress(address: string): string {
  return `${address}/client`;
}
