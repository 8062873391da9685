import {
  decodeClientMessage,
  encodeClientMessage,
  FrameWriter,
  LIMITS,
  makeOperationId,
  readFrame,
  shardOfEntry,
} from '@memgrid/protocol';
import type {
  Answer,
  ClientMessage,
  ClientWelcome,
  Operation,
  Placement,
  ShardId,
} from '@memgrid/protocol';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { rawEntry } from './raw-entry.ts';

export const RAW_NAMESPACE = 'raw';

/**
 * A client that only speaks the protocol: one connection, one node, no retries. What it sees is what
 * the node does.
 */
export class RawClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  readonly messages: ClientMessage[] = [];
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) =>
      this.#onFrame(new Uint8Array(data as ArrayBuffer)),
    );
    socket.addEventListener('close', () => {
      for (const resolve of this.#waiting.values()) resolve(undefined);
    });
  }

  /** Connects and introduces itself. */
  static async connect(address: string, protocol = 1): Promise<RawClient> {
    const client = await RawClient.open(address);
    const range = { protocolMin: protocol, protocolMax: protocol };
    client.send({ type: 'clientHello', ...range, name: 'raw', version: '1' });
    return client;
  }

  /** Only connects. */
  static async open(address: string): Promise<RawClient> {
    const socket = new WebSocket(`ws://${address}/client`);
    const client = new RawClient(socket);
    await once(socket, 'open');
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get welcome(): ClientWelcome | undefined {
    return this.messages.find((message) => message.type === 'clientWelcome');
  }

  get placement(): Placement | undefined {
    return this.messages.find((message) => message.type === 'placement');
  }

  /** Whatever these bytes are, as one WebSocket message. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.send(new Uint8Array(bytes));
  }

  /** Resolves when the node has hung up. */
  async ended(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, 'close');
  }

  send(message: ClientMessage): void {
    const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
    writer.add(encodeClientMessage(message));
    for (const frame of writer.take()) this.#socket.send(new Uint8Array(frame));
  }

  /** Undefined when the connection ended first. */
  async ask(
    operation: Pick<Operation, 'shard' | 'body'> & Partial<Operation>,
  ): Promise<Answer | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    return await new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.send({
        type: 'operations',
        operations: [
          {
            operationId: '',
            read: 'strong',
            durability: 'quorum',
            sync: 'disk',
            timeoutMs: 3_000,
            noAutonomous: true,
            atLeast: 0,
            ...operation,
            id,
          },
        ],
      });
    });
  }

  async put(userId: string, key: string, content: string): Promise<Answer | undefined> {
    const entry = rawEntry({ userId, content });
    const condition = { kind: 'always' } as const;
    return await this.ask({
      shard: this.shardOf(userId, key),
      body: { kind: 'put', namespace: RAW_NAMESPACE, key, entry, condition },
      operationId: makeOperationId(Date.now(), [random(), random(), random()]),
    });
  }

  async get(
    userId: string,
    key: string,
    read: Operation['read'] = 'strong',
  ): Promise<Answer | undefined> {
    const body = { kind: 'get', namespace: RAW_NAMESPACE, key } as const;
    return await this.ask({ shard: this.shardOf(userId, key), body, read });
  }

  shardOf(userId: string, key: string): ShardId {
    const { shardCount = 1024 } = this.welcome ?? {};
    return shardOfEntry({ namespace: RAW_NAMESPACE, userId, key }, shardCount);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #onFrame(bytes: Uint8Array): void {
    const frame = readFrame(bytes, LIMITS.clientFrameBytesMax);
    if (frame.kind === 'invalid') throw new Error(frame.problem);
    for (const message of frame.messages) {
      const decoded = decodeClientMessage(message);
      if (decoded.kind !== 'message') throw new Error(`The node sent what is ${decoded.kind}.`);
      this.messages.push(decoded.message);
      if (decoded.message.type !== 'answers') continue;
      for (const answer of decoded.message.answers) {
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      }
    }
  }
}

function random(): number {
  return randomInt(2 ** 32);
}
