import type { WatchedChange, WatchPosition } from '@memgrid/core';
import { ClusterError, formatVersion } from '@memgrid/protocol';
import { entryOf } from './entry-view.ts';
import type { EntryShape, WatchItem } from './entry.ts';
import type { Watch } from './grid.ts';
import type { WatchEffect } from './session-shell.ts';

/** What came at once, and is taken one by one. */
type Batch =
  | {
      readonly kind: 'changes';
      readonly changes: readonly WatchedChange[];
      readonly position: WatchPosition;
      readonly bytes: number;
    }
  | { readonly kind: 'gap'; readonly item: Extract<WatchItem, { readonly kind: 'gap' }> };

interface Reader<Shape extends EntryShape> {
  readonly resolve: (result: IteratorResult<WatchItem<Shape>, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

export interface WatchStreamOptions {
  readonly signal: AbortSignal | undefined;
  /** The consumer took so many bytes. */
  readonly onTaken: (bytes: number) => void;
  /** Nobody will read any more. */
  readonly onLeft: () => void;
}

const DONE = { done: true, value: undefined } as const;

/** Changes from the session, waiting for whoever iterates. The session bounds how many. */
export class WatchStream<Shape extends EntryShape>
  implements Watch<Shape>, AsyncIterator<WatchItem<Shape>, undefined>
{
  readonly ready: Promise<void>;
  readonly #options: WatchStreamOptions;
  readonly #readyResolve: () => void;
  readonly #readyReject: (reason: unknown) => void;
  readonly #batches: Batch[] = [];
  /** Of the first batch, how many have been read. */
  #read = 0;
  #readers: Reader<Shape>[] = [];
  #end: { readonly reason: unknown } | 'ended' | undefined;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#readyResolve = resolve;
    this.#readyReject = reject;
    // Whoever iterates learns of the failure there; not waiting for `ready` is no mistake.
    promise.catch(() => undefined);
    const { signal } = options;
    if (signal?.aborted === true) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchItem<Shape>, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#deliver();
    });
  }

  return(): Promise<IteratorResult<WatchItem<Shape>, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  close(): void {
    if (this.#end !== undefined) return;
    this.#finish('ended');
    this.#options.onLeft();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** What the session says about this watch. */
  take(effect: WatchEffect): void {
    switch (effect.kind) {
      case 'watchReady':
        this.#readyResolve();
        break;
      case 'changes':
        this.#batches.push(effect);
        break;
      case 'gap': {
        const { reason, position } = effect;
        this.#batches.push({ kind: 'gap', item: { kind: 'gap', reason, position: position.text } });
        break;
      }
      case 'watchEnded': {
        const { problem } = effect;
        if (problem === undefined) this.#finish('ended');
        else this.fail(errorOf(problem.code, problem.message));
        break;
      }
    }
    this.#deliver();
  }

  /** What has come is still read; then the iteration rejects. */
  fail(reason: unknown): void {
    this.#finish({ reason });
    this.#deliver();
  }

  readonly #abort = (): void => {
    if (this.#end !== undefined) return;
    this.#batches.length = 0;
    this.fail(this.#options.signal?.reason);
    this.#options.onLeft();
  };

  #finish(end: { readonly reason: unknown } | 'ended'): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    if (end === 'ended') {
      this.#batches.length = 0;
      this.#readyReject(new ClusterError('ABORTED', {}, { applied: 'no' }));
      for (const { resolve } of this.#readers) resolve(DONE);
      this.#readers = [];
    } else this.#readyReject(end.reason);
  }

  #deliver(): void {
    while (this.#readers.length > 0) {
      const item = this.#nextItem();
      if (item === undefined) break;
      this.#readers.shift()?.resolve({ done: false, value: item });
    }
    const end = this.#end;
    if (end === undefined || this.#batches.length > 0 || this.#readers.length === 0) return;
    for (const { resolve, reject } of this.#readers) {
      if (end === 'ended') resolve(DONE);
      else reject(end.reason);
    }
    this.#readers = [];
    // An iteration rejects once; whoever asks again is told that it is over.
    if (end !== 'ended') this.#end = 'ended';
  }

  #nextItem(): WatchItem<Shape> | undefined {
    const batch = this.#batches[0];
    if (batch === undefined) return undefined;
    if (batch.kind === 'gap') {
      this.#batches.shift();
      return batch.item;
    }
    const change = batch.changes[this.#read] as WatchedChange;
    this.#read += 1;
    if (this.#read === batch.changes.length) {
      this.#batches.shift();
      this.#read = 0;
      this.#options.onTaken(batch.bytes);
    }
    return itemOf(change, batch.position);
  }
}

function itemOf<Shape extends EntryShape>(
  change: WatchedChange,
  batch: WatchPosition,
): WatchItem<Shape> {
  const { kind, key, namespace, version, entry } = change;
  const isGone = kind === 'delete' || kind === 'expire';
  let text: string | undefined;
  return {
    kind,
    id: key,
    version: formatVersion(version),
    entry: isGone || entry.length === 0 ? undefined : entryOf<Shape>(namespace, key, entry),
    // That of a whole namespace names every shard, and few items are ever resumed from.
    get position() {
      return (text ??= batch.after(change).text);
    },
  };
}

function errorOf(
  code: 'BAD_CURSOR' | 'SHARD_UNKNOWN' | 'OVERLOADED' | 'CLOSED',
  message: string,
): ClusterError {
  switch (code) {
    case 'BAD_CURSOR':
      return new ClusterError(code, { problem: message }, { message });
    case 'SHARD_UNKNOWN':
      return new ClusterError(code, { id: '' }, { message });
    case 'OVERLOADED':
      return new ClusterError(code, { waiting: 0, max: 0 }, { message });
    case 'CLOSED':
      return new ClusterError(code, {}, { message });
  }
}
