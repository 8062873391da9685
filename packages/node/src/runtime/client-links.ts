import type { LinkId, NodeInput } from '@memgrid/core';
import {
  addClientMessage,
  FrameWriter,
  LIMITS,
  decodeClientMessage,
  encodeClientMessage,
  readFrame,
} from '@memgrid/protocol';
import type { ClientMessage, Placement } from '@memgrid/protocol';
import type { Connection } from '../net/connection.ts';
import type { FrameTraffic } from '../observe/frame-traffic.ts';

export interface ClientLinksOptions {
  /** Hands an input to the driver; false when its inbox is full. */
  readonly push: (input: NodeInput) => boolean;
  /** Inputs that wait in the driver's inbox now. */
  readonly waitingCount: () => number;
  /** The machine let this client in. */
  readonly onAdmitted: (connection: Connection) => void;
  readonly onUnencodable: (messageType: string, problem: string) => void;
  /** Told of every message in either direction, for measurements. */
  readonly onMessage: (link: LinkId, direction: Direction, message: ClientMessage) => void;
  readonly onGone: (link: LinkId) => void;
  readonly traffic: FrameTraffic;
}

export type Direction = 'received' | 'sent';

interface OpenClient {
  readonly link: LinkId;
  readonly connection: Connection;
  readonly writer: FrameWriter;
  /** Answers in `writer`. */
  answers: number;
  /** The machine wants it: its answers pile up. */
  stopped: boolean;
  /** The inbox is too full for more. */
  waiting: boolean;
}

/**
 * Operations of one input. A client with 256 calls in flight sends them in one message; taken as one
 * input, it would wait while the node works on all of them, and the node would wait while the client
 * takes all the answers. In pieces the answers of one are on their way while the next is worked on,
 * and a turn can end in between. Smaller pieces cost more frames: some 50 µs of both sides each. With
 * 256 in flight, pieces of 128 gave 300,000 reads a second where 64 and 256 gave 230,000.
 */
const PIECE_OPERATIONS_MAX = 128;

/** Answers for one client, and bytes of them, that do not wait for the end of the turn any more. */
const ANSWERS_GATHERED_MAX = 128;
const ANSWER_BYTES_GATHERED_MAX = 32 * 1024;

/**
 * Inputs that may wait before clients are read from no more, each a piece at most. Peers go first:
 * they have twice that.
 */
const WAITING_MAX = 2_048;

/**
 * Connects the machine's numbers of client links with real connections. All messages of a turn for
 * one client leave in one frame, except where there is so much of them that the client should begin
 * to read. Nothing is lost by that: an answer that speaks of the disk is only made when the disk has
 * told.
 */
export class ClientLinks {
  readonly #options: ClientLinksOptions;
  readonly #open = new Map<LinkId, OpenClient>();
  readonly #written = new Set<OpenClient>();
  readonly #waiting = new Set<OpenClient>();
  #accepted = 0;
  /** The same placement goes to many clients, and is big: it is encoded once. */
  #latest: { readonly message: Placement; readonly bytes: Uint8Array } | undefined;

  constructor(options: ClientLinksOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Bytes that wait in all sending halves. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const { connection } of this.#open.values()) bytes += connection.bufferedBytes;
    return bytes;
  }

  accept(connection: Connection, remote: string): void {
    this.#accepted -= 1;
    const link = this.#accepted;
    if (!this.#options.push({ kind: 'clientAccepted', link, remote })) {
      connection.destroy();
      return;
    }
    const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
    const client: OpenClient = {
      link,
      connection,
      writer,
      answers: 0,
      stopped: false,
      waiting: false,
    };
    this.#open.set(link, client);
    connection.listen({
      onFrame: (bytes) => this.#onFrame(client, bytes),
      onGarbage: (problem) => this.#push(client, { kind: 'clientGarbage', link, problem }),
      onPressure: (bufferedBytes) =>
        this.#push(client, { kind: 'clientPressure', link, bufferedBytes }),
      onClosed: () => {
        this.#forget(client);
        this.#options.push({ kind: 'clientClosed', link });
      },
    });
  }

  /** Gathers the message; it leaves with `flush`. A client that is gone swallows it. */
  send(link: LinkId, message: ClientMessage): void {
    const client = this.#open.get(link);
    if (client === undefined) return;
    try {
      if (message.type === 'placement') client.writer.add(this.#encoded(message));
      else addClientMessage(client.writer, message);
    } catch (error) {
      // Only this node's own mistake can make a message that breaks a limit. What was in it would
      // be missed for ever, so the client is made to ask again over a new connection.
      this.#options.onUnencodable(message.type, (error as Error).message);
      client.connection.reset();
      return;
    }
    this.#options.onMessage(link, 'sent', message);
    this.#written.add(client);
    if (message.type === 'answers') this.#answered(client, message.answers.length);
    if (message.type === 'clientWelcome') this.#options.onAdmitted(client.connection);
  }

  #answered(client: OpenClient, count: number): void {
    client.answers += count;
    const isMuch =
      client.answers >= ANSWERS_GATHERED_MAX || client.writer.bytes >= ANSWER_BYTES_GATHERED_MAX;
    if (isMuch) this.#write(client);
  }

  /** Closes the connection after everything that was sent. Nothing more is reported about it. */
  hangUp(link: LinkId): void {
    const client = this.#open.get(link);
    if (client === undefined) return;
    this.#write(client);
    this.#forget(client);
    client.connection.close();
  }

  /** Reads nothing from this client until further notice, or reads again. */
  pause(link: LinkId, paused: boolean): void {
    const client = this.#open.get(link);
    if (client === undefined) return;
    client.stopped = paused;
    if (paused) client.connection.pause();
    else if (!client.waiting) client.connection.resume();
  }

  /** One write per client for everything that a turn had to say, and reading again when there is room. */
  flush(): void {
    for (const client of this.#written) this.#write(client);
    this.#written.clear();
    if (this.#waiting.size === 0 || this.#options.waitingCount() > WAITING_MAX / 2) return;
    for (const client of this.#waiting) {
      client.waiting = false;
      if (!client.stopped) client.connection.resume();
    }
    this.#waiting.clear();
  }

  /** Closes every connection in an orderly way. */
  close(): void {
    for (const link of [...this.#open.keys()]) this.hangUp(link);
  }

  #onFrame(client: OpenClient, bytes: Uint8Array): void {
    const { link } = client;
    this.#options.traffic.received('client', bytes.byteLength);
    const frame = readFrame(bytes, LIMITS.clientFrameBytesMax);
    if (frame.kind === 'invalid') {
      this.#push(client, { kind: 'clientGarbage', link, problem: frame.problem });
      return;
    }
    for (const message of frame.messages) if (!this.#onMessage(client, message)) return;
    if (this.#options.waitingCount() <= WAITING_MAX || client.waiting) return;
    client.waiting = true;
    this.#waiting.add(client);
    client.connection.pause();
  }

  /** False when the rest of the frame must not be believed, or cannot be taken. */
  #onMessage(client: OpenClient, bytes: Uint8Array): boolean {
    const { link } = client;
    const decoded = decodeClientMessage(bytes);
    switch (decoded.kind) {
      case 'message':
        this.#options.onMessage(link, 'received', decoded.message);
        return this.#pushMessage(client, decoded.message);
      case 'unknownType':
        // Said by a later version, which knows that this one may not understand it.
        return true;
      case 'invalid':
        this.#push(client, { kind: 'clientGarbage', link, problem: decoded.problem });
        return false;
    }
  }

  /** Operations keep their order, within their message and with what comes after it. */
  #pushMessage(client: OpenClient, message: ClientMessage): boolean {
    const { link } = client;
    if (message.type !== 'operations' || message.operations.length <= PIECE_OPERATIONS_MAX) {
      return this.#push(client, { kind: 'clientReceived', link, message });
    }
    const { operations } = message;
    for (let at = 0; at < operations.length; at += PIECE_OPERATIONS_MAX) {
      const some = operations.slice(at, at + PIECE_OPERATIONS_MAX);
      const piece = { type: 'operations', operations: some } as const;
      if (!this.#push(client, { kind: 'clientReceived', link, message: piece })) return false;
    }
    return true;
  }

  /** A full inbox would lose a part of what the client said: it has to say all of it again. */
  #push(client: OpenClient, input: NodeInput): boolean {
    if (this.#options.push(input)) return true;
    client.connection.reset();
    return false;
  }

  #encoded(message: Placement): Uint8Array {
    if (this.#latest?.message !== message) {
      this.#latest = { message, bytes: encodeClientMessage(message) };
    }
    return this.#latest.bytes;
  }

  #write(client: OpenClient): void {
    client.answers = 0;
    for (const frame of client.writer.take()) {
      this.#options.traffic.sent('client', frame.byteLength);
      client.connection.send(frame);
    }
  }

  #forget(client: OpenClient): void {
    this.#open.delete(client.link);
    this.#written.delete(client);
    this.#waiting.delete(client);
    this.#options.onGone(client.link);
  }
}
