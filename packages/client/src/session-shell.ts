import { Driver, InvariantError, Random, Session } from '@memgrid/core';
import type {
  Call,
  CallId,
  CallOutcome,
  Instant,
  SessionEffect,
  SessionEvent,
  SessionInput,
  SessionStatus,
} from '@memgrid/core';
import { randomInt } from 'node:crypto';
import { failedResult } from '@memgrid/protocol';
import type { ClientConfig } from './client-config.ts';
import { ClientSocket } from './client-socket.ts';
import { EventLoopScheduler } from './event-loop-scheduler.ts';
import type { LruNearStore } from './lru-near-store.ts';
import { usePlatformText } from './platform-text.ts';
import { systemClock } from './system-clock.ts';
import { VERSION } from './version.ts';

/** One turn may work this long before the application gets the loop. */
const SLICE_MS_MAX = 5;
/** Inputs that wait, at which sockets stop being read. What is beyond is calls, which are bounded. */
const INBOX_PAUSE = 4_096;
const INBOX_MAX = 1_048_576;

type CallsInput = Extract<SessionInput, { readonly kind: 'calls' }>;

/** Who is told of what the session does. */
export interface SessionListener {
  onOutcome(call: CallId, outcome: CallOutcome): void;
  onWatch(effect: WatchEffect): void;
  onStatus(status: SessionStatus): void;
  onEvent(event: SessionEvent): void;
  onDrained(): void;
  /** The client is broken and has stopped: nothing will be told any more. */
  onFault(error: Error): void;
}

export type WatchEffect = Extract<SessionEffect, { readonly watch: number }>;

/** Runs one session on Node's event loop: its sockets, its clock, its turns. */
export class SessionShell {
  readonly session: Session;
  readonly #config: ClientConfig;
  readonly #listener: SessionListener;
  readonly #driver: Driver<SessionInput, SessionEffect>;
  readonly #sockets = new Map<number, ClientSocket>();
  /** Sockets that got something in this turn. */
  readonly #gathering = new Set<ClientSocket>();
  /** The calls of this turn so far; undefined once something else came in between. */
  #calls: Call[] | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(
    config: ClientConfig,
    nearStore: LruNearStore | undefined,
    listener: SessionListener,
  ) {
    usePlatformText();
    this.#config = config;
    this.#listener = listener;
    this.session = new Session({
      seeds: config.seeds,
      name: config.name,
      version: VERSION,
      config: config.session,
      // Operation ids come from it: its seed must differ between processes that start together.
      random: Random.of(randomInt(2 ** 48 - 1)),
      now: systemClock.now(),
      nearStore,
    });
    this.#driver = new Driver<SessionInput, SessionEffect>({
      machine: this.session,
      clock: systemClock,
      scheduler: new EventLoopScheduler(),
      perform: (effect) => this.#perform(effect),
      flush: () => this.#flush(),
      wallClockInput: (wallMs) => {
        // The turn takes what is in the inbox now; calls from here on belong to the next one.
        this.#calls = undefined;
        return { kind: 'wallClock', wallMs };
      },
      onFault: (error) => this.#fault(error),
      sliceMsMax: SLICE_MS_MAX,
      inboxMax: INBOX_MAX,
    });
  }

  start(): void {
    this.#driver.start();
  }

  now(): Instant {
    return systemClock.now();
  }

  /** All calls of one turn of the application become one input. */
  call(call: Call): void {
    if (this.#calls !== undefined) {
      this.#calls.push(call);
      return;
    }
    const calls = [call];
    this.#calls = calls;
    const input: CallsInput = { kind: 'calls', calls };
    if (!this.#driver.push(input)) this.#refuse(call);
  }

  push(input: SessionInput): void {
    this.#calls = undefined;
    this.#driver.push(input);
  }

  /** No more turns; sockets say goodbye. */
  stop(): void {
    this.#isClosed = true;
    this.#calls = undefined;
    this.#driver.stop();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #refuse(call: Call): void {
    const full = { waiting: INBOX_MAX, max: INBOX_MAX };
    const result = this.#isClosed ? failedResult('CLOSED', {}) : failedResult('OVERLOADED', full);
    const { code, message, applied, current } = result;
    const { operationId } = call.options;
    this.#calls = undefined;
    this.#listener.onOutcome(call.call, {
      kind: 'failed',
      code,
      message,
      applied,
      operationId,
      current,
      result,
    });
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'dial':
        this.#dial(effect.link, effect.address);
        break;
      case 'hangUp':
        this.#hangUp(effect.link);
        break;
      case 'send': {
        const socket = this.#sockets.get(effect.link);
        if (socket === undefined) break;
        socket.add(effect.message);
        this.#gathering.add(socket);
        break;
      }
      case 'outcome':
        this.#listener.onOutcome(effect.call, effect.outcome);
        break;
      case 'status':
        this.#listener.onStatus(effect.status);
        break;
      case 'event':
        this.#listener.onEvent(effect.event);
        break;
      case 'drained':
        this.#listener.onDrained();
        break;
      default:
        this.#listener.onWatch(effect);
    }
  }

  #dial(link: number, address: string): void {
    const socket = new ClientSocket(address, this.#config.socket, {
      onOpen: () => this.#fromSocket({ kind: 'linkOpened', link }),
      onFailed: (problem) => this.#ended(link, { kind: 'linkFailed', link, problem }),
      onMessage: (message) => this.#fromSocket({ kind: 'received', link, message }),
      onGarbage: (problem) => this.#fromSocket({ kind: 'garbage', link, problem }),
      onPressure: (bufferedBytes) => this.#fromSocket({ kind: 'pressure', link, bufferedBytes }),
      onClosed: () => this.#ended(link, { kind: 'linkClosed', link }),
    });
    this.#sockets.set(link, socket);
  }

  #ended(link: number, input: SessionInput): void {
    this.#sockets.delete(link);
    this.#fromSocket(input);
  }

  #hangUp(link: number): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    this.#sockets.delete(link);
    this.#gathering.delete(socket);
    socket.close();
  }

  #fromSocket(input: SessionInput): void {
    this.push(input);
    if (this.#isPaused || this.#driver.waitingCount < INBOX_PAUSE) return;
    this.#isPaused = true;
    for (const socket of this.#sockets.values()) socket.pause();
  }

  #flush(): void {
    for (const socket of this.#gathering) socket.flush();
    this.#gathering.clear();
    if (!this.#isPaused || this.#driver.waitingCount >= INBOX_PAUSE / 2) return;
    this.#isPaused = false;
    for (const socket of this.#sockets.values()) socket.resume();
  }

  #fault(error: unknown): void {
    this.stop();
    const isError = error instanceof Error;
    this.#listener.onFault(isError ? error : new InvariantError(`Thrown: ${String(error)}.`));
  }
}
