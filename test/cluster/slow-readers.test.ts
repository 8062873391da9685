import { connect } from '@memgrid/client';
import type { Grid, Namespace } from '@memgrid/client';
import { encodeClientMessage, FrameWriter, LIMITS, shardOfEntry } from '@memgrid/protocol';
import type { ClientMessage, Operation } from '@memgrid/protocol';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { DevCluster, type DevNode } from './dev-cluster.ts';
import { until } from './until.ts';

// Whoever does not read must cost a node no more than its bounds, and the others nothing.

const CONTENT = 'x'.repeat(60_000);
/** More than the 32 MiB of changes that a node remembers for those who come back. */
const ENTRIES = 700;

async function served(cluster: DevCluster): Promise<Grid> {
  const grid = await connect({ nodes: [cluster.coordinator.address] });
  await until('the node serves', () =>
    grid
      .namespace('slow')
      .count()
      .catch(() => undefined),
  );
  return grid;
}

async function fill(notes: Namespace, entries: number): Promise<void> {
  for (let from = 0; from < entries; from += 50) {
    const ids = Array.from({ length: 50 }, (_, at) => `e${from + at}`);
    const options = { durability: 'one', sync: 'memory' } as const;
    await Promise.all(ids.map((id) => notes.put({ id, userId: 'ada', content: CONTENT }, options)));
  }
}

/** What a process has in memory, in bytes, as Linux counts it. */
function residentBytes({ pid }: DevNode): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

test('a watch that nobody reads is told of its gap, goes on after it, and holds up no writer', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  await using grid = await served(cluster);
  const notes = grid.namespace('slow');
  const watch = notes.watch({ userId: 'ada' });
  await watch.ready;
  await fill(notes, ENTRIES);
  await notes.put({ id: 'last', userId: 'ada', content: 'the end' });
  const seen = { changes: 0, gaps: 0 };
  for await (const item of watch) {
    if (item.kind === 'gap') seen.gaps += 1;
    else seen.changes += 1;
    if (item.kind === 'put' && item.id === 'last') break;
    // After a gap the next write is seen again, whatever was missed.
    if (item.kind === 'gap') await notes.put({ id: 'last', userId: 'ada', content: 'the end' });
  }
  expect(seen.gaps).toBeGreaterThan(0);
  // What was kept for a reader who might still come is bounded.
  expect(seen.changes).toBeLessThan(ENTRIES);
});

test.runIf(process.platform === 'linux')(
  'a caller that never reads its answers costs no more than the bound, and others are served',
  async () => {
    await using cluster = await DevCluster.start('--nodes', '1');
    const node = cluster.coordinator;
    await using grid = await served(cluster);
    const notes = grid.namespace('slow');
    await fill(notes, 50);
    const before = residentBytes(node);
    const deaf = await DeafClient.connect(node);
    // 1.2 GB of answers, if a node were to make them all.
    for (let round = 0; round < 200; round += 1) {
      deaf.askFor(Array.from({ length: 100 }, (_, at) => `e${at % 50}`));
      const found = await notes.get({ id: 'e7', userId: 'ada' }, { read: 'strong' });
      expect(found?.entry.content).toBe(CONTENT);
    }
    expect(residentBytes(node) - before).toBeLessThan(300 * 1_024 * 1_024);
    deaf.hangUp();
  },
);

/** Says hello and asks, over a socket from which nothing is ever taken. */
class DeafClient {
  readonly #socket: Socket;
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // The node may hang up at any time.
    socket.on('error', () => socket.destroy());
  }

  static async connect({ address }: DevNode): Promise<DeafClient> {
    const [host = '', port = ''] = address.split(':');
    const socket = dial({ host, port: Number(port) });
    await once(socket, 'connect');
    const client = new DeafClient(socket);
    socket.write(
      `GET /client HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    // The upgrade is the last that it hears.
    await once(socket, 'data');
    socket.pause();
    const range = { protocolMin: 1, protocolMax: 1 };
    client.#send({ type: 'clientHello', ...range, name: 'deaf', version: '1' });
    return client;
  }

  askFor(keys: readonly string[]): void {
    const namespace = 'slow';
    const operations = keys.map((key): Operation => {
      this.#id += 1;
      return {
        id: this.#id,
        shard: shardOfEntry({ namespace, userId: 'ada', key }, 1_024),
        operationId: '',
        body: { kind: 'get', namespace, key },
        read: 'one',
        durability: 'quorum',
        sync: 'disk',
        timeoutMs: 60_000,
        noAutonomous: false,
        atLeast: 0,
      };
    });
    this.#send({ type: 'operations', operations });
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  #send(message: ClientMessage): void {
    const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
    writer.add(encodeClientMessage(message));
    for (const frame of writer.take()) this.#socket.write(masked(frame));
  }
}

/** One binary WebSocket message of a client (RFC 6455, section 5.2), masked with zeros. */
function masked(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x82;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}
