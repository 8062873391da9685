import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';
import { listenError } from '../listen-error.ts';
import type { TlsMaterial } from '../tls-files.ts';
import type { AdminSource } from './admin-source.ts';
import { adminSurface } from './admin-surface.ts';

export interface HttpListenerOptions {
  readonly address: Address;
  readonly tls: TlsMaterial | undefined;
  readonly source: AdminSource;
}

/** How long requests under way may take when the surface closes. */
const CLOSE_TIMEOUT_MS = 1_000;

/** The HTTP surface on one address. */
export class HttpListener {
  readonly address: Address;
  readonly #server: FastifyInstance;

  private constructor(address: Address, server: FastifyInstance) {
    this.address = address;
    this.#server = server;
  }

  /** @throws ClusterError ADDRESS_IN_USE, or BAD_CONFIGURATION for an address that is not ours. */
  static async listen(options: HttpListenerOptions): Promise<HttpListener> {
    const { host, port } = options.address;
    const server = adminSurface(options.source, options.tls);
    try {
      await server.listen({ host, port });
    } catch (error) {
      await server.close();
      throw listenError('http', formatAddress(options.address), error);
    }
    const bound = server.server.address() as AddressInfo;
    return new HttpListener({ host, port: bound.port }, server);
  }

  /** Refuses new requests, lets those under way finish, for a second at most. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#server.server.closeAllConnections(), CLOSE_TIMEOUT_MS);
    await this.#server.close();
    clearTimeout(timer);
  }
}
