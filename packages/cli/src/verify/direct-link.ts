import {
  decodeClientMessage,
  encodeClientMessage,
  FrameWriter,
  LIMITS,
  PROTOCOL,
  readFrame,
  type Answer,
  type ClientMessage,
  type ClientWelcome,
  type Operation,
  type Placement,
} from '@memgrid/protocol';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';

export interface DirectLinkOptions {
  /** Empty for none. */
  readonly token: string;
  readonly secure: boolean;
  readonly timeoutMs: number;
}

/** What a link asks for: the link numbers it. */
export type Question = Omit<Operation, 'id'>;

/**
 * A conversation with exactly one node.
 *
 * A client of the ordinary kind asks whichever replica suits it; whoever compares replicas must know
 * which one has answered. Nothing is tried again here: that would hide what is to be found.
 */
export class DirectLink implements Disposable {
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #opened = Promise.withResolvers<void>();
  #welcome: ClientWelcome | undefined;
  #placement: Placement | undefined;
  #nextId = 1;

  private constructor(address: string, socket: WebSocket) {
    this.address = address;
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#greet());
    socket.addEventListener('message', ({ data }) => this.#received(data as unknown));
    socket.addEventListener('error', () => this.#fail('the connection failed'));
    socket.addEventListener('close', () => this.#fail('the connection was closed'));
  }

  /** @throws CommandError when the node does not answer in time, or not as a node. */
  static async open(address: string, options: DirectLinkOptions): Promise<DirectLink> {
    const { token, secure, timeoutMs } = options;
    const host = address.replace(/^wss?:\/\//, '').replace(/\/.*$/, '');
    const isSecure = secure || address.startsWith('wss://');
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    // Node's WebSocket takes headers; the type of browsers, which the compiler knows, does not.
    const init = { headers } as unknown as string[];
    const socket = new WebSocket(`${isSecure ? 'wss' : 'ws'}://${host}/client`, init);
    const link = new DirectLink(host, socket);
    const timer = setTimeout(() => link.#fail(`no answer came within ${timeoutMs} ms`), timeoutMs);
    try {
      await link.#opened.promise;
      return link;
    } finally {
      clearTimeout(timer);
    }
  }

  get welcome(): ClientWelcome {
    if (this.#welcome === undefined) throw new TypeError('The link is not open.');
    return this.#welcome;
  }

  /** Who holds what, as this node told it first. */
  get placement(): Placement {
    if (this.#placement === undefined) throw new TypeError('The link is not open.');
    return this.#placement;
  }

  /** @throws CommandError when the connection ends first. */
  ask(question: Question): Promise<Answer> {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    this.#send({ type: 'operations', operations: [{ ...question, id }] });
    return answer.promise;
  }

  [Symbol.dispose](): void {
    this.#fail('the link was closed');
  }

  #greet(): void {
    const { min: protocolMin, max: protocolMax } = PROTOCOL;
    const name = 'memgrid-verify';
    this.#send({ type: 'clientHello', protocolMin, protocolMax, name, version: '1' });
  }

  #send(message: ClientMessage): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      this.#fail('the connection is closed');
      return;
    }
    const writer = new FrameWriter(LIMITS.clientFrameBytesMax);
    writer.add(encodeClientMessage(message));
    for (const frame of writer.take()) this.#socket.send(new Uint8Array(frame));
  }

  #received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#fail('it spoke text');
    const read = readFrame(new Uint8Array(data), LIMITS.clientFrameBytesMax);
    if (read.kind === 'invalid') return this.#fail(read.problem);
    for (const bytes of read.messages) {
      const decoded = decodeClientMessage(bytes);
      if (decoded.kind === 'invalid') return this.#fail(decoded.problem);
      if (decoded.kind === 'message') this.#heard(decoded.message);
    }
  }

  #heard(message: ClientMessage): void {
    switch (message.type) {
      case 'clientWelcome':
        this.#welcome = message;
        break;
      case 'placement':
        if (message.whole) this.#placement = message;
        break;
      case 'clientRefused':
        this.#fail(`it refused: ${message.reason} ${message.detail}`);
        break;
      case 'clientPing':
        this.#send({ type: 'clientPong', token: message.token });
        break;
      case 'answers':
        for (const answer of message.answers) {
          this.#waiting.get(answer.id)?.resolve(answer);
          this.#waiting.delete(answer.id);
        }
        break;
      default:
        break;
    }
    if (this.#welcome !== undefined && this.#placement !== undefined) this.#opened.resolve();
  }

  #fail(problem: string): void {
    const error = new CommandError('NO_NODE_REACHABLE', `${this.address}: ${problem}.`, {
      exitCode: EXIT.unreachable,
      hint: 'Is it running? `memgrid members` shows who is.',
    });
    this.#opened.promise.catch(() => undefined);
    this.#opened.reject(error);
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
    this.#socket.close();
  }
}
