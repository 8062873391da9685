import process from 'node:process';

export interface ShutdownOptions {
  /** Ctrl-C reaches every process of a terminal; one that is supervised leaves it to its parent. */
  readonly ignoreInterrupt: boolean;
}

/** Collects the wishes that this process should end: signals, and whatever else asks. */
export class Shutdown implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals: readonly NodeJS.Signals[];
  #count = 0;
  #reason = '';
  #listener: ((count: number) => void) | undefined;

  private constructor({ ignoreInterrupt }: ShutdownOptions) {
    this.#signals = ['SIGTERM', 'SIGHUP', ...(ignoreInterrupt ? [] : (['SIGINT'] as const))];
    for (const signal of this.#signals) process.on(signal, this.request);
    if (ignoreInterrupt) process.on('SIGINT', ignore);
  }

  /** Takes the signals over from Node, which would end the process at once. */
  static listen(options: ShutdownOptions = { ignoreInterrupt: false }): Shutdown {
    return new Shutdown(options);
  }

  /** Aborted with the first request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What asked first: a signal's name or a sentence. Empty while nothing has. */
  get reason(): string {
    return this.#reason;
  }

  readonly request = (reason: string): void => {
    this.#count += 1;
    if (this.#count === 1) this.#reason = reason;
    this.#controller.abort();
    this.#listener?.(this.#count);
  };

  /** Told about every request with its number: the second one is somebody losing patience. */
  onRequest(listener: (count: number) => void): void {
    this.#listener = listener;
    if (this.#count > 0) listener(this.#count);
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.off(signal, this.request);
    process.off('SIGINT', ignore);
  }
}

function ignore(): void {
  // Nothing: having a listener is what keeps Node from ending the process.
}
