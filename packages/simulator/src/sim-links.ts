import type { LinkId, NodeInput, Random } from '@memgrid/core';
import { LIMITS } from '@memgrid/protocol';
import type { Envelope } from '@memgrid/protocol';
import { decodeFrame, encodeFrames, frameBytes } from './frame-codec.ts';
import type { CodecChoice, WireFrame } from './frame-codec.ts';
import type { SimSocket, SocketListener } from './sim-connection.ts';
import { hostOf } from './sim-dial.ts';
import type { SimDial } from './sim-dial.ts';
import type { Acceptor, SimNetwork } from './sim-network.ts';
import type { Arrival, ProcessOptions } from './sim-process.ts';
import { spoil } from './spoil.ts';
import type { TraceHash } from './trace-hash.ts';

/** Sending halves that are this full are told of, both ways: see `NodeInput`, `pressure`. */
const PRESSURE_BYTES: readonly number[] = [1024 * 1024, 4 * 1024 * 1024, 16 * 1024 * 1024];

interface OpenLink {
  readonly socket: SimSocket<WireFrame>;
  outgoing: Envelope[];
  pressure: number;
  heldBack: WireFrame | undefined;
}

/**
 * The links of one process: sockets behind the numbers that a machine knows them by, with the
 * messages of a turn gathered into frames.
 */
export class SimLinks {
  readonly #host: string;
  readonly #network: SimNetwork<WireFrame>;
  readonly #random: Random;
  readonly #codec: CodecChoice;
  readonly #hash: TraceHash;
  readonly #arrive: (arrival: Arrival) => void;
  readonly #open = new Map<LinkId, OpenLink>();
  readonly #dials = new Map<LinkId, SimDial<WireFrame>>();
  #acceptedCount = 0;
  #ended = false;

  constructor(options: ProcessOptions, arrive: (arrival: Arrival) => void) {
    this.#host = hostOf(options.address);
    this.#network = options.network;
    this.#random = options.random.split('links');
    this.#codec = options.codec;
    this.#hash = options.hash;
    this.#arrive = arrive;
  }

  readonly acceptor: Acceptor<WireFrame> = {
    accepted: (socket, remote) => {
      this.#acceptedCount += 1;
      const link = -this.#acceptedCount;
      this.#admit(link, socket);
      socket.listen(this.#listener(link, socket));
      // Only a process that runs answers the web socket's request.
      this.#arrive({
        kind: 'deed',
        run: (push) => {
          socket.accept();
          push({ kind: 'linkAccepted', link, remote });
        },
      });
    },
  };

  dial(link: LinkId, address: string): void {
    let socket: SimSocket<WireFrame> | undefined;
    const listener = this.#listener(link, undefined);
    const dial = this.#network.dial(this.#host, address, {
      ...listener,
      opened: (opened) => {
        this.#dials.delete(link);
        socket = opened;
        this.#admit(link, opened);
        opened.listen(this.#listener(link, opened));
        this.#tell({ kind: 'linkOpened', link });
      },
      failed: (problem) => {
        this.#dials.delete(link);
        this.#tell({ kind: 'linkFailed', link, problem });
      },
    });
    if (socket === undefined) this.#dials.set(link, dial);
  }

  peerHost(link: LinkId): string | undefined {
    return this.#open.get(link)?.socket.peerHost;
  }

  send(link: LinkId, envelope: Envelope): void {
    this.#open.get(link)?.outgoing.push(envelope);
  }

  flush(): void {
    for (const open of this.#open.values()) this.#flushLink(open);
  }

  hangUp(link: LinkId): void {
    const dial = this.#dials.get(link);
    if (dial !== undefined) {
      this.#dials.delete(link);
      dial.cancel();
      return;
    }
    const open = this.#open.get(link);
    if (open === undefined) return;
    this.#flushLink(open);
    this.#open.delete(link);
    open.socket.close();
  }

  /** The process is over; its kernel (if it still has power) closes its sockets. */
  end(how: 'halted' | 'killed' | 'powerOff' | 'faulted'): void {
    this.#ended = true;
    for (const dial of this.#dials.values()) dial.cancel();
    for (const { socket } of this.#open.values()) {
      if (how === 'powerOff') socket.vanish();
      // Unread input makes the kernel send a reset in place of an orderly end: both happen.
      else if (how === 'halted' || this.#random.chance(0.5)) socket.close();
      else socket.abort();
    }
    this.#open.clear();
    this.#dials.clear();
  }

  #admit(link: LinkId, socket: SimSocket<WireFrame>): void {
    this.#open.set(link, { socket, outgoing: [], pressure: 0, heldBack: undefined });
  }

  #flushLink(open: OpenLink): void {
    if (open.outgoing.length === 0) return;
    const envelopes = open.outgoing;
    open.outgoing = [];
    for (const frame of encodeFrames(envelopes, this.#codec)) {
      if (frame.kind === 'bytes') this.#hash.bytes(frame.bytes);
      open.socket.send(frame, frameBytes(frame));
    }
  }

  #listener(link: LinkId, socket: SimSocket<WireFrame> | undefined): SocketListener<WireFrame> {
    return {
      opened: () => undefined,
      frame: (frame, bytes) => {
        this.#arrive({
          kind: 'deed',
          run: (push) => {
            socket?.read(bytes);
            this.#read(link, frame, push);
          },
        });
      },
      closed: () => {
        this.#arrive({
          kind: 'deed',
          run: (push) => {
            if (this.#open.delete(link)) push({ kind: 'linkClosed', link });
          },
        });
      },
      buffered: (bytes) => this.#pressure(link, bytes),
    };
  }

  #read(link: LinkId, frame: WireFrame, push: (input: NodeInput) => void): void {
    const open = this.#open.get(link);
    if (open === undefined) return;
    const how = this.#network.spoilage(open.socket.peerHost, this.#host);
    const held = open.heldBack;
    open.heldBack = undefined;
    const spoilt = how === undefined ? undefined : spoil(frame, how, this.#random);
    open.heldBack = spoilt?.heldBack;
    for (const one of spoilt?.frames ?? [frame]) this.#readFrame(link, one, push);
    if (held !== undefined) this.#readFrame(link, held, push);
  }

  #readFrame(link: LinkId, frame: WireFrame, push: (input: NodeInput) => void): void {
    if (frameBytes(frame) > LIMITS.bulkFrameBytesMax) {
      // `ws` refuses it before it is read (`maxPayload`) and closes the connection.
      const open = this.#open.get(link);
      if (!this.#open.delete(link)) return;
      open?.socket.abort();
      push({ kind: 'linkClosed', link });
      return;
    }
    for (const received of decodeFrame(frame)) {
      if (received.kind === 'message')
        push({ kind: 'received', link, envelope: received.envelope });
      else if (received.kind === 'unknownType') {
        push({ kind: 'unknownMessage', link, messageType: received.messageType });
      } else push({ kind: 'garbage', link, problem: received.problem });
    }
  }

  #pressure(link: LinkId, bytes: number): void {
    const open = this.#open.get(link);
    if (open === undefined) return;
    const level = PRESSURE_BYTES.filter((threshold) => bytes >= threshold).length;
    if (level === open.pressure) return;
    open.pressure = level;
    this.#tell({ kind: 'pressure', link, bufferedBytes: bytes });
  }

  #tell(input: NodeInput): void {
    if (!this.#ended) this.#arrive({ kind: 'input', input });
  }
}
