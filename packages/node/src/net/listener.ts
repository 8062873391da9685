import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';
import { showsToken } from '../bearer-token.ts';
import { listenError } from '../listen-error.ts';
import { ENDPOINTS, ENDPOINT_FRAME_BYTES_MAX, ENDPOINT_PATHS } from './channel.ts';
import type { Endpoint } from './channel.ts';
import { Connection } from './connection.ts';
import type { TlsMaterial } from '../tls-files.ts';

export interface ListenerOptions {
  readonly address: Address;
  /** Empty for none. */
  readonly token: string;
  readonly tls: TlsMaterial | undefined;
  /** Called for peers and for clients: `connection.endpoint` tells. */
  readonly onConnection: (connection: Connection, remote: string) => void;
  /** Somebody was turned away before they became a connection. */
  readonly onRefused: (reason: RefusalReason, remote: string) => void;
  /** How long a connection may stay without being admitted. */
  readonly admissionTimeoutMs?: number;
  /** Connections that may wait for admission at one time. */
  readonly strangersMax?: number;
}

/** Why the listener turned somebody away. */
export type RefusalReason = 'path' | 'token' | 'browser' | 'strangers' | 'admissionTimeout';

const STATUS: Readonly<Record<Exclude<RefusalReason, 'admissionTimeout'>, string>> = {
  path: '404 Not Found',
  token: '401 Unauthorized',
  browser: '403 Forbidden',
  strangers: '503 Service Unavailable',
};

/** A dialler has 2 s for its own handshake; twice that, and it will not come any more. */
const ADMISSION_TIMEOUT_MS = 5_000;
const STRANGERS_MAX = 256;
/** The operating system asks after this much silence whether the other side is still there. */
const KEEP_ALIVE_MS = 60_000;
/** Sockets of any kind: far above a full mesh of 100 nodes with two links each, and finite. */
const SOCKETS_MAX = 4_096;

const HTTP_LIMITS: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  // How often the two above are looked at; the default of 30 s would make them meaningless.
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};

/**
 * Accepts WebSockets on one address.
 *
 * A connection is a stranger until `admit` says that it introduced itself; strangers are few and
 * short-lived, so nobody can hold this node's memory or sockets by connecting and saying nothing.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets: Readonly<Record<Endpoint, WebSocketServer>>;
  readonly #strangers = new Map<Connection, NodeJS.Timeout>();

  private constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(HTTP_LIMITS)
        : createTlsServer({ ...HTTP_LIMITS, ...tls, requestCert: true, rejectUnauthorized: true });
    this.#server.maxConnections = SOCKETS_MAX;
    this.#sockets = {
      control: socketServer('control'),
      bulk: socketServer('bulk'),
      client: socketServer('client'),
    };
    this.#server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
      response.end('This port speaks WebSocket; the HTTP surface is on another one.\n');
    });
    this.#server.on('upgrade', this.#onUpgrade);
    // What is no HTTP at all. Without a listener Node answers 400 itself, which is fine, but a
    // reset while it does must not surface anywhere else.
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /**
   * Binds the address; connections are reported from then on.
   *
   * @throws ClusterError ADDRESS_IN_USE, or BAD_CONFIGURATION for an address that is not ours.
   */
  static async listen(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    const { host, port } = options.address;
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen({ host, port }, () => {
        listener.#server.off('error', reject);
        resolve();
      });
    }).catch((error: unknown) => {
      throw listenError('listen', formatAddress(options.address), error);
    });
    return listener;
  }

  /** What was asked for, with the port that the system chose when it was 0. */
  get address(): Address {
    const bound = this.#server.address() as AddressInfo;
    return { host: this.#options.address.host, port: bound.port };
  }

  /** The connection introduced itself: it may stay. */
  admit(connection: Connection): void {
    clearTimeout(this.#strangers.get(connection));
    this.#strangers.delete(connection);
  }

  /** Stops accepting. Open connections stay; closing them is the business of their owner. */
  async close(): Promise<void> {
    for (const timer of this.#strangers.values()) clearTimeout(timer);
    this.#strangers.clear();
    for (const endpoint of ENDPOINTS) this.#sockets[endpoint].close();
    this.#server.closeIdleConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      // Whoever is half way through an upgrade would keep the server open.
      this.#server.closeAllConnections();
    });
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const remote = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    const endpoint = ENDPOINTS.find((one) => ENDPOINT_PATHS[one] === request.url);
    const refusal = this.#refusalOf(request, endpoint);
    if (refusal !== undefined || endpoint === undefined) {
      this.#refuse(socket, refusal ?? 'path', remote);
      return;
    }
    this.#sockets[endpoint].handleUpgrade(request, socket, head, (webSocket) => {
      // A client whose host lost its power says nothing more, and nobody asks it anything.
      if (endpoint === 'client') request.socket.setKeepAlive(true, KEEP_ALIVE_MS);
      const connection = new Connection(webSocket, endpoint);
      this.#watch(connection, remote);
      webSocket.once('close', () => this.admit(connection));
      this.#options.onConnection(connection, remote);
    });
  };

  #refusalOf(
    request: IncomingMessage,
    endpoint: Endpoint | undefined,
  ): Exclude<RefusalReason, 'admissionTimeout'> | undefined {
    if (endpoint === undefined) return 'path';
    // Only browsers send it. A page that somebody has open must not reach a node on their laptop.
    if (request.headers.origin !== undefined) return 'browser';
    if (!showsToken(request.headers.authorization, this.#options.token)) return 'token';
    const strangersMax = this.#options.strangersMax ?? STRANGERS_MAX;
    return this.#strangers.size >= strangersMax ? 'strangers' : undefined;
  }

  #refuse(
    socket: Duplex,
    reason: Exclude<RefusalReason, 'admissionTimeout'>,
    remote: string,
  ): void {
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 ${STATUS[reason]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    this.#options.onRefused(reason, remote);
  }

  #watch(connection: Connection, remote: string): void {
    const timer = setTimeout(() => {
      this.#strangers.delete(connection);
      this.#options.onRefused('admissionTimeout', remote);
      connection.reset();
    }, this.#options.admissionTimeoutMs ?? ADMISSION_TIMEOUT_MS);
    this.#strangers.set(connection, timer);
  }
}

function socketServer(endpoint: Endpoint): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: ENDPOINT_FRAME_BYTES_MAX[endpoint],
  });
}
