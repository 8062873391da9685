import { once } from 'node:events';
import type { NodeInput } from '@memgrid/core';
import {
  FrameWriter,
  LIMITS,
  decodeClientMessage,
  encodeClientMessage,
  readFrame,
} from '@memgrid/protocol';
import type { Answer, ClientMessage, Operation, ShardId } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { formatAddress } from '../address.ts';
import { Listener } from '../net/listener.ts';
import { FrameTraffic } from '../observe/frame-traffic.ts';
import { ClientLinks } from './client-links.ts';

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

/** A node's client links behind a listener, and a bare WebSocket that is connected to them. */
async function connected() {
  const inbox = new Inbox();
  const unencodable: string[] = [];
  const gone: number[] = [];
  const traffic = new FrameTraffic();
  const links = new ClientLinks({
    push: inbox.push,
    waitingCount: () => inbox.waiting,
    onAdmitted: (connection) => listener.admit(connection),
    onUnencodable: (type, problem) => unencodable.push(`${type}: ${problem}`),
    onMessage: () => undefined,
    onGone: (link) => gone.push(link),
    traffic,
  });
  const listener = await Listener.listen({
    address: { host: '127.0.0.1', port: 0 },
    token: '',
    tls: undefined,
    onConnection: (connection, remote) => links.accept(connection, remote),
    onRefused: () => undefined,
  });
  const socket = new WebSocket(`ws://${formatAddress(listener.address)}/client`);
  onTestFinished(async () => {
    socket.terminate();
    links.close();
    await listener.close();
  });
  const frames: ClientMessage[][] = [];
  socket.on('message', (data) => frames.push(messagesOf(data as Buffer)));
  await once(socket, 'open');
  const { link } = await inbox.next('clientAccepted');
  /** What came of `link` by the time that another client, who spoke later, was heard. */
  const meanwhile = async (): Promise<readonly NodeInput[]> => {
    const witness = new WebSocket(`ws://${formatAddress(listener.address)}/client`);
    onTestFinished(() => witness.terminate());
    await once(witness, 'open');
    witness.send(frameOf(encodeClientMessage(ping(99))));
    const before: NodeInput[] = [];
    for (;;) {
      const input = await inbox.next('clientReceived');
      if (input.link !== link) return before;
      before.push(input);
    }
  };
  return { links, inbox, link, socket, frames, traffic, unencodable, gone, meanwhile };
}

function messagesOf(data: Buffer): ClientMessage[] {
  const frame = readFrame(new Uint8Array(data), LIMITS.clientFrameBytesMax);
  if (frame.kind === 'invalid') throw new Error(frame.problem);
  return frame.messages.map((bytes) => {
    const decoded = decodeClientMessage(bytes);
    if (decoded.kind !== 'message') throw new Error(`The node sent what is ${decoded.kind}.`);
    return decoded.message;
  });
}

function frameOf(...messages: readonly Uint8Array[]): Uint8Array {
  const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
  for (const message of messages) writer.add(message);
  return writer.take()[0] ?? new Uint8Array();
}

function ping(token: number): ClientMessage {
  return { type: 'clientPing', token };
}

function get(id: number): Operation {
  return {
    id,
    shard: 1 as ShardId,
    operationId: '',
    body: { kind: 'get', namespace: 'n', key: `k-${id}` },
    read: 'one',
    durability: 'quorum',
    sync: 'memory',
    timeoutMs: 1000,
    noAutonomous: false,
    atLeast: 0,
    schemaVersion: undefined,
  };
}

function absent(id: number): Answer {
  const position = { epoch: 1, index: 1 };
  const result = { kind: 'absent', source: 'primary', stalenessMs: 0 } as const;
  return { id, shard: 1 as ShardId, position, result };
}

function pong(token: number): ClientMessage {
  return { type: 'clientPong', token };
}

test('a frame becomes inputs in order, and what a turn says becomes one frame', async () => {
  const { links, inbox, link, socket, frames, traffic } = await connected();
  socket.send(frameOf(encodeClientMessage(ping(1)), encodeClientMessage(ping(2))));
  for (const token of [1, 2]) {
    expect(await inbox.next('clientReceived')).toEqual({
      kind: 'clientReceived',
      link,
      message: ping(token),
    });
  }
  for (const token of [1, 2]) links.send(link, pong(token));
  const answered = once(socket, 'message');
  links.flush();
  await answered;
  expect(frames).toEqual([[pong(1), pong(2)]]);
  expect(traffic.read('sent', 'client').frames).toBe(1);
  expect(traffic.read('received', 'client').frames).toBe(1);
});

test('a large message of operations becomes inputs of at most 128, in order, before what follows', async () => {
  const { inbox, socket } = await connected();
  const operations = Array.from({ length: 300 }, (_, id) => get(id));
  const message = encodeClientMessage({ type: 'operations', operations });
  socket.send(frameOf(message, encodeClientMessage(ping(1))));
  const pieces: (readonly number[])[] = [];
  for (;;) {
    const { message: received } = await inbox.next('clientReceived');
    if (received.type !== 'operations') break;
    pieces.push(received.operations.map(({ id }) => id));
  }
  expect(pieces.map((piece) => piece.length)).toEqual([128, 128, 44]);
  expect(pieces.flat()).toEqual(operations.map(({ id }) => id));
});

test('answers leave before the end of the turn once 128 of them have been gathered', async () => {
  const { links, link, socket, frames } = await connected();
  const answers = Array.from({ length: 80 }, (_, id) => absent(id));
  links.send(link, { type: 'answers', answers });
  const early = once(socket, 'message');
  links.send(link, { type: 'answers', answers });
  links.send(link, pong(1));
  await early;
  expect(frames).toEqual([
    [
      { type: 'answers', answers },
      { type: 'answers', answers },
    ],
  ]);
  const rest = once(socket, 'message');
  links.flush();
  await rest;
  expect(frames[1]).toEqual([pong(1)]);
});

test.each<[string, Uint8Array]>([
  ['no frame', new Uint8Array([1, 2, 3])],
  ['no message', frameOf(new Uint8Array([0xc1]))],
])('what is %s is told to the machine, and nothing behind it is believed', async (_what, bytes) => {
  const { inbox, link, socket } = await connected();
  socket.send(bytes);
  expect(await inbox.next('clientGarbage')).toMatchObject({ link });
});

test('a message of a later version is passed over', async () => {
  const { inbox, socket } = await connected();
  // Type 127 of a later version, without a body.
  socket.send(frameOf(new Uint8Array([0x92, 0x7f, 0xc0]), encodeClientMessage(ping(3))));
  expect(await inbox.next('clientReceived')).toMatchObject({ message: ping(3) });
});

test('what was said before hanging up still arrives, and nothing more is reported', async () => {
  const { links, inbox, link, socket, frames, gone } = await connected();
  links.send(link, { type: 'clientBye', reason: 'shuttingDown' });
  const closed = once(socket, 'close');
  links.hangUp(link);
  await closed;
  expect(frames).toEqual([[{ type: 'clientBye', reason: 'shuttingDown' }]]);
  expect(inbox.inputs).toEqual([]);
  expect(gone).toEqual([link]);
  links.send(link, pong(1));
  links.flush();
});

test('a client that hangs up is reported, and swallows what is still said to it', async () => {
  const { links, inbox, link, socket } = await connected();
  socket.close();
  expect(await inbox.next('clientClosed')).toEqual({ kind: 'clientClosed', link });
  links.send(link, pong(1));
  links.flush();
});

test('a paused client is read from again when the machine says so', async () => {
  const { links, inbox, link, socket, meanwhile } = await connected();
  links.pause(link, true);
  socket.send(frameOf(encodeClientMessage(ping(1))));
  expect(await meanwhile()).toEqual([]);
  links.pause(link, false);
  expect(await inbox.next('clientReceived')).toMatchObject({ message: ping(1) });
});

test('a full inbox stops the reading until there is room, whatever the machine wants', async () => {
  const { links, inbox, link, socket, meanwhile } = await connected();
  inbox.waiting = 10_000;
  socket.send(frameOf(encodeClientMessage(ping(1))));
  await inbox.next('clientReceived');
  links.pause(link, false);
  links.flush();
  socket.send(frameOf(encodeClientMessage(ping(2))));
  expect(await meanwhile()).toEqual([]);
  inbox.waiting = 0;
  links.flush();
  expect(await inbox.next('clientReceived')).toMatchObject({ message: ping(2) });
});

test('a client whose input is lost is cut off, so that it asks again', async () => {
  const { inbox, socket } = await connected();
  inbox.accepts = false;
  const closed = once(socket, 'close');
  socket.send(frameOf(encodeClientMessage(ping(1))));
  await closed;
});

test('a message that breaks a limit is told, and its client is cut off', async () => {
  const { links, link, socket, unencodable } = await connected();
  const closed = once(socket, 'close');
  const name = 'x'.repeat(LIMITS.clientNameBytesMax + 1);
  const range = { protocolMin: 1, protocolMax: 1 };
  links.send(link, { type: 'clientHello', ...range, name, version: '' });
  await closed;
  expect(unencodable).toHaveLength(1);
});

test('a client that does not read is told of, as its answers pile up', async () => {
  const { links, inbox, link, socket } = await connected();
  socket.pause();
  const gap = { type: 'feedGap', feed: 1, shard: 1 as never, reason: 'slow' } as const;
  for (let sent = 0; sent < 400_000; sent += 1) links.send(link, { ...gap, resumesAfter: sent });
  links.flush();
  let toldBytes = 0;
  while (toldBytes < 1024 * 1024) {
    const { bufferedBytes } = await inbox.next('clientPressure');
    expect(bufferedBytes).toBeGreaterThan(toldBytes);
    toldBytes = bufferedBytes;
  }
});

test('what a client leaves unread is told between the thresholds too: all of them are added up', async () => {
  const { links, inbox, link, socket } = await connected();
  socket.pause();
  const range = { protocolMin: 1, protocolMax: 1 };
  const refused = { type: 'clientRefused', reason: 'overloaded', ...range } as const;
  const detail = 'x'.repeat(LIMITS.detailBytesMax);
  const steps: number[] = [];
  // The kernel takes some megabytes before anything waits here.
  for (let round = 0; round < 400 && links.bufferedBytes < 8 * 1024 * 1024; round += 1) {
    for (let sent = 0; sent < 200; sent += 1) links.send(link, { ...refused, detail });
    links.flush();
    const told = inbox.inputs.findLast(({ kind }) => kind === 'clientPressure');
    const known = told?.kind === 'clientPressure' ? told.bufferedBytes : 0;
    steps.push(Math.abs(links.bufferedBytes - known));
  }
  expect(links.bufferedBytes).toBeGreaterThan(5 * 1024 * 1024);
  expect(Math.max(...steps)).toBeLessThan(64 * 1024);
});
