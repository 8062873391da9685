import type { SessionEvent, SessionStatus } from '@memgrid/core';
import { ClusterError, LIMITS, name as nameField, WireError } from '@memgrid/protocol';
import type { Scope } from '@memgrid/protocol';
import { badRequest, CallShape } from './call-shape.ts';
import type { WatchOptions } from './call-options.ts';
import type { ClientConfig } from './client-config.ts';
import type { EntryShape } from './entry.ts';
import type { Grid, Namespace, Watch } from './grid.ts';
import { GridNamespace } from './grid-namespace.ts';
import type { NamespaceParts } from './grid-namespace.ts';
import type { GridStatus } from './grid-status.ts';
import { ListPages } from './list-pages.ts';
import { LruNearStore } from './lru-near-store.ts';
import { NearSource } from './near-reader.ts';
import { PendingAnswers } from './pending-answers.ts';
import { SessionShell } from './session-shell.ts';
import type { WatchEffect } from './session-shell.ts';
import { StatusStream } from './status-stream.ts';
import { systemClock } from './system-clock.ts';
import { WatchStream } from './watch-stream.ts';

const namespaceField = nameField(1, LIMITS.namespaceBytesMax);

/** One session with a cluster, as the application holds it. */
export class ClusterClient implements Grid {
  readonly #shell: SessionShell;
  readonly #answers: PendingAnswers;
  readonly #statuses = new StatusStream();
  readonly #watches = new Map<number, WatchStream<EntryShape>>();
  readonly #parts: NamespaceParts;
  readonly #config: ClientConfig;
  readonly #drained = Promise.withResolvers<void>();
  #nextWatch = 1;
  #closing: Promise<void> | undefined;
  #draining: Promise<void> | undefined;

  /** @param onEvent hears of every dial while `connect` waits. */
  constructor(config: ClientConfig, onEvent: (event: SessionEvent) => void) {
    this.#config = config;
    const { nearCacheBytesMax: bytesMax } = config;
    const nearStore = bytesMax === undefined ? undefined : new LruNearStore(bytesMax);
    this.#answers = new PendingAnswers(() => this.#shell);
    this.#shell = new SessionShell(config, nearStore, {
      onOutcome: (call, outcome) => this.#answers.settle(call, outcome),
      onWatch: (effect) => this.#onWatch(effect),
      onStatus: (status) => this.#onStatus(status),
      onEvent: (event) => {
        this.#log(event);
        onEvent(event);
      },
      onDrained: () => this.#drained.resolve(),
      onFault: (error) => this.#fault(error),
    });
    this.#parts = this.#makeParts(nearStore);
  }

  get statusNow(): GridStatus {
    return this.#shell.session.status;
  }

  start(): void {
    this.#shell.start();
  }

  namespace<Shape extends EntryShape = EntryShape>(name: string): Namespace<Shape> {
    try {
      namespaceField.toWire(name);
    } catch (error) {
      if (error instanceof WireError) throw badRequest(`namespace: ${error.message}`, error);
      throw error;
    }
    return new GridNamespace<Shape>(name, this.#parts);
  }

  status(): AsyncIterable<GridStatus> {
    return this.#statuses.read();
  }

  token(): string {
    return this.#shell.session.token;
  }

  atLeast(token: string): void {
    const problem = this.#shell.session.tokenProblem(token);
    if (problem !== undefined) throw new ClusterError('BAD_TOKEN', { problem: `${problem}.` });
    // At once: a hit of the near cache does not wait for the next turn.
    this.#shell.session.atLeast(token, this.#shell.now());
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    if (this.#closing === undefined) {
      this.#shell.push({ kind: 'drain' });
      await this.#drained.promise;
    }
    await this.close();
  }

  async #close(): Promise<void> {
    this.#shell.push({ kind: 'close' });
    // The session's last turn: it says goodbye to the nodes and gives every call its outcome.
    for await (const { phase } of this.#statuses.read()) if (phase === 'closed') break;
    this.#shell.stop();
    // Who asked after that turn, and before this, was not heard any more.
    this.#answers.rejectAll(new ClusterError('CLOSED', {}));
    this.#drained.resolve();
  }

  #makeParts(nearStore: LruNearStore | undefined): NamespaceParts {
    const { session } = this.#shell;
    const now = () => this.#shell.now();
    return {
      shape: new CallShape(this.#config),
      answers: this.#answers,
      pages: new ListPages(this.#answers, () => session.shardCount),
      wallMs: () => session.wallMs(now()),
      newOperationId: (wallMs) => session.newOperationId(wallMs),
      near: nearStore === undefined ? undefined : new NearSource(nearStore, session, systemClock),
      atLeast: (token) => this.atLeast(token),
      watch: (scope, key, options) => this.#watch(scope, key, options),
    };
  }

  #watch(scope: Scope, key: string, options: WatchOptions): Watch<EntryShape> {
    const watch = this.#nextWatch;
    this.#nextWatch += 1;
    const stream = new WatchStream<EntryShape>({
      signal: options.signal,
      onTaken: (bytes) => this.#shell.push({ kind: 'watchTaken', watch, bytes }),
      onLeft: () => {
        this.#watches.delete(watch);
        this.#shell.push({ kind: 'unwatch', watch });
      },
    });
    if (options.signal?.aborted === true) return stream;
    if (this.#closing !== undefined) {
      stream.fail(new ClusterError('CLOSED', {}));
      return stream;
    }
    this.#watches.set(watch, stream);
    const request = { filter: { scope, key }, since: options.since };
    this.#shell.push({ kind: 'watch', watch, request });
    return stream;
  }

  #onWatch(effect: WatchEffect): void {
    const stream = this.#watches.get(effect.watch);
    if (effect.kind === 'watchEnded') this.#watches.delete(effect.watch);
    stream?.take(effect);
  }

  #onStatus(status: SessionStatus): void {
    this.#statuses.publish(status);
  }

  /** The machine is broken: everybody who waits is told, with the error that shows where. */
  #fault(error: Error): void {
    this.#config.logger?.error({ error: error.message }, 'client.failed');
    this.#answers.rejectAll(error);
    for (const stream of this.#watches.values()) stream.fail(error);
    this.#watches.clear();
    this.#statuses.publish({ ...this.statusNow, phase: 'closed' });
    this.#drained.resolve();
  }

  #log(event: SessionEvent): void {
    const { logger } = this.#config;
    if (logger === undefined) return;
    const { name, ...fields } = event;
    if (name === 'node.refused' || name === 'node.disconnected') logger.warn(fields, name);
    else if (name === 'node.connected') logger.info(fields, name);
    else logger.debug(fields, name);
  }
}
