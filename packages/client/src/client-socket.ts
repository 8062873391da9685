import type { ClientRequest, IncomingMessage } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import {
  addClientMessage,
  decodeClientMessage,
  FrameWriter,
  LIMITS,
  readFrame,
} from '@memgrid/protocol';
import type { ClientMessage } from '@memgrid/protocol';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';

/** Bytes in the sending buffer that are told: stop above, go on below. */
const PRESSURE_HIGH_BYTES = 4 * 1024 * 1024;
const PRESSURE_LOW_BYTES = 1024 * 1024;
/** How long a closing connection may take to say goodbye. */
const CLOSE_TIMEOUT_MS = 1_000;
/** More than any refusal of a node takes. */
const REFUSAL_CHARACTERS_MAX = 4_096;

/** How nodes are reached; the same for all of them. */
export interface SocketOptions {
  readonly secure: boolean;
  /** Empty for none. */
  readonly token: string;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** What a socket reports. Exactly one of `onFailed` and `onOpen`; nothing after `onClosed`. */
export interface SocketListener {
  onOpen(): void;
  onFailed(problem: string): void;
  onMessage(message: ClientMessage): void;
  onGarbage(problem: string): void;
  onPressure(bufferedBytes: number): void;
  onClosed(): void;
}

/** One WebSocket to one node, carrying whole frames. */
export class ClientSocket {
  /** Undefined for an address that is none: it fails like any other that nobody answers. */
  readonly #socket: WebSocket | undefined;
  readonly #listener: SocketListener;
  readonly #writer = new FrameWriter(LIMITS.clientFrameBytesMax);
  #isOpen = false;
  #isOver = false;
  #isPressed = false;

  constructor(address: string, options: SocketOptions, listener: SocketListener) {
    this.#listener = listener;
    const url = urlOf(address, options.secure);
    if (url === undefined) {
      setImmediate(() => this.#fail(`"${address}" is no address host:port.`));
      return;
    }
    const socket = open(url, options);
    this.#socket = socket;
    // One view per frame instead of a list of chunks.
    socket.binaryType = 'nodebuffer';
    socket.on('open', () => this.#opened());
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    // Stays for the life of the socket: an error event without a listener would end the process.
    socket.on('error', (error) => this.#failed(error));
    socket.on('unexpected-response', (request, response) => this.#refused(request, response));
    socket.on('close', () => this.#closed());
  }

  /** Gathers a message; `flush` sends what was gathered. */
  add(message: ClientMessage): void {
    addClientMessage(this.#writer, message);
  }

  flush(): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    for (const frame of this.#writer.take()) socket.send(frame, this.#sent);
    this.#checkPressure();
  }

  pause(): void {
    if (this.#isOpen) this.#socket?.pause();
  }

  resume(): void {
    if (this.#isOpen) this.#socket?.resume();
  }

  /** Sends what is gathered, then ends the connection, within a second. Nothing is reported. */
  close(): void {
    this.#isOver = true;
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    if (!this.#isOpen) {
      socket.terminate();
      return;
    }
    this.flush();
    // A paused socket would never read the node's goodbye.
    socket.resume();
    socket.close(1000);
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  #opened(): void {
    this.#isOpen = true;
    if (!this.#isOver) this.#listener.onOpen();
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#isOver) return;
    if (!isBinary) {
      this.#listener.onGarbage('A text frame: this protocol is binary.');
      return;
    }
    // `nodebuffer` makes every message one Buffer; a plain view of it copies when it is sliced.
    const { buffer, byteOffset, byteLength } = data as Buffer;
    const read = readFrame(
      new Uint8Array(buffer, byteOffset, byteLength),
      LIMITS.clientFrameBytesMax,
    );
    if (read.kind === 'invalid') {
      this.#listener.onGarbage(read.problem);
      return;
    }
    for (const bytes of read.messages) {
      const decoded = decodeClientMessage(bytes);
      if (decoded.kind === 'message') this.#listener.onMessage(decoded.message);
      else if (decoded.kind === 'invalid') {
        this.#listener.onGarbage(decoded.problem);
        return;
      }
    }
  }

  #failed(error: Error): void {
    if (this.#isOver) return;
    if (this.#isOpen) {
      const { code } = error as NodeJS.ErrnoException;
      // Errors that `ws` found in the stream; those of the network only end the connection.
      if (code?.startsWith('WS_ERR') !== true) return;
      this.#listener.onGarbage(`${error.message}.`);
      this.#socket?.terminate();
      return;
    }
    this.#fail(problemOf(error));
  }

  /** Somebody speaks HTTP there. The admin port of a node says which address is the right one. */
  #refused(request: ClientRequest, response: IncomingMessage): void {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      if (text.length < REFUSAL_CHARACTERS_MAX) text += part;
    });
    response.once('close', () => {
      this.#fail(refusalText(response.statusCode ?? 0, text));
      request.destroy();
      this.#socket?.terminate();
    });
  }

  #fail(problem: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onFailed(problem);
  }

  #closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isOpen) this.#listener.onClosed();
    else this.#listener.onFailed('The connection was closed before it was open.');
  }

  readonly #sent = (): void => this.#checkPressure();

  #checkPressure(): void {
    if (this.#isOver) return;
    const bytes = this.#socket?.bufferedAmount ?? 0;
    const isPressed = bytes > (this.#isPressed ? PRESSURE_LOW_BYTES : PRESSURE_HIGH_BYTES);
    if (isPressed === this.#isPressed) return;
    this.#isPressed = isPressed;
    this.#listener.onPressure(bytes);
  }
}

/**
 * Addresses also come from nodes and end up in a URL, so nothing but a host and a port may pass.
 */
function urlOf(address: string, secure: boolean): string | undefined {
  const scheme = secure ? 'wss' : 'ws';
  if (!/^[A-Za-z0-9._\-[\]:]+:\d{1,5}$/.test(address)) return undefined;
  return URL.canParse(`${scheme}://${address}/`) ? `${scheme}://${address}/client` : undefined;
}

/**
 * Frames are masked with random keys as RFC 6455 (section 5.3) demands, although `ws` would leave
 * out the work for keys of zeros: what somebody else wrote into an entry could otherwise stand on the
 * wire as it is, and look like a request to a proxy that does not know WebSockets. It costs a set of
 * 330 bytes some 0.3 us on both sides together, and a get nothing that could be measured.
 */
function open(url: string, options: SocketOptions): WebSocket {
  const { token, ca, cert, key, timeoutMs } = options;
  return new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: LIMITS.clientFrameBytesMax,
    handshakeTimeout: timeoutMs,
    followRedirects: false,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

/** The status, by which callers tell what will not change, and what a node says of it. */
function refusalText(status: number, text: string): string {
  const refusal = `Unexpected server response: ${status}`;
  try {
    const body = JSON.parse(text) as { error?: { message?: unknown } } | null;
    const message = body?.error?.message;
    if (typeof message === 'string') {
      return `${refusal}. ${stripVTControlCharacters(message).slice(0, 300)}`;
    }
  } catch {
    // A page, or nothing: whoever answers so is no node.
  }
  return refusal;
}

/** A name that leads to several addresses fails with one error for each. */
function problemOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((one: Error) => one.message).join('; ');
  }
  return error.message;
}
