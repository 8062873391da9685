import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Ports of the loopback address that nobody listens on. Only a wish: somebody may take one before
 * the server binds it, which is why servers are started with `startOnFreePorts`.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  // All are held until the last one is known, or the system might give the same one twice.
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(closed));
  return ports;
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** A server that could not bind its port. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
}

const ATTEMPTS = 4;

/** So many ports for servers, one call for each attempt. */
export type ChoosePorts = (count: number) => Promise<readonly number[]>;

export interface StartOnPorts<Started> {
  /** How many it needs. */
  readonly count: number;
  readonly start: (ports: readonly number[]) => Promise<Started>;
  /** Default: `freePorts`. */
  readonly choose?: ChoosePorts | undefined;
}

/**
 * Runs `start` with free ports, and again with others when one was taken in between.
 *
 * @throws PortInUseError when that happened every time; whatever else `start` throws.
 */
export async function startOnFreePorts<Started>({
  count,
  start,
  choose = freePorts,
}: StartOnPorts<Started>): Promise<Started> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await choose(count));
    } catch (error) {
      if (!(error instanceof PortInUseError) || attempt === ATTEMPTS) throw error;
    }
  }
}
