import type { DialProblem, LinkId, Random } from '@memgrid/core';
import {
  decodeClientMessage,
  encodeClientMessage,
  frameBytesMax,
  FrameWriter,
  LIMITS,
  readFrame,
} from '@memgrid/protocol';
import type { ClientMessage } from '@memgrid/protocol';
import { frameBytes } from './frame-codec.ts';
import type { WireFrame } from './frame-codec.ts';
import type { SimSocket, SocketListener } from './sim-connection.ts';
import type { SimDial } from './sim-dial.ts';
import type { SimNetwork } from './sim-network.ts';
import { spoil } from './spoil.ts';

/** What the process that owns the sockets is told, in its own time: see `later`. */
export interface ClientSocketEvents {
  readonly opened: (link: LinkId) => void;
  readonly failed: (link: LinkId, problem: DialProblem) => void;
  readonly closed: (link: LinkId) => void;
  readonly received: (link: LinkId, message: ClientMessage) => void;
  readonly garbage: (link: LinkId, problem: string) => void;
  readonly pressure: (link: LinkId, bufferedBytes: number) => void;
}

export interface ClientSocketsOptions {
  readonly host: string;
  readonly network: SimNetwork<WireFrame>;
  readonly random: Random;
  /** Runs `run` when the process next reads what arrived; never, when it is over by then. */
  readonly later: (run: () => void) => void;
  readonly events: ClientSocketEvents;
  /** Every frame that leaves, for the trace hash. */
  readonly sent: (bytes: Uint8Array) => void;
}

/** Sending halves that are this full are told of, both ways. */
const PRESSURE_BYTES: readonly number[] = [256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

interface Open {
  readonly socket: SimSocket<WireFrame>;
  outgoing: ClientMessage[];
  pressure: number;
  paused: boolean;
  /** Arrived while nobody reads. */
  unread: WireFrame[];
  heldBack: WireFrame | undefined;
}

/** The connections between clients and nodes, for either end: sockets behind the numbers of links. */
export class ClientSockets {
  readonly #options: ClientSocketsOptions;
  readonly #open = new Map<LinkId, Open>();
  readonly #dials = new Map<LinkId, SimDial<WireFrame>>();

  constructor(options: ClientSocketsOptions) {
    this.#options = options;
  }

  dial(link: LinkId, address: string): void {
    const { events, host, later, network } = this.#options;
    const dial = network.dial(host, address, {
      ...this.#listener(link),
      opened: (socket) => {
        this.#dials.delete(link);
        this.admit(link, socket);
        later(() => events.opened(link));
      },
      failed: (problem) => {
        this.#dials.delete(link);
        later(() => events.failed(link, problem));
      },
    });
    if (!this.#open.has(link)) this.#dials.set(link, dial);
  }

  /** A connection that somebody else opened, or that is open now. */
  admit(link: LinkId, socket: SimSocket<WireFrame>): void {
    const open = { socket, outgoing: [], pressure: 0, paused: false, unread: [] };
    this.#open.set(link, { ...open, heldBack: undefined });
    socket.listen(this.#listener(link));
  }

  peerHost(link: LinkId): string | undefined {
    return this.#open.get(link)?.socket.peerHost;
  }

  send(link: LinkId, message: ClientMessage): void {
    this.#open.get(link)?.outgoing.push(message);
  }

  flush(): void {
    for (const open of this.#open.values()) this.#flushOne(open);
  }

  /** Stops reading, or goes on with what waits. */
  pause(link: LinkId, paused: boolean): void {
    const open = this.#open.get(link);
    if (open === undefined || open.paused === paused) return;
    open.paused = paused;
    const { unread } = open;
    open.unread = [];
    for (const frame of unread) this.#arrived(link, frame);
  }

  hangUp(link: LinkId): void {
    this.#dials.get(link)?.cancel();
    this.#dials.delete(link);
    const open = this.#open.get(link);
    if (open === undefined) return;
    this.#flushOne(open);
    this.#open.delete(link);
    open.socket.close();
  }

  /** The process is over; its kernel (if it still has power) closes its sockets. */
  end(how: 'halted' | 'killed' | 'powerOff' | 'faulted'): void {
    for (const dial of this.#dials.values()) dial.cancel();
    for (const { socket } of this.#open.values()) {
      if (how === 'powerOff') socket.vanish();
      else if (how === 'halted' || this.#options.random.chance(0.5)) socket.close();
      else socket.abort();
    }
    this.#open.clear();
    this.#dials.clear();
  }

  #flushOne(open: Open): void {
    if (open.outgoing.length === 0) return;
    const writer = new FrameWriter(frameBytesMax('bulk'));
    for (const message of open.outgoing) writer.add(encodeClientMessage(message));
    open.outgoing = [];
    for (const bytes of writer.take()) {
      this.#options.sent(bytes);
      open.socket.send({ kind: 'bytes', bytes }, bytes.length);
    }
  }

  #listener(link: LinkId): SocketListener<WireFrame> {
    const { events, later } = this.#options;
    return {
      opened: () => undefined,
      frame: (frame) => this.#arrived(link, frame),
      closed: () =>
        later(() => {
          if (this.#open.delete(link)) events.closed(link);
        }),
      buffered: (bytes) => this.#pressure(link, bytes),
    };
  }

  #arrived(link: LinkId, frame: WireFrame): void {
    this.#options.later(() => {
      const open = this.#open.get(link);
      if (open?.paused === true) open.unread.push(frame);
      else if (open !== undefined) this.#read(link, open, frame);
    });
  }

  #read(link: LinkId, open: Open, frame: WireFrame): void {
    const { host, network, random } = this.#options;
    open.socket.read(frameBytes(frame));
    const how = network.spoilage(open.socket.peerHost, host);
    const held = open.heldBack;
    open.heldBack = undefined;
    const spoilt = how === undefined ? undefined : spoil(frame, how, random);
    open.heldBack = spoilt?.heldBack;
    for (const one of spoilt?.frames ?? [frame]) this.#readFrame(link, one);
    if (held !== undefined) this.#readFrame(link, held);
  }

  #readFrame(link: LinkId, frame: WireFrame): void {
    const { events } = this.#options;
    if (frame.kind !== 'bytes') {
      events.garbage(link, 'A frame of peers arrived at a client.');
      return;
    }
    const read = readFrame(frame.bytes, LIMITS.bulkFrameBytesMax);
    if (read.kind === 'invalid') {
      events.garbage(link, read.problem);
      return;
    }
    for (const bytes of read.messages) {
      const decoded = decodeClientMessage(bytes);
      if (decoded.kind === 'message') events.received(link, decoded.message);
      if (decoded.kind !== 'invalid') continue;
      events.garbage(link, decoded.problem);
      return;
    }
  }

  #pressure(link: LinkId, bytes: number): void {
    const open = this.#open.get(link);
    if (open === undefined) return;
    const level = PRESSURE_BYTES.filter((threshold) => bytes >= threshold).length;
    if (level === open.pressure) return;
    open.pressure = level;
    this.#options.later(() => this.#options.events.pressure(link, bytes));
  }
}
