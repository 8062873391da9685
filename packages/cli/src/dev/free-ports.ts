import { createServer } from 'node:net';

const HOST = '127.0.0.1';
const PEER_PORT = 7700;
const HTTP_PORT = 7780;

export interface NodeAddresses {
  readonly listen: string;
  readonly http: string;
}

/**
 * Where the nodes of a local cluster should listen: the usual ports while all of them are free,
 * so that `127.0.0.1:7780` is right more often than not; otherwise whatever the system gives.
 *
 * Only a wish: a port may be taken before the node binds it, and the node then takes another.
 */
export async function preferredAddresses(count: number): Promise<readonly NodeAddresses[]> {
  const wanted = Array.from({ length: count }, (_, at) => [PEER_PORT + at, HTTP_PORT + at]);
  const free = await Promise.all(wanted.flat().map(isFree));
  return free.every(Boolean)
    ? wanted.map(([peer, http]) => ({ listen: `${HOST}:${peer}`, http: `${HOST}:${http}` }))
    : wanted.map(() => ANY_ADDRESSES);
}

/** Port 0: the system chooses one that nobody else has. */
export const ANY_ADDRESSES: NodeAddresses = { listen: `${HOST}:0`, http: `${HOST}:0` };

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: HOST, port }, () => probe.close(() => resolve(true)));
  });
}
