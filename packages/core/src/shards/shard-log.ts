import type { LogRecord, ShardEpoch, ShardPosition } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { LoggedRecord } from './logged-record.ts';

export const ORIGIN: ShardPosition = { epoch: 0, index: 0 };

/** Negative, zero or positive: by epoch, then by index. */
export function comparePositions(a: ShardPosition, b: ShardPosition): number {
  return a.epoch === b.epoch ? a.index - b.index : a.epoch - b.epoch;
}

/**
 * The retained part of a shard's log: contiguous records after `base`.
 *
 * A data structure: what may be appended, cut and trimmed is decided by its owner.
 */
export class ShardLog {
  #base: ShardPosition;
  #records: LoggedRecord[] = [];
  /** Records before this place in `#records` were trimmed; they are cut out now and then. */
  #start = 0;
  #bytes = 0;

  constructor(base: ShardPosition = ORIGIN) {
    this.#base = base;
  }

  /** The position right before the first retained record. */
  get base(): ShardPosition {
    return this.#base;
  }

  get last(): ShardPosition {
    if (this.count === 0) return this.#base;
    const { epoch, index } = this.#records[this.#records.length - 1] as LoggedRecord;
    return { epoch, index };
  }

  get #lastEpoch(): ShardEpoch {
    return this.count === 0
      ? this.#base.epoch
      : (this.#records[this.#records.length - 1] as LoggedRecord).epoch;
  }

  get lastIndex(): number {
    return this.#base.index + this.count;
  }

  get count(): number {
    return this.#records.length - this.#start;
  }

  /** What all retained records take in memory, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The record at `index`; undefined when it is not retained. */
  at(index: number): LoggedRecord | undefined {
    const place = index - this.#base.index - 1;
    return place < 0 ? undefined : this.#records[this.#start + place];
  }

  /** The epoch of the record at `index`, also right at the base; undefined beyond either end. */
  epochAt(index: number): ShardEpoch | undefined {
    if (index === this.#base.index) return this.#base.epoch;
    return this.at(index)?.epoch;
  }

  /** @throws InvariantError unless the position is retained. */
  positionAt(index: number): ShardPosition {
    const epoch = this.epochAt(index);
    invariant(
      epoch !== undefined,
      `Index ${index} is not in the log ${this.#base.index}..${this.lastIndex}.`,
    );
    return { epoch, index };
  }

  append(logged: LoggedRecord): void {
    const { index, epoch } = logged;
    // A sentence for each record that is in order would be most of what this costs.
    if (index !== this.lastIndex + 1 || epoch < this.#lastEpoch) {
      const { last } = this;
      invariant(false, `Record ${epoch}:${index} cannot follow ${last.epoch}:${last.index}.`);
    }
    this.#records.push(logged);
    this.#bytes += logged.bytes;
  }

  /** Removes everything after `index`, and returns it. */
  cutAfter(index: number): readonly LoggedRecord[] {
    const keep = Math.max(0, index - this.#base.index);
    const cut = this.#records.splice(this.#start + keep);
    for (const logged of cut) this.#bytes -= logged.bytes;
    return cut;
  }

  /** Forgets the records up to `index`, which becomes the base. */
  trimTo(index: number): void {
    if (index <= this.#base.index) return;
    const base = this.positionAt(index);
    const count = index - this.#base.index;
    for (let place = this.#start; place < this.#start + count; place += 1) {
      this.#bytes -= (this.#records[place] as LoggedRecord).bytes;
    }
    this.#start += count;
    this.#base = base;
    if (this.#start > this.#records.length / 2) {
      this.#records.splice(0, this.#start);
      this.#start = 0;
    }
  }

  /** Records after `index`, at most so many and so large together, but at least one. */
  after(index: number, countMax: number, bytesMax: number): readonly LogRecord[] {
    const found: LogRecord[] = [];
    let bytes = 0;
    for (let next = index + 1; next <= this.lastIndex && found.length < countMax; next += 1) {
      const { record } = this.at(next) as LoggedRecord;
      bytes += record.body.byteLength;
      if (bytes > bytesMax && found.length > 0) break;
      found.push(record);
    }
    return found;
  }
}
