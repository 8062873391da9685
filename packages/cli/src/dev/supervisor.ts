import process from 'node:process';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { isFoundOrder } from './supervision.ts';
import type { FoundOrder, NodeReport } from './supervision.ts';

export interface OwnAddresses {
  readonly address: string;
  readonly httpAddress: string;
}

/** The `memgrid dev` that started this process, at the other end of the IPC channel. */
export class Supervisor {
  /** Settles when the channel closes: the supervisor ended, however it did. */
  readonly gone: Promise<void>;

  private constructor() {
    this.gone = new Promise((resolve) => {
      process.once('disconnect', resolve);
    });
  }

  static ofThisProcess(): Supervisor {
    if (process.send === undefined) {
      throw new CommandError('USAGE', '--supervised is for nodes that `memgrid dev` starts.', {
        exitCode: EXIT.usage,
        hint: 'Leave it out.',
      });
    }
    return new Supervisor();
  }

  /** Tells where this node listens and waits to be told with whom to found a cluster. */
  async order(own: OwnAddresses, signal: AbortSignal): Promise<FoundOrder> {
    const { promise, resolve, reject } = Promise.withResolvers<FoundOrder>();
    const onMessage = (message: unknown): void => {
      if (isFoundOrder(message)) resolve(message);
    };
    const onAbort = (): void => reject(signal.reason as Error);
    process.on('message', onMessage);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await this.report({ kind: 'listening', ...own });
      return await promise;
    } finally {
      process.off('message', onMessage);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when the report is on its way. */
  async report(report: NodeReport): Promise<void> {
    // A supervisor that is gone is noticed by `gone`; there is nobody left to tell.
    if (!process.connected) return;
    await new Promise<void>((resolve) => {
      process.send?.(report, () => resolve());
    });
  }

  async reportFailure(error: unknown): Promise<void> {
    const { code, hint } = error as { code?: unknown; hint?: unknown };
    await this.report({
      kind: 'failed',
      code: typeof code === 'string' ? code : 'UNEXPECTED',
      message: error instanceof Error ? error.message : String(error),
      hint: typeof hint === 'string' ? hint : undefined,
    });
  }

  /** Lets the process end: an open channel would keep its event loop alive. */
  release(): void {
    if (process.connected) process.disconnect();
  }
}
