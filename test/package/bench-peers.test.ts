import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { freePorts, PortInUseError, startOnFreePorts } from '../../bench/peers/free-ports.ts';
import { NotInstalledError, programFile } from '../../bench/peers/program.ts';
import { ServerProcess } from '../../bench/peers/server-process.ts';

const SHELL = { name: 'sh', aptPackage: 'dash' };

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-peers-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function startShell(directory: string, script: string, isReady = false): Promise<ServerProcess> {
  return ServerProcess.start({
    program: SHELL,
    args: ['-c', script],
    directory,
    isReady: () => Promise.resolve(isReady),
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('free ports differ, and nobody listens on them', async () => {
  const ports = await freePorts(8);
  expect(new Set(ports).size).toBe(8);
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: ports[0] }, resolve);
  });
  expect((server.address() as AddressInfo).port).toBe(ports[0]);
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

test('a port that somebody took in between is tried again elsewhere', async () => {
  const tried: number[] = [];
  const start = ([port = 0]: readonly number[]): Promise<number> => {
    tried.push(port);
    if (tried.length < 3) return Promise.reject(new PortInUseError('taken'));
    return Promise.resolve(port);
  };
  const port = await startOnFreePorts({ count: 1, start });
  expect(tried).toHaveLength(3);
  expect(port).toBe(tried[2]);
});

test('with every port taken it gives up and says so', async () => {
  const start = (): Promise<never> => Promise.reject(new PortInUseError('taken'));
  await expect(startOnFreePorts({ count: 1, start })).rejects.toThrow(PortInUseError);
});

test('another failure is not tried again', async () => {
  let count = 0;
  const start = (): Promise<never> => {
    count += 1;
    return Promise.reject(new Error('no memory'));
  };
  await expect(startOnFreePorts({ count: 1, start })).rejects.toThrow('no memory');
  expect(count).toBe(1);
});

test('a program that is not there says what to install', () => {
  const program = { name: 'no-such-server-9', aptPackage: 'some-package' };
  expect(() => programFile(program)).toThrow(NotInstalledError);
  expect(() => programFile(program)).toThrow('not installed: apt-get install some-package');
});

test('a server is stopped by its own id', async () => {
  await inDirectory(async (directory) => {
    const server = await startShell(directory, 'exec sleep 600', true);
    expect(isRunning(server.pid)).toBe(true);
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    await server.stop();
  });
});

test('a server that cannot have its port says that', async () => {
  await inDirectory(async (directory) => {
    const script = 'echo "bind: Address already in use" >&2; exit 1';
    await expect(startShell(directory, script)).rejects.toThrow(PortInUseError);
  });
});

test('a server that ends at once shows what it wrote', async () => {
  await inDirectory(async (directory) => {
    const started = startShell(directory, 'echo "bad directive" >&2; exit 1');
    await expect(started).rejects.toThrow(/sh ended at once:\n.*bad directive/);
  });
});
