import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { FakeGrid } from '@memgrid/core/testing';
import type { Said } from '@memgrid/core/testing';
import {
  decodeClientMessage,
  encodeClientMessage,
  FrameWriter,
  LIMITS,
  readFrame,
} from '@memgrid/protocol';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

export interface FakeTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Nodes that speak the client protocol over real sockets, in front of one `FakeGrid`. */
export class FakeCluster {
  readonly grid: FakeGrid;
  readonly urls: readonly string[];
  readonly #servers: readonly Server[];
  readonly #sockets = new Map<number, WebSocket>();
  readonly #places = new Map<number, number>();
  readonly #webSockets = new WebSocketServer({ noServer: true });
  /** Told to whoever shows another token; empty for none. */
  token = '';
  #nextLink = 1;

  private constructor(servers: readonly Server[], scheme: 'ws' | 'wss') {
    const shardCount = 8;
    const addresses = servers.map((server) => {
      const { port } = server.address() as AddressInfo;
      return `127.0.0.1:${port}`;
    });
    this.#servers = servers;
    this.urls = addresses.map((address) => `${scheme}://${address}`);
    this.grid = new FakeGrid({ nodes: servers.length, shardCount, addresses });
    servers.forEach((server, place) => {
      server.on('upgrade', (request, socket, head) => {
        const { authorization } = request.headers;
        const isWelcome = this.token === '' || authorization === `Bearer ${this.token}`;
        if (request.url !== '/client' || !isWelcome) {
          refuse(socket, isWelcome ? '404 Not Found' : '401 Unauthorized');
          return;
        }
        this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
          this.#accept(place, webSocket);
        });
      });
    });
  }

  /** @param tls certificate, key and authority: clients must show a certificate of it as well. */
  static async start(nodes = 3, tls?: FakeTls): Promise<FakeCluster> {
    const servers = await Promise.all(Array.from({ length: nodes }, () => listening(tls)));
    return new FakeCluster(servers, tls === undefined ? 'ws' : 'wss');
  }

  /** The node is gone: its connections break, and nobody can dial it. */
  async kill(place: number): Promise<void> {
    for (const [link, at] of this.#places) if (at === place) this.#sockets.get(link)?.terminate();
    await closed(this.#servers[place] as Server);
  }

  /** Bytes instead of a message, to everybody connected to a node. */
  sendRaw(place: number, bytes: Uint8Array | string): void {
    for (const [link, at] of this.#places) if (at === place) this.#sockets.get(link)?.send(bytes);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.terminate();
    await Promise.all(this.#servers.map((server) => closed(server)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(place: number, socket: WebSocket): void {
    const link = this.#nextLink;
    this.#nextLink += 1;
    this.#sockets.set(link, socket);
    this.#places.set(link, place);
    socket.binaryType = 'nodebuffer';
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.grid.forget(place, link);
      this.#sockets.delete(link);
      this.#places.delete(link);
    });
    socket.on('message', (data) => {
      const read = readFrame(new Uint8Array(data as Buffer), LIMITS.clientFrameBytesMax);
      if (read.kind === 'invalid') throw new Error(read.problem);
      for (const bytes of read.messages) {
        const decoded = decodeClientMessage(bytes);
        if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
        this.#say(this.grid.receive(place, link, decoded.message));
      }
    });
  }

  #say(said: readonly Said[]): void {
    for (const { link, message } of said) {
      const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
      writer.add(encodeClientMessage(message));
      for (const frame of writer.take()) this.#sockets.get(link)?.send(frame);
    }
  }
}

function listening(tls: FakeTls | undefined): Promise<Server> {
  const server =
    tls === undefined
      ? createServer()
      : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
