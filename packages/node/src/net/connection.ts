import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import type { Endpoint } from './channel.ts';

/**
 * Buffered bytes at which a slow peer changes what may be sent to it: 1 MiB drops gossip, 4 MiB
 * stops bulk, 16 MiB resets the connection. The machine decides the first two.
 */
const PRESSURE_BYTES = [1024 * 1024, 4 * 1024 * 1024] as const;
export const RESET_BYTES = 16 * 1024 * 1024;

/**
 * What clients leave unread is added up, so each one's share is told whenever it has changed by so
 * much: 2,048 of them leave 128 MiB at most of which the machine does not know.
 */
const CLIENT_STEP_BYTES = 64 * 1024;

/** How long a closing connection may take to send what it still holds and to say goodbye. */
const CLOSE_TIMEOUT_MS = 1_000;

/** What a connection reports. Nothing is reported after `onClosed`, nor after `close`. */
export interface ConnectionListener {
  onFrame(bytes: Uint8Array): void;
  /** The peer sent what is no frame: text, too much, or a broken WebSocket stream. */
  onGarbage(problem: string): void;
  /** The bytes waiting to be sent crossed a threshold, either way; of a client: they changed. */
  onPressure(bufferedBytes: number): void;
  onClosed(): void;
}

/**
 * One open WebSocket, carrying whole frames. It knows bytes and nothing about their meaning.
 *
 * An error of the socket is never thrown: it ends in `onClosed`.
 */
export class Connection {
  readonly endpoint: Endpoint;
  readonly #socket: WebSocket;
  #listener: ConnectionListener | undefined;
  #band = 0;
  #toldBytes = 0;

  constructor(socket: WebSocket, endpoint: Endpoint) {
    this.#socket = socket;
    this.endpoint = endpoint;
    // One view per frame instead of a list of chunks; `ws` sets TCP_NODELAY by itself.
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('error', (error) => this.#onError(error));
    socket.on('close', () => this.#onClose());
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** From now on events go to `listener`. Frames that arrive earlier would be lost: do it at once. */
  listen(listener: ConnectionListener): void {
    this.#listener = listener;
  }

  /** Hands one frame to the operating system. Dropped when the connection is no longer open. */
  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame, this.#onSent);
    if (this.bufferedBytes > RESET_BYTES) {
      // The peer reads nothing for so long that a new connection is the only way on.
      this.reset();
      return;
    }
    this.#checkPressure();
  }

  /** Stops reading: the peer's sending stalls in turn, so nothing has to be dropped here. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is buffered, then ends the connection, within a second. Nothing is reported. */
  close(): void {
    this.#listener = undefined;
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    // A paused socket would never read the peer's goodbye.
    this.#socket.resume();
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Ends the connection at once, as if the network had: reported with `onClosed`. */
  reset(): void {
    this.#socket.terminate();
  }

  /** Ends the connection at once. Nothing is reported. */
  destroy(): void {
    this.#listener = undefined;
    this.#socket.terminate();
  }

  readonly #onSent = (): void => this.#checkPressure();

  #onMessage(data: RawData, isBinary: boolean): void {
    if (!isBinary) {
      this.#listener?.onGarbage('A text frame: this protocol is binary.');
      return;
    }
    // `nodebuffer` makes every message one Buffer. Passed on as what its type says: a Buffer's
    // `slice` is a view, a Uint8Array's is a copy.
    const { buffer, byteOffset, byteLength } = data as Buffer;
    this.#listener?.onFrame(new Uint8Array(buffer, byteOffset, byteLength));
  }

  #onError(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    // Errors that `ws` found in the stream; those of the network only end the connection.
    if (code?.startsWith('WS_ERR') !== true) return;
    this.#listener?.onGarbage(`${error.message}.`);
    // `ws` sent its close code and would now wait for an answer, in a stream that it can not read.
    this.#socket.terminate();
  }

  #onClose(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClosed();
  }

  #checkPressure(): void {
    const bytes = this.bufferedBytes;
    const band = PRESSURE_BYTES.filter((threshold) => bytes >= threshold).length;
    const isFar =
      this.endpoint === 'client' && Math.abs(bytes - this.#toldBytes) >= CLIENT_STEP_BYTES;
    if (band === this.#band && !isFar) return;
    this.#band = band;
    this.#toldBytes = bytes;
    this.#listener?.onPressure(bytes);
  }
}
