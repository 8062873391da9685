import type { LinkId, NodeInput } from '@memgrid/core';
import {
  addEnvelope,
  FrameWriter,
  decodeEnvelope,
  frameBytesMax,
  readFrame,
} from '@memgrid/protocol';
import type { Channel, Envelope } from '@memgrid/protocol';
import type { Connection } from '../net/connection.ts';
import { dial } from '../net/dial.ts';
import type { DialFailure } from '../net/dial-failure.ts';
import type { Dial } from '../net/dial.ts';
import type { TlsMaterial } from '../tls-files.ts';
import type { FrameTraffic } from '../observe/frame-traffic.ts';

export interface LinksOptions {
  /** Hands an input to the driver; false when its inbox is full. */
  readonly push: (input: NodeInput) => boolean;
  /** Inputs that wait in the driver's inbox now. */
  readonly waitingCount: () => number;
  readonly token: string;
  readonly tls: TlsMaterial | undefined;
  /** The machine answered this connection's introduction. */
  readonly onAdmitted: (connection: Connection) => void;
  readonly onDialFailed: (address: string, failure: DialFailure, detail: string) => void;
  readonly onUnencodable: (messageType: string, problem: string) => void;
  readonly traffic: FrameTraffic;
}

interface OpenLink {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly writer: FrameWriter;
}

/** Loopback and data centres answer in far less; a host that is down answers never. */
const DIAL_TIMEOUT_MS = 2_000;

/** Bytes for one peer that do not wait for the end of the turn any more. */
const BYTES_GATHERED_MAX = 16 * 1024;

/**
 * Inputs that may wait before the links stop reading. The peers' sends then stall in their own
 * buffers, where their back-pressure sees them: nothing is lost, and memory stays bounded.
 */
const WAITING_MAX = 4_096;

/** Everything that connects the machine's link numbers with real connections. */
export class Links {
  readonly #options: LinksOptions;
  readonly #open = new Map<LinkId, OpenLink>();
  readonly #dials = new Map<LinkId, Dial>();
  readonly #written = new Set<OpenLink>();
  readonly #paused = new Set<OpenLink>();
  #accepted = 0;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Open links per channel. */
  count(channel: Channel): number {
    let count = 0;
    for (const link of this.#open.values()) if (link.channel === channel) count += 1;
    return count;
  }

  /** Bytes that wait in all sending halves. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const link of this.#open.values()) bytes += link.connection.bufferedBytes;
    return bytes;
  }

  accept(connection: Connection, channel: Channel, remote: string): void {
    this.#accepted -= 1;
    const link = this.#accepted;
    const taken = this.#options.push({ kind: 'linkAccepted', link, remote });
    if (taken) this.#add(link, connection, channel);
    else connection.destroy();
  }

  dial(link: LinkId, address: string, channel: Channel): void {
    const { push, token, tls, onDialFailed } = this.#options;
    const attempt = dial(
      address,
      { channel, timeoutMs: DIAL_TIMEOUT_MS, token, tls },
      {
        onOpen: (connection) => {
          this.#dials.delete(link);
          this.#add(link, connection, channel);
          push({ kind: 'linkOpened', link });
        },
        onFailed: (problem, detail) => {
          this.#dials.delete(link);
          onDialFailed(address, problem, detail);
          push({ kind: 'linkFailed', link, problem });
        },
      },
    );
    this.#dials.set(link, attempt);
  }

  /** Gathers the message; it leaves with `flush` at the latest. A link that is gone swallows it. */
  send(link: LinkId, envelope: Envelope): void {
    const open = this.#open.get(link);
    if (open === undefined) return;
    try {
      addEnvelope(open.writer, envelope);
    } catch (error) {
      // Only this node's own mistake can make a message that breaks a limit. The network may
      // lose any message, so losing this one is safe; that it happened must be seen.
      this.#options.onUnencodable(envelope.message.type, (error as Error).message);
      return;
    }
    // Replicas begin to work on this while the rest of the turn goes on.
    if (open.writer.bytes >= BYTES_GATHERED_MAX) this.#write(open);
    else this.#written.add(open);
    if (envelope.message.type === 'helloAck') this.#options.onAdmitted(open.connection);
  }

  /** Closes the link after everything that was sent on it. Nothing more is reported about it. */
  hangUp(link: LinkId): void {
    this.#dials.get(link)?.abandon();
    this.#dials.delete(link);
    const open = this.#open.get(link);
    if (open === undefined) return;
    this.#write(open);
    this.#forget(link, open);
    open.connection.close();
  }

  /** One write per link for everything that a turn had to say, and reading again when there is room. */
  flush(): void {
    for (const open of this.#written) this.#write(open);
    this.#written.clear();
    if (this.#paused.size > 0 && this.#options.waitingCount() < WAITING_MAX / 2) {
      for (const open of this.#paused) open.connection.resume();
      this.#paused.clear();
    }
  }

  /** Closes every link in an orderly way and gives up every dial. */
  close(): void {
    for (const link of [...this.#open.keys(), ...this.#dials.keys()]) this.hangUp(link);
  }

  #add(link: LinkId, connection: Connection, channel: Channel): void {
    const open = { connection, channel, writer: new FrameWriter(frameBytesMax(channel)) };
    this.#open.set(link, open);
    connection.listen({
      onFrame: (bytes) => this.#onFrame(link, open, bytes),
      onGarbage: (problem) => this.#options.push({ kind: 'garbage', link, problem }),
      onPressure: (bufferedBytes) => this.#options.push({ kind: 'pressure', link, bufferedBytes }),
      onClosed: () => {
        this.#forget(link, open);
        this.#options.push({ kind: 'linkClosed', link });
      },
    });
  }

  #onFrame(link: LinkId, open: OpenLink, bytes: Uint8Array): void {
    this.#options.traffic.received(open.channel, bytes.byteLength);
    const frame = readFrame(bytes, frameBytesMax(open.channel));
    if (frame.kind === 'invalid') {
      this.#options.push({ kind: 'garbage', link, problem: frame.problem });
      return;
    }
    for (const message of frame.messages) {
      if (this.#options.push(inputOf(link, message))) continue;
      // The inbox is full although reading stopped long before: a gap in the stream would
      // confuse the peer's other half, so the whole connection goes.
      open.connection.reset();
      return;
    }
    if (this.#options.waitingCount() > WAITING_MAX && !this.#paused.has(open)) {
      this.#paused.add(open);
      open.connection.pause();
    }
  }

  #write(open: OpenLink): void {
    for (const frame of open.writer.take()) {
      this.#options.traffic.sent(open.channel, frame.byteLength);
      open.connection.send(frame);
    }
  }

  #forget(link: LinkId, open: OpenLink): void {
    this.#open.delete(link);
    this.#written.delete(open);
    this.#paused.delete(open);
  }
}

function inputOf(link: LinkId, message: Uint8Array): NodeInput {
  const decoded = decodeEnvelope(message);
  switch (decoded.kind) {
    case 'message':
      return { kind: 'received', link, envelope: decoded.envelope };
    case 'unknownType':
      return { kind: 'unknownMessage', link, messageType: decoded.messageType };
    case 'invalid':
      return { kind: 'garbage', link, problem: decoded.problem };
  }
}
