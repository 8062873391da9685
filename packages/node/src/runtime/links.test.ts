import type { NodeInput } from '@memgrid/core';
import { LIMITS, encodeEnvelope, generation, nodeId } from '@memgrid/protocol';
import type { Envelope, Message } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { formatAddress } from '../address.ts';
import { Listener } from '../net/listener.ts';
import { FrameTraffic } from '../observe/frame-traffic.ts';
import { Links } from './links.ts';

const source = nodeId('ab'.repeat(16));

function envelopeOf(message: Message, sequence = 1): Envelope {
  return {
    version: 1,
    flags: 0,
    cluster32: 0,
    source,
    sourceGeneration: generation(1),
    targetGeneration: generation(1),
    sequence,
    timestamp: { ms: 1, counter: 0 },
    controlIndex: 0,
    message,
  };
}

function ping(probe: number): Envelope {
  return envelopeOf({ type: 'ping', probe, updates: [] }, probe + 1);
}

/** Inputs in order, each awaited; `waiting` is what the driver's inbox would hold. */
class Inbox {
  readonly inputs: NodeInput[] = [];
  waiting = 0;
  accepts = true;
  #wake: (() => void) | undefined;

  readonly push = (input: NodeInput): boolean => {
    if (!this.accepts) return false;
    this.inputs.push(input);
    this.#wake?.();
    return true;
  };

  /** The next input of this kind; the ones before it are dropped. */
  async next<Kind extends NodeInput['kind']>(
    kind: Kind,
  ): Promise<Extract<NodeInput, { kind: Kind }>> {
    for (;;) {
      const input = this.inputs.shift();
      if (input?.kind === kind) return input as Extract<NodeInput, { kind: Kind }>;
      if (input !== undefined) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function linksOf() {
  const inbox = new Inbox();
  const unencodable: string[] = [];
  const traffic = new FrameTraffic();
  const links = new Links({
    push: inbox.push,
    waitingCount: () => inbox.waiting,
    token: '',
    tls: undefined,
    onAdmitted: () => undefined,
    onDialFailed: () => undefined,
    onUnencodable: (type, problem) => unencodable.push(`${type}: ${problem}`),
    traffic,
  });
  return { links, inbox, unencodable, traffic };
}

/** A side that listens, and a side that dialled it. */
async function connected() {
  const server = linksOf();
  const client = linksOf();
  const listener = await Listener.listen({
    address: { host: '127.0.0.1', port: 0 },
    token: '',
    tls: undefined,
    onConnection: (connection, remote) => server.links.accept(connection, 'control', remote),
    onRefused: () => undefined,
  });
  onTestFinished(async () => {
    client.links.close();
    server.links.close();
    await listener.close();
  });
  const address = formatAddress(listener.address);
  client.links.dial(1, address, 'control');
  await client.inbox.next('linkOpened');
  const { link } = await server.inbox.next('linkAccepted');
  return { server, client, link, address, listener };
}

/** Somebody who speaks WebSocket and nothing else of ours. */
async function intruder(address: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${address}/peer/control`);
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

test('all messages of a turn travel in one frame and arrive as single inputs, in order', async () => {
  const { server, client, link } = await connected();
  expect(link).toBe(-1);
  for (const probe of [0, 1, 2]) client.links.send(1, ping(probe));
  expect(client.traffic.read('sent', 'control').frames).toBe(0);
  client.links.flush();
  expect(client.traffic.read('sent', 'control').frames).toBe(1);
  for (const probe of [0, 1, 2]) {
    expect(await server.inbox.next('received')).toEqual({
      kind: 'received',
      link,
      envelope: ping(probe),
    });
  }
  expect(server.traffic.read('received', 'control').frames).toBe(1);
});

test('much for one peer leaves before the end of the turn, and the rest with it, in order', async () => {
  const { server, client, link } = await connected();
  const count = 1_000;
  for (let probe = 0; probe < count; probe += 1) client.links.send(1, ping(probe));
  const early = client.traffic.read('sent', 'control').frames;
  expect(early).toBeGreaterThan(1);
  client.links.flush();
  expect(client.traffic.read('sent', 'control').frames).toBe(early + 1);
  for (let probe = 0; probe < count; probe += 1) {
    const received = await server.inbox.next('received');
    expect(received).toEqual({ kind: 'received', link, envelope: ping(probe) });
  }
});

test('what was said before hanging up still arrives, and only the other side is told', async () => {
  const { server, client, link } = await connected();
  server.links.send(link, envelopeOf({ type: 'bye', reason: 'enough' }));
  server.links.hangUp(link);
  expect((await client.inbox.next('received')).envelope.message).toEqual({
    type: 'bye',
    reason: 'enough',
  });
  await client.inbox.next('linkClosed');
  expect(server.inbox.inputs).toEqual([]);
  expect(server.links.count('control')).toBe(0);
  expect(client.links.count('control')).toBe(0);
});

test.each<[string, () => Uint8Array | string, RegExp]>([
  ['text', () => 'hello', /binary/],
  ['nothing', () => new Uint8Array(0), /Frame ends after 0 bytes/],
  ['noise', () => new Uint8Array(100).fill(0xa5), /Not a memgrid frame/],
  ['a frame that ends early', () => frameOf(encodeEnvelope(ping(0))).slice(0, -1), /has \d+ left/],
  ['a message that is none', () => frameOf(Uint8Array.of(0xc1, 1, 2)), /./],
  ['too much', () => new Uint8Array(LIMITS.controlFrameBytesMax + 1), /Max payload size exceeded/],
])('%s is garbage', async (_name, bytes, problem) => {
  const { server, address } = await connected();
  const socket = await intruder(address);
  const { link } = await server.inbox.next('linkAccepted');
  socket.send(bytes());
  const garbage = await server.inbox.next('garbage');
  expect(garbage).toMatchObject({ link });
  expect(garbage.problem).toMatch(problem);
});

test('a message of a later version is told apart from garbage', async () => {
  const { server, address } = await connected();
  const socket = await intruder(address);
  await server.inbox.next('linkAccepted');
  const bytes = encodeEnvelope(ping(0));
  // The type is the second element of the envelope: [version, type, …], both one byte here.
  const later = Uint8Array.from([...bytes.slice(0, 2), 0xcd, 0x03, 0xe7, ...bytes.slice(3)]);
  socket.send(frameOf(later));
  expect((await server.inbox.next('unknownMessage')).messageType).toBe(999);
});

test('a message that breaks a limit is dropped and told, and the link goes on', async () => {
  const { server, client } = await connected();
  client.links.send(1, ping(-1));
  client.links.send(1, ping(7));
  client.links.flush();
  expect((await server.inbox.next('received')).envelope).toEqual(ping(7));
  expect(client.unencodable).toHaveLength(1);
  expect(client.unencodable[0]).toMatch(/^ping: /);
});

test('a full inbox stops reading without loss, until a turn has made room', async () => {
  const { server, client } = await connected();
  server.inbox.waiting = 100_000;
  client.links.send(1, ping(0));
  client.links.flush();
  await server.inbox.next('received');
  client.links.send(1, ping(1));
  client.links.flush();
  // Another link is still read, so time has passed for the paused one as well.
  server.links.flush();
  expect(server.inbox.inputs).toEqual([]);
  server.inbox.waiting = 0;
  server.links.flush();
  expect((await server.inbox.next('received')).envelope).toEqual(ping(1));
});

test('an inbox that refuses costs the connection, so that no gap goes unnoticed', async () => {
  const { server, client } = await connected();
  server.inbox.accepts = false;
  client.links.send(1, ping(0));
  client.links.flush();
  await client.inbox.next('linkClosed');
  expect(server.links.count('control')).toBe(0);
});

test('a dial that fails and one that is given up', async () => {
  const { client, listener } = await connected();
  const address = formatAddress(listener.address);
  client.links.dial(2, address, 'bulk');
  client.links.hangUp(2);
  client.links.dial(3, address, 'bulk');
  expect((await client.inbox.next('linkOpened')).link).toBe(3);
  client.links.close();
  await listener.close();
  client.links.dial(4, address, 'control');
  expect(await client.inbox.next('linkFailed')).toEqual({
    kind: 'linkFailed',
    link: 4,
    problem: 'refused',
  });
});

function frameOf(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + message.length);
  frame.set([0x4d, 0x47, 1, 0]);
  new DataView(frame.buffer).setUint32(4, message.length);
  frame.set(message, 8);
  return frame;
}
