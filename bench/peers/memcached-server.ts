import { connect } from 'node:net';
import { startOnFreePorts, type ChoosePorts } from './free-ports.ts';
import { withServers, type Running } from './servers.ts';
import { MEMCACHED, programVersion } from './program.ts';
import { ServerProcess } from './server-process.ts';

const HOST = '127.0.0.1';
const LOOK_TIMEOUT_MS = 1_000;

/** One memcached, with its default of four threads and enough memory that nothing is evicted. */
export async function startMemcached(choose?: ChoosePorts): Promise<Running> {
  const version = programVersion(MEMCACHED);
  return await withServers(async (servers) => {
    const start = async ([port = 0]: readonly number[]): Promise<number> => {
      const directory = servers.directory(`memcached-${port}`);
      const args = ['-l', HOST, '-p', String(port), '-U', '0', '-m', '2048'];
      // It refuses to be root unless told so; another account would end the parent's hold on it.
      const account = process.getuid?.() === 0 ? ['-u', 'root'] : [];
      await servers.add(
        ServerProcess.start({
          program: MEMCACHED,
          args: [...args, ...account],
          directory,
          // It says nothing when it is ready, so it is asked who it is.
          isReady: async (server) => (await answeringPid(port)) === server.pid,
        }),
      );
      return port;
    };
    const port = await startOnFreePorts({ count: 1, start, choose });
    return {
      title: `memcached ${version}`,
      addresses: [`${HOST}:${port}`],
      pids: servers.pids,
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  });
}

/** The process that answers at a port, or undefined. */
function answeringPid(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port, timeout: LOOK_TIMEOUT_MS });
    let text = '';
    const end = (): void => {
      socket.destroy();
      const pid = /STAT pid (\d+)/.exec(text)?.[1];
      resolve(pid === undefined ? undefined : Number(pid));
    };
    socket.once('connect', () => socket.write('stats\r\n'));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.includes('END\r\n')) end();
    });
    socket.once('timeout', end);
    socket.once('error', end);
    socket.once('end', end);
  });
}
