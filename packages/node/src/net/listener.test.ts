import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { LIMITS, isClusterError } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { formatAddress } from '../address.ts';
import { RESET_BYTES } from './connection.ts';
import type { Connection } from './connection.ts';
import { dial } from './dial.ts';
import type { DialFailure } from './dial-failure.ts';
import type { DialOptions } from './dial.ts';
import { Listener } from './listener.ts';
import type { ListenerOptions, RefusalReason } from './listener.ts';

/** Values as they happen, awaited one by one. */
class Arrivals<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  readonly add = (value: T): void => {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#values.push(value);
    else waiting(value);
  };

  async next(): Promise<T> {
    const value = this.#values.shift();
    if (value !== undefined) return value;
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

type Told = { frame: string } | { garbage: string } | { pressure: number } | { closed: true };

function listenTo(connection: Connection): Arrivals<Told> {
  const told = new Arrivals<Told>();
  connection.listen({
    onFrame: (bytes) => told.add({ frame: Buffer.from(bytes).toString() }),
    onGarbage: (garbage) => told.add({ garbage }),
    onPressure: (pressure) => told.add({ pressure }),
    onClosed: () => told.add({ closed: true }),
  });
  return told;
}

async function listening(overrides: Partial<ListenerOptions> = {}) {
  const accepted = new Arrivals<Connection>();
  const refused = new Arrivals<RefusalReason>();
  const listener = await Listener.listen({
    address: { host: '127.0.0.1', port: 0 },
    token: '',
    tls: undefined,
    onConnection: (connection) => accepted.add(connection),
    onRefused: (reason) => refused.add(reason),
    ...overrides,
  });
  onTestFinished(async () => await listener.close());
  return { listener, accepted, refused, address: formatAddress(listener.address) };
}

async function dialled(
  address: string,
  overrides: Partial<DialOptions> = {},
): Promise<Connection | DialFailure> {
  return await new Promise((resolve) => {
    dial(
      address,
      { channel: 'control', timeoutMs: 2_000, token: '', tls: undefined, ...overrides },
      {
        onOpen: (connection) => {
          onTestFinished(() => connection.destroy());
          resolve(connection);
        },
        onFailed: (failure) => resolve(failure),
      },
    );
  });
}

async function opened(address: string, overrides: Partial<DialOptions> = {}): Promise<Connection> {
  const connection = await dialled(address, overrides);
  if (typeof connection === 'string') throw new Error(`The dial failed: ${connection}.`);
  return connection;
}

test('frames travel whole and in order, both ways', async () => {
  const { accepted, address } = await listening();
  const client = await opened(address, { channel: 'bulk' });
  const server = await accepted.next();
  expect(server.endpoint).toBe('bulk');
  const atServer = listenTo(server);
  const atClient = listenTo(client);
  for (const text of ['one', 'two', '']) client.send(Buffer.from(text));
  server.send(Buffer.from('three'));
  expect([await atServer.next(), await atServer.next(), await atServer.next()]).toEqual([
    { frame: 'one' },
    { frame: 'two' },
    { frame: '' },
  ]);
  expect(await atClient.next()).toEqual({ frame: 'three' });
});

test('an orderly close sends what is buffered first and tells only the other side', async () => {
  const { accepted, address } = await listening();
  const client = await opened(address);
  const atServer = listenTo(await accepted.next());
  client.send(Buffer.from('goodbye'));
  client.close();
  expect(await atServer.next()).toEqual({ frame: 'goodbye' });
  expect(await atServer.next()).toEqual({ closed: true });
});

test('a port in use is an error that names the address and what to do', async () => {
  const { address, listener } = await listening();
  const again = Listener.listen({
    address: listener.address,
    token: '',
    tls: undefined,
    onConnection: () => undefined,
    onRefused: () => undefined,
  });
  const error: unknown = await again.catch((reason: unknown) => reason);
  if (!isClusterError(error, 'ADDRESS_IN_USE')) throw error;
  expect(error.details).toEqual({ address });
  expect(error.message).toMatch(/listens on .* already\. Stop it, or choose another .* --listen/);
});

test('an address of another machine is a problem of the configuration', async () => {
  // TEST-NET-3 (RFC 5737) belongs to nobody.
  const listened = listening({ address: { host: '203.0.113.1', port: 0 } });
  const error: unknown = await listened.catch((reason: unknown) => reason);
  if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
  expect(error.message).toMatch(/203\.0\.113\.1:0 is no address of this machine/);
});

test('a text frame is garbage, and so is a frame over the limit; neither throws', async () => {
  const { accepted, address } = await listening();
  const raw = new WebSocket(`ws://${address}/peer/control`);
  onTestFinished(() => raw.terminate());
  raw.on('error', () => undefined);
  await once(raw, 'open');
  const told = listenTo(await accepted.next());
  raw.send('hello');
  expect(await told.next()).toEqual({ garbage: 'A text frame: this protocol is binary.' });
  raw.send(new Uint8Array(LIMITS.controlFrameBytesMax + 1));
  expect(await told.next()).toEqual({ garbage: 'Max payload size exceeded.' });
  expect(await told.next()).toEqual({ closed: true });
});

test('bytes that are no WebSocket frame are garbage and end the connection', async () => {
  const { accepted, address, listener } = await listening();
  const socket = connect(listener.address.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(
    `GET /peer/control HTTP/1.1\r\nHost: ${address}\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const told = listenTo(await accepted.next());
  socket.write(Buffer.alloc(64, 0xff));
  expect(await told.next()).toHaveProperty('garbage');
  expect(await told.next()).toEqual({ closed: true });
});

test('what is no HTTP is cut off without harm to others', async () => {
  const { accepted, address, listener } = await listening();
  const socket = connect(listener.address.port, '127.0.0.1');
  const ended = once(socket, 'close');
  socket.on('error', () => undefined);
  socket.end(Buffer.alloc(1024, 0));
  await ended;
  await opened(address);
  expect((await accepted.next()).endpoint).toBe('control');
});

test.each<[RefusalReason, string, Record<string, string>]>([
  ['path', '/elsewhere', {}],
  ['token', '/peer/control', {}],
  ['token', '/client', {}],
  ['token', '/peer/control', { authorization: 'Bearer wrong-wrong-wrong' }],
  ['browser', '/client', { origin: 'http://example.com' }],
  ['browser', '/peer/control', { origin: 'http://example.com' }],
])('a connection is refused for its %s', async (reason, path, headers) => {
  const { refused, address } = await listening({ token: 'right-right-right' });
  const raw = new WebSocket(`ws://${address}${path}`, { headers });
  const failed = once(raw, 'error') as Promise<[Error]>;
  expect(await refused.next()).toBe(reason);
  expect((await failed)[0].message).toMatch(/Unexpected server response: 40[134]/);
});

test('who shows the token may connect', async () => {
  const { accepted, address } = await listening({ token: 'right-right-right' });
  await opened(address, { token: 'right-right-right' });
  expect((await accepted.next()).endpoint).toBe('control');
});

test('strangers are few: one more than allowed is refused until another is admitted', async () => {
  const { accepted, refused, address, listener } = await listening({ strangersMax: 1 });
  await opened(address);
  const first = await accepted.next();
  expect(await dialled(address)).toBe('unreachable');
  expect(await refused.next()).toBe('strangers');
  listener.admit(first);
  await opened(address);
});

test('strangers are short-lived: who says nothing in time is cut off', async () => {
  const { accepted, refused, address } = await listening({ admissionTimeoutMs: 1 });
  const atClient = listenTo(await opened(address));
  const atServer = listenTo(await accepted.next());
  expect(await refused.next()).toBe('admissionTimeout');
  expect(await atServer.next()).toEqual({ closed: true });
  expect(await atClient.next()).toEqual({ closed: true });
});

test('pressure is told at its thresholds in both directions, and a deaf peer is cut off', async () => {
  const { accepted, address } = await listening();
  const client = await opened(address, { channel: 'bulk' });
  const server = await accepted.next();
  listenTo(server);
  const told = listenTo(client);
  server.pause();
  // The kernel takes some megabytes before anything waits here.
  sendUntil(client, 5 * MIB);
  expect(pressureOf(await told.next())).toBeGreaterThanOrEqual(MIB);
  expect(pressureOf(await told.next())).toBeGreaterThanOrEqual(4 * MIB);
  server.resume();
  while (pressureOf(await told.next()) >= MIB) {
    // One write of the system may end both bands at once, or each by itself.
  }
  server.pause();
  sendUntil(client, RESET_BYTES);
  while (!('closed' in (await told.next()))) {
    // Pressure rises first.
  }
  server.destroy();
});

const MIB = 1024 * 1024;

function sendUntil(connection: Connection, bufferedBytes: number): void {
  const chunk = Buffer.alloc(MIB / 2);
  for (let sent = 0; sent < 256 && connection.bufferedBytes <= bufferedBytes; sent += 1) {
    connection.send(chunk);
  }
}

function pressureOf(told: Told): number {
  return 'pressure' in told ? told.pressure : Number.NaN;
}

test('a dial fails with the reason the system gives', async () => {
  const closed = createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const { port } = closed.address() as AddressInfo;
  await once(closed.close(), 'close');
  expect(await dialled(`127.0.0.1:${port}`)).toBe('refused');
  expect(await dialled('no-such-host.invalid:7700')).toBe('unreachable');
  expect(await dialled('not an address')).toBe('unreachable');
  expect(await dialled('127.0.0.1:1/peer')).toBe('unreachable');
});

test('a dial to somebody who accepts and says nothing times out', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  silent.on('connection', (socket) => onTestFinished(() => void socket.destroy()));
  expect(await dialled(`127.0.0.1:${port}`, { timeoutMs: 1 })).toBe('timeout');
});

test('a dial to a server that only speaks HTTP is unreachable', async () => {
  const web = createHttpServer((_request, response) => response.end('hello'));
  await once(web.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  expect(await dialled(`127.0.0.1:${port}`)).toBe('unreachable');
});

test('an abandoned dial tells nothing', async () => {
  const { address } = await listening();
  let told = false;
  const attempt = dial(
    address,
    { channel: 'control', timeoutMs: 2_000, token: '', tls: undefined },
    { onOpen: () => (told = true), onFailed: () => (told = true) },
  );
  attempt.abandon();
  await opened(address);
  expect(told).toBe(false);
});
