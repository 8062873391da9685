import { connect, isClusterError } from '@memgrid/client';
import type { ConnectOptions, Grid } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import type { GridOptions } from './grid-options.ts';

/** What some commands ask of their session. */
export type GridSettings = Pick<
  ConnectOptions,
  'atLeast' | 'connectTimeoutMs' | 'nearCache' | 'signal'
>;

/** Opens a session with the cluster that the options name. The caller closes it. */
export async function openGrid(
  options: Pick<GridOptions, 'nodes' | 'timeout'>,
  terminal: Terminal,
  settings: GridSettings = {},
): Promise<Grid> {
  const token = terminal.environment['MEMGRID_TOKEN'] ?? '';
  try {
    return await connect({
      nodes: options.nodes,
      name: 'memgrid-cli',
      timeoutMs: options.timeout,
      connectTimeoutMs: Math.max(options.timeout, CONNECT_TIMEOUT_MS_MIN),
      ...settings,
      ...(token === '' ? {} : { token }),
    });
  } catch (error) {
    if (settings.signal?.aborted === true) {
      throw new CommandError('INTERRUPTED', 'Interrupted before a node had let this client in.', {
        exitCode: EXIT.unreachable,
        cause: error,
      });
    }
    if (!isClusterError(error, 'NOT_CONNECTED')) throw error;
    if (OTHER_PORT.test(error.message)) {
      throw new CommandError(error.code, error.message, {
        exitCode: EXIT.unreachable,
        hint: 'Is this the HTTP port? Clients use the same port as peers, by default 7700.',
        cause: error,
      });
    }
    if (NOT_FOUNDED.test(error.message)) {
      throw new CommandError('NOT_FOUNDED', error.message, {
        exitCode: EXIT.unreachable,
        hint: '`memgrid status` says what it waits for: start the nodes that are missing, or correct `expect` and `seeds`.',
        cause: error,
      });
    }
    if (!REFUSED.test(error.message)) throw error;
    throw new CommandError('UNAUTHORISED', error.message, {
      exitCode: EXIT.unauthorised,
      hint: 'Put the token of the cluster into MEMGRID_TOKEN.',
      cause: error,
    });
  }
}

/** What a node answers to a client that does not show the token. */
const REFUSED = /server response: 40[13]/;

/** What a node answers that waits for others to found a cluster with it. */
const NOT_FOUNDED = /belongs to no cluster/;

/** What the admin port answers to a client, and so do most other web servers. */
const OTHER_PORT = /server response: 404/;

/** A node that was started a moment ago may be reading its disk. */
const CONNECT_TIMEOUT_MS_MIN = 3_000;

/** Runs `action` with a session, which is closed whatever happens. */
export async function withGrid<T>(
  options: GridOptions,
  terminal: Terminal,
  action: (grid: Grid) => Promise<T>,
): Promise<T> {
  return await withSession(await openGrid(options, terminal), action);
}

/** Runs `action` with a session that is open, and closes it whatever happens. */
export async function withSession<T>(grid: Grid, action: (grid: Grid) => Promise<T>): Promise<T> {
  try {
    return await action(grid);
  } finally {
    await grid.close();
  }
}
