import { cpSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { MemgridProcess, memgrid } from './memgrid-process.ts';
import { until } from './until.ts';

/** `memgrid start`, on ports of the system's choosing unless others are given. */
function startNode(data: string, ...argv: readonly string[]): MemgridProcess {
  const anywhere = ['--listen', '--http']
    .filter((flag) => !argv.includes(flag))
    .flatMap((flag) => [flag, '127.0.0.1:0']);
  return new MemgridProcess(['start', '--json', '--data', data, ...anywhere, ...argv]);
}

/** The error envelope of a command that never got going. */
function errorOf(command: MemgridProcess): { code: string; message: string; hint?: string } {
  const last = command.stdout.trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(last) as { error: { code: string; message: string } }).error;
}

async function membersOf(httpUrl: string): Promise<readonly Record<string, unknown>[]> {
  const { envelope } = await memgrid('members', '--node', httpUrl);
  return envelope.data['members'] as readonly Record<string, unknown>[];
}

test('a data directory serves one process at a time', async () => {
  using directory = new TemporaryDirectory();
  await using first = startNode(directory.file('data'));
  await first.line('node.started');
  await using second = startNode(directory.file('data'));
  expect((await second.exit).exitCode).toBe(6);
  const error = errorOf(second);
  expect(error.code).toBe('DIRECTORY_LOCKED');
  expect(error.message).toContain(directory.file('data'));
  expect(error.message).toContain(String(first.pid));
  // The first one did not even notice.
  first.signal('SIGTERM');
  expect((await first.exit).exitCode).toBe(0);
});

test.runIf(process.platform === 'linux')(
  'where no directory can be made start says so and ends, rather than trying for ever',
  async () => {
    await using node = startNode('/proc/memgrid-test');
    expect((await node.exit).exitCode).toBe(2);
    expect(errorOf(node).message).toContain('ENOENT');
  },
);

test('a directory whose process was killed can be used again at once', async () => {
  using directory = new TemporaryDirectory();
  await using first = startNode(directory.file('data'));
  const started = await first.line('node.started');
  first.signal('SIGKILL');
  await first.exit;
  await using second = startNode(directory.file('data'));
  const again = await second.line('node.started');
  expect(again['nodeId']).toBe(started['nodeId']);
  expect(again['generation']).toBe(Number(started['generation']) + 1);
});

test.each(['--listen', '--http'])(
  '%s at a port in use: exit code 6 and the address',
  async (flag) => {
    using directory = new TemporaryDirectory();
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    await using node = startNode(directory.file('data'), flag, address);
    expect((await node.exit).exitCode).toBe(6);
    expect(errorOf(node)).toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(errorOf(node).message).toContain(address);
    taken.close();
  },
);

test('contradictory configuration: every problem at once, both numbers named, nothing started', async () => {
  using directory = new TemporaryDirectory();
  const bad = ['--expect', '3', '--voters-max', '4', '--weight', 'heavy', '--zone', 'a b'];
  await using node = startNode(directory.file('data'), ...bad);
  expect((await node.exit).exitCode).toBe(2);
  const { code, message } = errorOf(node);
  expect(code).toBe('BAD_CONFIGURATION');
  for (const part of ['expect (3)', 'seeds (0 given)', '"4"', '"heavy"', '"a b"']) {
    expect(message).toContain(part);
  }
});

test('another address than loopback without TLS and a token names both ways out', async () => {
  using directory = new TemporaryDirectory();
  const open = ['--listen', '0.0.0.0:0', '--advertise', '127.0.0.1:7700'];
  await using node = startNode(directory.file('data'), ...open);
  expect((await node.exit).exitCode).toBe(2);
  expect(errorOf(node).message).toContain('tlsCert');
  expect(errorOf(node).message).toContain('--insecure-network');
});

test('a copy of a directory in use: one of the two stops, and the cluster keeps its members', async () => {
  using directory = new TemporaryDirectory();
  const grid = directory.file('grid');
  {
    await using before = await DevCluster.start('--data', grid);
    before.dev.signal('SIGTERM');
    await before.dev.exit;
  }
  cpSync(directory.file('grid', 'n3'), directory.file('copy'), { recursive: true });
  await using cluster = await DevCluster.start('--data', grid);
  const original = cluster.node(({ label }) => label === 'n3');
  const seeds = cluster.nodes.map(({ address }) => address).join(',');
  await using copy = startNode(directory.file('copy'), '--seeds', seeds, '--profile', 'local');
  const stopped = await until('one of the two stops', () => {
    const ended = cluster.dev.lines.find(({ event }) => event === 'node.ended');
    const halted = copy.lines.find(({ event }) => event === 'node.stopped');
    return halted ?? ended;
  });
  if (stopped.event === 'node.stopped') {
    expect(stopped['code']).toBe('identityInUse');
    expect((await copy.exit).exitCode).toBe(6);
  } else {
    expect(stopped['nodeId']).toBe(original.nodeId);
  }
  const [witness] = cluster.nodes.filter(({ label }) => label !== 'n3');
  const members = await membersOf(witness?.httpUrl ?? '');
  expect(new Set(members.map(({ nodeId }) => nodeId))).toEqual(
    new Set(cluster.nodes.map(({ nodeId }) => nodeId)),
  );
  expect(members).toHaveLength(3);
});

test('a node of another cluster is turned away and changes nothing', async () => {
  using directory = new TemporaryDirectory();
  // A cluster of one, and then its only node among strangers.
  {
    await using alone = await DevCluster.start('--nodes', '1', '--data', directory.file('other'));
    alone.dev.signal('SIGTERM');
    await alone.dev.exit;
  }
  await using cluster = await DevCluster.start();
  const seeds = cluster.nodes.map(({ address }) => address).join(',');
  await using stranger = startNode(directory.file('other', 'n1'), '--seeds', seeds);
  await until('the stranger says why', () =>
    stranger.stderr.includes('wrongCluster') || stranger.stdout.includes('wrongCluster')
      ? true
      : undefined,
  );
  const [witness] = cluster.nodes;
  expect(await membersOf(witness?.httpUrl ?? '')).toHaveLength(3);
  const { envelope } = await memgrid('status', '--node', witness?.httpUrl ?? '');
  expect(envelope.data).toMatchObject({ clusterId: cluster.ready.clusterId, agreed: true });
});

test('bytes that are no message of ours change nothing', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('There is no node.');
  const junk = [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\u0000\u0001\u0002\u00ff'.repeat(5_000),
    'GET /control HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\u0082\u00ff',
  ];
  const [host = '', port = ''] = node.address.split(':');
  for (const text of junk) await sendAndHangUp(host, Number(port), text);
  const { exitCode, envelope } = await memgrid('status', '--node', node.httpUrl);
  expect(exitCode).toBe(0);
  expect(envelope.data).toMatchObject({ coordinator: node.nodeId, members: { alive: 1 } });
});

async function sendAndHangUp(host: string, port: number, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ host, port }, () => socket.end(Buffer.from(text, 'latin1')));
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
  });
}
