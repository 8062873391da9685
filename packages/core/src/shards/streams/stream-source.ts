import type {
  NodeId,
  ShardId,
  ShardPosition,
  StreamChunk,
  StreamedEntry,
  StreamedOperation,
  StreamOpen,
} from '@memgrid/protocol';
import { encodeStoredEntry } from '../../entries/stored-entry.ts';
import { after, type Instant } from '../../machine.ts';
import type { StoredEntry } from '../../entries/entry-table.ts';
import type { Mending } from '../mending.ts';
import type { ShardContext } from '../shard-context.ts';
import type { ShardCopy } from '../shard-copy.ts';
import { FIRST_OPERATION, type OperationCursor } from '../operation-memory.ts';
import { encodeOutcome } from '../shard-records.ts';
import { chunkChecksum } from './chunk-checksum.ts';
import { encodeFloor } from './streamed-floor.ts';

export interface StreamSourceOptions {
  readonly shard: ShardId;
  readonly to: NodeId;
  readonly open: StreamOpen;
  readonly copy: ShardCopy;
  readonly mending: Mending;
}

/** A target that asks for nothing for so many retry pauses is gone, or has another source. */
const PATIENCE = 20;

/** What a chunk is made of, while values are fetched from disk. */
interface Draft {
  readonly keys: readonly string[];
  readonly found: Map<string, StoredEntry | 'absent'>;
}

/**
 * The giving end of a stream: all entries of a shard in order of their keys, while writes go on.
 *
 * What was applied when it was opened is the base; entries that change later are in the log after
 * the base, which the target takes in as well, so a snapshot that is not of one moment is enough.
 */
export class StreamSource {
  readonly to: NodeId;
  readonly number: number;
  /** Records after it are kept until the target has them. */
  readonly base: ShardPosition;
  readonly #context: ShardContext;
  readonly #options: StreamSourceOptions;
  /** The last chunks, until they are acknowledged: they may have to be sent again. */
  readonly #unacknowledged = new Map<number, StreamChunk>();
  #chunkCount = 0;
  #acknowledged = 0;
  #credit: number;
  #after = '';
  readonly #floor: Uint8Array;
  /** Undefined: all are sent. What is forgotten meanwhile, the floor in the last chunk covers. */
  #operations: OperationCursor | undefined = FIRST_OPERATION;
  #floorSent = false;
  #draft: Draft | undefined;
  #done = false;
  #heardAt: Instant;
  /** No more to do: everything was acknowledged, or nobody is there to do it. */
  isClosed = false;

  constructor(context: ShardContext, options: StreamSourceOptions) {
    this.#context = context;
    this.#options = options;
    this.to = options.to;
    this.number = options.open.stream;
    const { copy } = options;
    this.base = copy.applied;
    this.#floor = encodeFloor(copy);
    this.#credit = context.config.streamCredit;
    this.#heardAt = context.now;
  }

  acknowledged(chunk: number, credit: number): void {
    this.#heardAt = this.#context.now;
    this.#credit = credit;
    if (chunk === this.#acknowledged) this.repeat();
    this.#acknowledged = Math.max(this.#acknowledged, chunk);
    for (const number of [...this.#unacknowledged.keys()]) {
      if (number <= chunk) this.#unacknowledged.delete(number);
    }
    if (this.#done && this.#unacknowledged.size === 0) this.isClosed = true;
  }

  /** The target has not heard what was sent. */
  repeat(): void {
    this.#heardAt = this.#context.now;
    for (const chunk of this.#unacknowledged.values()) this.#context.outbox.send(this.to, chunk);
  }

  /** Sends what may be sent now. */
  advance(): void {
    const { throttle, now } = this.#context;
    while (!this.isClosed && !this.#done && this.#draft === undefined) {
      if (this.#unacknowledged.size >= this.#credit || throttle.readyAt(now) > now) return;
      this.#next();
    }
  }

  get wakeAt(): Instant | undefined {
    if (this.isClosed) return undefined;
    const { config, throttle, now } = this.#context;
    const patience = after(this.#heardAt, PATIENCE * config.retryMs);
    const isFree = this.#unacknowledged.size < this.#credit && !this.#done;
    if (!isFree || this.#draft !== undefined) return patience;
    const readyAt = throttle.readyAt(now);
    return readyAt < patience ? readyAt : patience;
  }

  wake(now: Instant): void {
    if (after(this.#heardAt, PATIENCE * this.#context.config.retryMs) <= now) this.isClosed = true;
    else this.advance();
  }

  #next(): void {
    if (this.#operations !== undefined || !this.#floorSent) {
      this.#send([], this.#nextOperations());
      return;
    }
    const { shard, copy } = this.#options;
    const { streamChunkEntries } = this.#context.config;
    const keys = this.#context.entries.keys(shard, copy.slot, this.#after, streamChunkEntries);
    if (keys.length === 0) {
      this.#done = true;
      const { index } = copy.applied;
      // What expired was removed behind the stream's back, too: no record of the log says so.
      const floor = { operationId: '', outcome: encodeFloor(copy) };
      this.#send([], index === 0 ? [] : [floor], index);
      return;
    }
    this.#fetch(keys);
  }

  #nextOperations(): StreamedOperation[] {
    const streamed: StreamedOperation[] = [];
    if (!this.#floorSent) {
      this.#floorSent = true;
      streamed.push({ operationId: '', outcome: this.#floor });
    }
    const room = this.#context.config.streamChunkEntries - streamed.length;
    if (this.#operations === undefined) return streamed;
    const { found, next } = this.#options.copy.operations.page(this.#operations, room);
    for (const { operationId, outcome } of found) {
      streamed.push({ operationId, outcome: encodeOutcome(outcome) });
    }
    this.#operations = next;
    return streamed;
  }

  #fetch(keys: readonly string[]): void {
    const { shard, mending } = this.#options;
    const draft: Draft = { keys, found: new Map() };
    this.#draft = draft;
    for (const key of keys) {
      mending.find(key, (found) => {
        draft.found.set(key, found);
        if (draft.found.size < keys.length || this.isClosed) return;
        this.#draft = undefined;
        this.#sendEntries(draft);
        this.#context.touched.add(shard);
      });
    }
  }

  #sendEntries({ keys, found }: Draft): void {
    const { streamChunkBytes } = this.#context.config;
    let entries: StreamedEntry[] = [];
    let bytes = 0;
    for (const key of keys) {
      const entry = found.get(key);
      this.#after = key;
      // Removed meanwhile: the log says so, or the last chunk.
      if (entry === undefined || entry === 'absent') continue;
      const state = encodeStoredEntry(entry);
      if (bytes > 0 && bytes + state.byteLength > streamChunkBytes) {
        this.#send(entries, []);
        entries = [];
        bytes = 0;
      }
      entries.push({ key, state });
      bytes += state.byteLength + key.length;
    }
    if (entries.length > 0) this.#send(entries, []);
  }

  #send(
    entries: readonly StreamedEntry[],
    operations: readonly StreamedOperation[],
    doneAt = 0,
  ): void {
    this.#chunkCount += 1;
    const chunk: StreamChunk = {
      type: 'streamChunk',
      shard: this.#options.shard,
      epoch: this.#options.open.epoch,
      stream: this.number,
      chunk: this.#chunkCount,
      base: this.base,
      entries,
      operations,
      doneAt,
      checksum: chunkChecksum(entries, operations),
    };
    this.#unacknowledged.set(chunk.chunk, chunk);
    const bytes = entries.reduce((sum, { state, key }) => sum + state.byteLength + key.length, 256);
    this.#context.throttle.spend(this.#context.now, bytes);
    this.#context.outbox.send(this.to, chunk);
  }
}
