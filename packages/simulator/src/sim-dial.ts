import type { DialProblem } from '@memgrid/core';
import type { SimConnection, SimSocket, SocketListener } from './sim-connection.ts';

/** How an attempt to connect ends, as the dialling process is told. */
export interface DialListener<Frame> extends Omit<SocketListener<Frame>, 'opened'> {
  readonly opened: (socket: SimSocket<Frame>) => void;
  readonly failed: (problem: DialProblem) => void;
}

/** What a dial needs to know about the network. */
export interface DialSurroundings<Frame> {
  readonly after: (delayUs: number, run: () => void) => void;
  /** Runs `run` when a packet gets to the other host; never, when it gets lost. */
  readonly packet: (from: string, to: string, run: () => void) => void;
  readonly hostExists: (host: string) => boolean;
  /** Makes a connection with whoever listens there; undefined when nobody does. */
  readonly connect: () => SimConnection<Frame> | undefined;
}

export interface DialOptions {
  readonly from: string;
  readonly address: string;
  readonly timeoutMs: number;
}

/** The first retransmission of a connection request; each later one doubles it. */
const REQUEST_TIMEOUT_US = 1_000_000;

/**
 * One attempt to connect: TCP's three packets, then the web socket's request, which only a running
 * process answers. A kernel alone refuses (nobody listens) or accepts (the process is paused).
 */
export class SimDial<Frame> {
  readonly #options: DialOptions;
  readonly #world: DialSurroundings<Frame>;
  readonly #listener: DialListener<Frame>;
  #socket: SimSocket<Frame> | undefined;
  /** The other kernel has answered: the request is not sent again. */
  #heard = false;
  #done = false;

  constructor(options: DialOptions, world: DialSurroundings<Frame>, listener: DialListener<Frame>) {
    this.#options = options;
    this.#world = world;
    this.#listener = listener;
    world.after(options.timeoutMs * 1000, () => this.#fail('timeout'));
    if (world.hostExists(hostOf(options.address))) this.#request(REQUEST_TIMEOUT_US);
    else world.after(1000, () => this.#fail('unreachable'));
  }

  /** The process has lost interest (or its life). */
  cancel(): void {
    this.#done = true;
    this.#socket?.abort();
  }

  #request(timeoutUs: number): void {
    if (this.#done || this.#heard) return;
    const { from, address } = this.#options;
    const host = hostOf(address);
    this.#world.packet(from, host, () => {
      if (!this.#done) this.#world.packet(host, from, () => this.#answered());
    });
    this.#world.after(timeoutUs, () => this.#request(timeoutUs * 2));
  }

  /** The other kernel's answer is here. Whether somebody listens was decided when it left. */
  #answered(): void {
    if (this.#done || this.#heard) return;
    this.#heard = true;
    const connection = this.#world.connect();
    if (connection === undefined) {
      this.#fail('refused');
      return;
    }
    const socket = connection.dialler;
    this.#socket = socket;
    socket.listen({
      opened: () => {
        this.#done = true;
        this.#listener.opened(socket);
      },
      frame: (frame, bytes) => this.#listener.frame(frame, bytes),
      closed: () => {
        if (this.#done) this.#listener.closed();
        else this.#fail('unreachable');
      },
      buffered: (bytes) => this.#listener.buffered(bytes),
    });
  }

  #fail(problem: DialProblem): void {
    if (this.#done) return;
    this.#done = true;
    this.#socket?.abort();
    this.#listener.failed(problem);
  }
}

/** `n1:7700` is on host `n1`. */
export function hostOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(0, colon);
}
