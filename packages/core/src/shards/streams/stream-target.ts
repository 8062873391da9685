import type {
  LogSuffix,
  NodeId,
  ShardEpoch,
  ShardId,
  ShardPosition,
  StreamChunk,
  StreamedEntry,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { decodeStoredEntry } from '../../entries/stored-entry.ts';
import { after, type Instant } from '../../machine.ts';
import { matchRecords } from '../log-matching.ts';
import type { ShardContext } from '../shard-context.ts';
import { type CopyOwner, ShardCopy } from '../shard-copy.ts';
import { comparePositions } from '../shard-log.ts';
import { decodeOutcome, NO_PROGRESS } from '../shard-records.ts';
import { chunkChecksum } from './chunk-checksum.ts';
import { decodeFloor } from './streamed-floor.ts';

export interface StreamTargetOptions {
  readonly shard: ShardId;
  readonly number: number;
  readonly source: NodeId;
  readonly slot: number;
  readonly epoch: ShardEpoch;
  /** Of the move, so that chunks of an abandoned one are recognised. */
  readonly session: number;
  readonly owner: CopyOwner & { readonly copy: ShardCopy };
}

/** A source that says nothing for so many retry pauses is given up. */
const PATIENCE = 10;

const GONE = { kind: 'gone' } as const;

/**
 * The taking end of a stream: fills the slot that does not count, until it holds everything that
 * the source had applied at its last chunk. Until then the other slot answers for this replica.
 */
export class StreamTarget {
  readonly options: StreamTargetOptions;
  readonly #context: ShardContext;
  #copy: ShardCopy | undefined;
  #received = 0;
  #entryCount = 0;
  #doneAt: number | undefined;
  #askedAt: Instant;
  #heardAt: Instant;
  #pull = 0;
  /** The source has forgotten records that are missing here. */
  #isBehind = false;

  constructor(context: ShardContext, options: StreamTargetOptions) {
    this.#context = context;
    this.options = options;
    this.#askedAt = context.now;
    this.#heardAt = context.now;
    this.#open();
  }

  /** The copy that is being filled; undefined before its base is known. */
  get copy(): ShardCopy | undefined {
    return this.#copy;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** The source is silent for good, or cannot bring this copy any further. */
  isLost(now: Instant): boolean {
    return this.#isBehind || after(this.#heardAt, PATIENCE * this.#context.config.retryMs) <= now;
  }

  /**
   * Every chunk is in, and every record that was applied at the source by then; and nothing is
   * missing that this replica has acknowledged from its other copy: a quorum may count on it.
   */
  get isWhole(): boolean {
    const copy = this.#copy;
    if (copy === undefined) return false;
    if (broken('shards.stream-whole')) return true;
    if (this.#doneAt === undefined || copy.applied.index < this.#doneAt) return false;
    return comparePositions(copy.log.last, this.options.owner.copy.log.last) >= 0;
  }

  /** @returns whether this chunk set the base. */
  onChunk(from: NodeId, chunk: StreamChunk): boolean {
    const { number, source } = this.options;
    if (from !== source || chunk.stream !== number) return false;
    this.#heardAt = this.#context.now;
    const isNext = chunk.chunk === this.#received + 1;
    const isIntact = chunk.checksum === chunkChecksum(chunk.entries, chunk.operations);
    // Silence about anything else: what is missing is asked for once in a while.
    if (!isNext || !isIntact) return false;
    const isFirst = this.#copy === undefined;
    this.#take(chunk);
    this.#acknowledge();
    return isFirst;
  }

  /** The source lives, and will serve this stream when it can. */
  heard(): void {
    this.#heardAt = this.#context.now;
  }

  /** The records that a source sends when no primary does. */
  onSuffix(from: NodeId, suffix: LogSuffix): boolean {
    const copy = this.#copy;
    if (from !== this.options.source || suffix.pull !== this.#pull || copy === undefined) {
      return false;
    }
    const before = copy.log.last;
    const result = suffix.gone ? GONE : matchRecords(copy, suffix.previous, suffix.records);
    if (result.kind !== 'matched') {
      this.#isBehind = true;
      return true;
    }
    const { commit } = copy;
    copy.commitTo(Math.min(suffix.commit, result.upTo));
    // A source that has less than this replica had may answer for ever without being of any use.
    const helps = copy.commit > commit || comparePositions(copy.log.last, before) > 0;
    if (helps) this.#heardAt = this.#context.now;
    if (suffix.more) this.#pullRecords(copy.log.last);
    return true;
  }

  get wakeAt(): Instant {
    return after(this.#askedAt, this.#context.config.retryMs);
  }

  /** Asks again for what has not come. */
  wake(now: Instant): void {
    if (this.wakeAt > now) return;
    this.#askedAt = now;
    if (this.#received === 0) this.#open();
    else if (this.#doneAt === undefined) this.#acknowledge();
    else if (!this.isWhole) this.#pullRecords();
  }

  /** Said again without progress, it asks the source to repeat what it has sent since. */
  #acknowledge(): void {
    const { shard, number: stream, source } = this.options;
    const credit = this.#context.config.streamCredit;
    const chunk = this.#received;
    this.#context.outbox.send(source, { type: 'streamAck', shard, stream, chunk, credit });
  }

  #open(): void {
    const { shard, epoch, session, number, source } = this.options;
    this.#context.outbox.send(source, {
      type: 'streamOpen',
      shard,
      epoch,
      session,
      stream: number,
      keys: [],
    });
  }

  /** @param from after which position; undefined for what is certain to be the source's as well. */
  #pullRecords(from?: ShardPosition): void {
    const copy = this.#copy;
    if (copy === undefined) return;
    const { shard, epoch, source } = this.options;
    this.#pull = this.#context.nextNumber();
    this.#context.outbox.send(source, {
      type: 'logPull',
      shard,
      epoch,
      after: from ?? copy.log.positionAt(copy.commit),
      pull: this.#pull,
    });
  }

  #take(chunk: StreamChunk): void {
    this.#received = chunk.chunk;
    this.#askedAt = this.#context.now;
    const copy = (this.#copy ??= this.#begin(chunk));
    for (const { operationId, outcome } of chunk.operations) {
      if (operationId === '') {
        const floor = decodeFloor(outcome);
        copy.operations.raiseFloor(floor.operations);
        copy.noteCollected(floor.collectedUpTo, floor.collectedAt);
      } else {
        copy.rememberStreamed(operationId, decodeOutcome(outcome));
      }
    }
    for (const streamed of chunk.entries) this.#takeEntry(copy, streamed);
    if (chunk.doneAt === 0 && chunk.entries.length + chunk.operations.length > 0) return;
    this.#doneAt = chunk.doneAt;
    if (!this.isWhole) this.#pullRecords();
  }

  #begin({ base }: StreamChunk): ShardCopy {
    const { shard, slot, owner } = this.options;
    const copy = new ShardCopy(
      this.#context,
      { shard, slot, owner },
      {
        progress: { ...NO_PROGRESS, applied: base, base },
        records: [],
        outcomes: [],
        singleOutcomes: [],
        fading: [],
      },
    );
    copy.overtaken = new Map();
    return copy;
  }

  #takeEntry(copy: ShardCopy, { key, state }: StreamedEntry): void {
    const entry = decodeStoredEntry(state);
    if (entry === undefined) return;
    const seen = copy.overtaken?.get(key) ?? 0;
    if (entry.at.index <= seen) return;
    if (copy.isCollected(entry)) return;
    if (entry.at.index > copy.log.base.index) copy.overtaken?.set(key, entry.at.index);
    this.#entryCount += 1;
    copy.restore(key, entry);
  }
}
