import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { formatAddress } from '../address.ts';
import { readTls } from '../tls-files.ts';
import type { TlsMaterial } from '../tls-files.ts';
import { dial } from './dial.ts';
import { Listener } from './listener.ts';

function materialOf(name: 'node' | 'stranger'): TlsMaterial {
  const path = (file: string): string =>
    fileURLToPath(new URL(`../testdata/tls/${file}`, import.meta.url));
  const material = readTls({
    cert: path(`${name}.pem`),
    key: path(`${name}-key.pem`),
    ca: path('ca.pem'),
  });
  if (material === undefined) throw new Error('No TLS material.');
  return material;
}

/** What becomes of a dial with `client` to a listener with `server`. */
async function meeting(
  server: TlsMaterial | undefined,
  client: TlsMaterial | undefined,
): Promise<'frame arrived' | 'closed' | 'refused' | 'unreachable' | 'timeout'> {
  const { promise, resolve } = Promise.withResolvers<
    'frame arrived' | 'closed' | 'refused' | 'unreachable' | 'timeout'
  >();
  const listener = await Listener.listen({
    address: { host: '127.0.0.1', port: 0 },
    token: '',
    tls: server,
    onConnection: (connection) =>
      connection.listen({
        onFrame: () => resolve('frame arrived'),
        onGarbage: () => undefined,
        onPressure: () => undefined,
        onClosed: () => undefined,
      }),
    onRefused: () => undefined,
  });
  const attempt = dial(
    formatAddress(listener.address),
    { channel: 'control', timeoutMs: 2_000, token: '', tls: client },
    {
      onOpen: (connection) => {
        onTestFinished(() => connection.destroy());
        connection.listen({
          onFrame: () => undefined,
          onGarbage: () => undefined,
          onPressure: () => undefined,
          onClosed: () => resolve('closed'),
        });
        connection.send(new Uint8Array(10));
      },
      onFailed: (failure) => resolve(failure),
    },
  );
  onTestFinished(async () => {
    attempt.abandon();
    await listener.close();
  });
  return await promise;
}

test('nodes of one authority speak with each other', async () => {
  expect(await meeting(materialOf('node'), materialOf('node'))).toBe('frame arrived');
});

test.each<[string, TlsMaterial | undefined, TlsMaterial | undefined]>([
  ['a dialler with a certificate of its own making', materialOf('node'), materialOf('stranger')],
  ['a listener with a certificate of its own making', materialOf('stranger'), materialOf('node')],
  ['a dialler without TLS', materialOf('node'), undefined],
  ['a listener without TLS', undefined, materialOf('node')],
])('%s is not spoken with', async (_name, server, client) => {
  expect(await meeting(server, client)).toBe('unreachable');
});

test('a file that can not be read is named', () => {
  const files = { cert: '/no/such.pem', key: '/no/such.pem', ca: '/no/such.pem' };
  expect(() => readTls(files)).toThrow(/\/no\/such\.pem can not be read .* \(ENOENT\)/);
});
