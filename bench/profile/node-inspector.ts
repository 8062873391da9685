/** What the node writes to its log when it is started with `--inspect`. */
const LISTENING = /Debugger listening on (ws:\/\/\S+)/;

interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/**
 * Another process's V8, through the inspector of Node (Chrome DevTools Protocol): so a profile can
 * begin when a node is warm, and leave out how it started.
 */
export class NodeInspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      // Events have no id, and nobody here asked for any.
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
    socket.addEventListener('close', () => {
      for (const tell of this.#waiting.values()) tell({ error: { message: 'The process ended.' } });
    });
  }

  /** @throws Error when this log is not that of a process that listens for an inspector. */
  static async connect(log: string): Promise<NodeInspector> {
    const url = LISTENING.exec(log)?.[1];
    if (url === undefined) throw new Error(`No inspector listens:\n${log}`);
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true });
      socket.addEventListener('error', () => reject(new Error(`Nobody answers at ${url}.`)), {
        once: true,
      });
    });
    return new NodeInspector(socket);
  }

  /** @throws Error with what the other side says against it. */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#count += 1;
    const id = this.#count;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
