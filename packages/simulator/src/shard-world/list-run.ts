import { invariant } from '@memgrid/core';
import type { Random } from '@memgrid/core';
import { decodeCursor, encodeCursor } from '@memgrid/protocol';
import type { ReadLevel, Scope, ShardId } from '@memgrid/protocol';
import type { EventQueue } from '../event-queue.ts';
import type { CalledOperation, CallEnd } from './shard-call.ts';
import type { FinishedCall } from './shard-client.ts';

export interface ListSurroundings {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly execute: (operation: CalledOperation, ended: (end: CallEnd) => void) => void;
  readonly finished: (call: FinishedCall) => void;
  /** Average pause before a page after the first, and before a page is asked for again. */
  readonly pauseMs: () => number;
  /** Whether a page that was not answered is given up at once. */
  readonly isStopped: () => boolean;
}

export interface ListRequest {
  readonly shard: ShardId;
  readonly scope: Scope;
  /** Entries in a page. */
  readonly limit: number;
  readonly read: ReadLevel;
}

const TRIES_PER_PAGE = 4;

/**
 * One list from its first page to its last, each from where the cursor of the page before points. So
 * much may happen between two pages that a shard has another primary for each.
 */
export class ListRun {
  readonly #world: ListSurroundings;
  readonly #request: ListRequest;
  readonly #ended: (keys: readonly string[] | undefined) => void;
  readonly #keys: string[] = [];
  #cursor: string | undefined;
  #triesLeft = TRIES_PER_PAGE;

  /** @param ended told once: all keys, or undefined when a page could not be had. */
  constructor(
    world: ListSurroundings,
    request: ListRequest,
    ended: (keys: readonly string[] | undefined) => void,
  ) {
    this.#world = world;
    this.#request = request;
    this.#ended = ended;
    this.#ask();
  }

  #ask(): void {
    const { execute, finished, queue } = this.#world;
    const { limit, read, scope, shard } = this.#request;
    const operation: CalledOperation = {
      shard,
      operationId: '',
      body: { kind: 'list', scope, after: this.#after(), limit, countOnly: false },
      read,
      durability: 'quorum',
      sync: 'disk',
      noAutonomous: false,
      atLeast: 0,
    };
    const beganMs = queue.nowUs / 1000;
    execute(operation, (end) => {
      const times = { beganMs, endedMs: queue.nowUs / 1000 };
      const key = { shard, keyClass: 'element', key: '' } as const;
      finished({ key, operation, content: undefined, expiresAt: 0, ...times, end });
      this.#answered(end);
    });
  }

  #answered(end: CallEnd): void {
    if (end.kind !== 'answered') {
      this.#triesLeft -= 1;
      if (this.#triesLeft === 0 || this.#world.isStopped()) this.#ended(undefined);
      else this.#askLater();
      return;
    }
    const { result } = end.answer;
    invariant(result.kind === 'listed', `A list was answered with ${result.kind}.`);
    for (const { key } of result.entries) this.#keys.push(key);
    const last = result.entries.at(-1);
    if (!result.more) {
      this.#ended(this.#keys);
      return;
    }
    invariant(last !== undefined, 'A page without entries promises more of them.');
    const { scope, shard } = this.#request;
    this.#cursor = encodeCursor(scope, { shard, after: last.key });
    this.#triesLeft = TRIES_PER_PAGE;
    this.#askLater();
  }

  #askLater(): void {
    const { isStopped, pauseMs, queue, random } = this.#world;
    const ms = isStopped() ? 0 : -Math.log(1 - random.unit()) * pauseMs();
    queue.after(ms * 1000, () => this.#ask());
  }

  #after(): string {
    if (this.#cursor === undefined) return '';
    const read = decodeCursor(this.#request.scope, this.#cursor);
    invariant(read.kind === 'place', 'A cursor of this list is not one of it.');
    return read.place.after;
  }
}
