import { Driver, unreachable } from '@memgrid/core';
import type {
  Call,
  CallOutcome,
  Instant,
  Machine,
  Random,
  Scheduler,
  SessionEffect,
  SessionEvent,
  SessionInput,
} from '@memgrid/core';
import { ClientSockets } from './client-sockets.ts';
import type { EventQueue } from './event-queue.ts';
import type { WireFrame } from './frame-codec.ts';
import { SimClock } from './sim-clock.ts';
import { clientAddress } from './sim-process.ts';
import type { SimNetwork } from './sim-network.ts';

/** What a simulated client runs: production's `Session`. */
export type SimulatedSession = Machine<SessionInput, SessionEffect>;

/** What a session starts from. */
export interface SessionStart {
  readonly random: Random;
  readonly now: Instant;
  readonly wallMs: number;
}

export interface SimClientOptions {
  /** Its host: `c1`. */
  readonly name: string;
  readonly queue: EventQueue;
  readonly network: SimNetwork<WireFrame>;
  readonly random: Random;
  readonly session: (start: SessionStart) => SimulatedSession;
  readonly sent: (bytes: Uint8Array) => void;
  readonly event: (event: SessionEvent) => void;
  readonly faulted: (error: unknown) => void;
}

/** From "something is ready" to the turn that handles it, as in a process of a node. */
const LOOP_US = 40;
const TIMER_LATE_US_MAX = 1_000;
const SKEW_MS = 300;
const SLICE_MS_MAX = 5;
const INBOX_MAX = 65_536;

/** One application's process with a session: the production driver and machine on a host without disk. */
export class SimClient {
  readonly #options: SimClientOptions;
  readonly #driver: Driver<SessionInput, SessionEffect>;
  readonly #sockets: ClientSockets;
  readonly #clock: SimClock;
  readonly #calls = new Map<number, (outcome: CallOutcome) => void>();
  #callCount = 0;
  #timer = 0;

  constructor(options: SimClientOptions) {
    this.#options = options;
    const { name, network, queue, random } = options;
    network.addHost(name);
    this.#clock = new SimClock(() => queue.nowUs, random.below(1_000_000_000));
    this.#clock.skew(random.between(-SKEW_MS, SKEW_MS));
    const push = (input: SessionInput): void => void this.#driver.push(input);
    this.#sockets = new ClientSockets({
      host: name,
      network,
      random: random.split('sockets'),
      later: (run) => queue.after(LOOP_US, run),
      events: {
        opened: (link) => push({ kind: 'linkOpened', link }),
        failed: (link, problem) => push({ kind: 'linkFailed', link, problem }),
        closed: (link) => push({ kind: 'linkClosed', link }),
        received: (link, message) => push({ kind: 'received', link, message }),
        garbage: (link, problem) => push({ kind: 'garbage', link, problem }),
        pressure: (link, bufferedBytes) => push({ kind: 'pressure', link, bufferedBytes }),
      },
      sent: options.sent,
    });
    const clock = this.#clock.view(() => 0);
    const machine = options.session({
      random: random.split('session'),
      now: clock.now(),
      wallMs: clock.wallMs(),
    });
    this.#driver = new Driver<SessionInput, SessionEffect>({
      machine,
      clock,
      scheduler: this.#scheduler,
      perform: (effect) => this.#perform(effect),
      flush: () => this.#sockets.flush(),
      wallClockInput: (wallMs) => ({ kind: 'wallClock', wallMs }),
      onFault: options.faulted,
      sliceMsMax: SLICE_MS_MAX,
      inboxMax: INBOX_MAX,
    });
    this.#driver.start();
  }

  get name(): string {
    return this.#options.name;
  }

  /** `ended` is told exactly once. */
  call(call: Omit<Call, 'call'>, ended: (outcome: CallOutcome) => void): void {
    this.#callCount += 1;
    const number = this.#callCount;
    this.#calls.set(number, ended);
    this.#driver.push({ kind: 'calls', calls: [{ ...call, call: number }] });
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'dial':
        this.#sockets.dial(effect.link, clientAddress(effect.address));
        break;
      case 'hangUp':
        this.#sockets.hangUp(effect.link);
        break;
      case 'send':
        this.#sockets.send(effect.link, effect.message);
        break;
      case 'outcome': {
        const ended = this.#calls.get(effect.call);
        this.#calls.delete(effect.call);
        if (ended === undefined) throw new Error(`Call ${effect.call} ended twice.`);
        ended(effect.outcome);
        break;
      }
      case 'event':
        this.#options.event(effect.event);
        break;
      case 'watchReady':
      case 'changes':
      case 'gap':
      case 'watchEnded':
      case 'drained':
      case 'status':
        // Nobody in this world watches, drains, or looks at a status.
        break;
      default:
        unreachable(effect);
    }
  }

  readonly #scheduler: Scheduler = {
    soon: (turn) => this.#options.queue.after(LOOP_US, turn),
    at: (moment, turn) => {
      this.#timer += 1;
      const timer = this.#timer;
      const { queue, random } = this.#options;
      const dueUs = Math.max(queue.nowUs, this.#clock.worldUsOf(moment));
      queue.at(dueUs + random.below(TIMER_LATE_US_MAX), () => {
        if (timer === this.#timer) turn();
      });
    },
    cancel: () => {
      this.#timer += 1;
    },
  };
}
