import type { Channel } from '@memgrid/protocol';
import { WebSocket } from 'ws';
import { formatAddress, parseAddress } from '../address.ts';
import { bearer } from '../bearer-token.ts';
import { CHANNEL_FRAME_BYTES_MAX, CHANNEL_PATHS } from './channel.ts';
import { Connection } from './connection.ts';
import { dialFailure } from './dial-failure.ts';
import type { DialFailure } from './dial-failure.ts';
import type { TlsMaterial } from '../tls-files.ts';

export interface DialOptions {
  readonly channel: Channel;
  readonly timeoutMs: number;
  /** Empty for none. */
  readonly token: string;
  readonly tls: TlsMaterial | undefined;
}

/** Exactly one of the two is called, never within `dial` itself; none after `abandon`. */
export interface DialListener {
  onOpen(connection: Connection): void;
  onFailed(failure: DialFailure, detail: string): void;
}

/** A connection in the making. */
export interface Dial {
  /** Gives up; nothing is reported. */
  abandon(): void;
}

/** Opens a connection to `address`. An address that is none fails like any other. */
export function dial(address: string, options: DialOptions, listener: DialListener): Dial {
  const target = parseAddress(address);
  let settled = false;
  const fail = (failure: DialFailure, detail: string): void => {
    if (settled) return;
    settled = true;
    listener.onFailed(failure, detail);
  };
  if (target === undefined || target.port === 0) {
    setImmediate(fail, 'unreachable', `"${address}" is no address host:port.`);
    return { abandon: () => (settled = true) };
  }
  const socket = open(formatAddress(target), options);
  socket.once('open', () => {
    if (settled) return;
    settled = true;
    listener.onOpen(new Connection(socket, options.channel));
  });
  // Stays for the life of the socket: an error event without a listener would end the process.
  socket.on('error', (error) => fail(dialFailure(error), error.message));
  return {
    abandon: () => {
      settled = true;
      socket.terminate();
    },
  };
}

function open(address: string, options: DialOptions): WebSocket {
  const { channel, tls, token, timeoutMs } = options;
  const scheme = tls === undefined ? 'ws' : 'wss';
  return new WebSocket(`${scheme}://${address}${CHANNEL_PATHS[channel]}`, {
    perMessageDeflate: false,
    maxPayload: CHANNEL_FRAME_BYTES_MAX[channel],
    handshakeTimeout: timeoutMs,
    followRedirects: false,
    headers: token === '' ? {} : { authorization: bearer(token) },
    ...tls,
  });
}
