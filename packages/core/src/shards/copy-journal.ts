import { operationIdMs } from '@memgrid/protocol';
import type { ShardId, ShardPosition, Timestamp } from '@memgrid/protocol';
import { entryKey, entryKeyPrefix } from '../entries/entry-keys.ts';
import type { StoredEntry } from '../entries/entry-table.ts';
import { storedEntryBytes, writeStoredEntry } from '../entries/stored-entry.ts';
import type { StoreOperation } from '../store-operation.ts';
import type { FadingEntries } from './fading-entries.ts';
import type { OperationPeriod } from './operation-period.ts';
import { decodeOutcomes } from './outcome-rows.ts';
import type { RememberedOperation, RememberedOperations } from './remembered-operations.ts';
import type { ShardContext } from './shard-context.ts';
import type { LoggedRecord } from './logged-record.ts';
import { comparePositions, type ShardLog } from './shard-log.ts';
import {
  type CopyProgress,
  decodeOutcome,
  encodeLogRecord,
  encodeProgress,
  fadingKey,
  logKey,
  outcomesKey,
  progressKey,
  type RecoveredCopy,
} from './shard-records.ts';
import type { Safety } from './step-storage.ts';
import { StoredOutcomes } from './stored-outcomes.ts';

export interface JournaledCopy {
  readonly shard: ShardId;
  readonly slot: number;
  readonly log: ShardLog;
  readonly applied: ShardPosition;
  readonly operations: RememberedOperations;
  readonly fading: FadingEntries;
  readonly collectedUpTo: number;
  readonly collectedAt: Timestamp;
  /** Everything up to `upTo` is as safe as this now. */
  noteSafe(upTo: number, safety: Safety): void;
}

/** Indexes that the log may be ahead of the disk: a fifth of a second of one busy shard. */
const AHEAD_MAX = 65_536;

/**
 * What one copy has applied and the disk does not know yet.
 *
 * The log is on its way to the disk before anything of it is applied, so this may wait and be
 * gathered: after a crash the log is applied again from the mark that was written last. The mark is
 * in the same batch as the entries that it speaks of, and only what a synced mark covers is trimmed.
 *
 * Where nobody else holds the shard, records of class `memory` stay away from the disk, and the
 * entries that they leave are written instead, each once for many records. See DESIGN.md, F27.
 */
export class CopyJournal {
  readonly #context: ShardContext;
  readonly #copy: JournaledCopy;
  /** Undefined is a removed entry. */
  #entries = new Map<string, StoredEntry | undefined>();
  readonly #outcomes: StoredOutcomes;
  /** As the disk knows it. */
  #written: CopyProgress;
  #appliedDurable: number;
  /** Records up to here are on disk, or entries that say the same are. */
  #loggedTo: number;
  /** The latest record need not be on disk, and the next one will probably not have to either. */
  runsAhead = false;

  /** @param written what the disk says of the copy. */
  constructor(context: ShardContext, copy: JournaledCopy, written: CopyProgress) {
    this.#context = context;
    this.#copy = copy;
    this.#written = written;
    const { shard, slot } = copy;
    this.#outcomes = new StoredOutcomes({ shard, slot, memory: context.operations });
    this.#appliedDurable = copy.applied.index;
    this.#loggedTo = copy.log.lastIndex;
  }

  /** The log has everything now that was found on the disk. */
  recovered(): void {
    this.#loggedTo = this.#copy.log.lastIndex;
  }

  /** What the disk has of operations is remembered again. */
  recoverOutcomes({ outcomes, singleOutcomes }: RecoveredCopy): void {
    const { shard, slot, operations } = this.#copy;
    for (const [id, value] of singleOutcomes) {
      this.#outcomes.foundSingle(operationIdMs(id) ?? 0);
      operations.remember(id, decodeOutcome(value));
    }
    for (const [number, value] of outcomes) {
      let youngestMs = 0;
      const key = outcomesKey(shard, slot, number);
      for (const { operationId, ms, outcome } of decodeOutcomes(value, key)) {
        youngestMs = Math.max(youngestMs, ms);
        operations.remember(operationId, outcome);
      }
      this.#outcomes.foundRecord(number, youngestMs);
    }
  }

  /** Applied, and on disk with its entries. */
  get appliedDurable(): number {
    return this.#appliedDurable;
  }

  get isDirty(): boolean {
    const { applied, log } = this.#copy;
    return (
      this.#entries.size > 0 ||
      this.#outcomes.isDirty ||
      applied.index > this.#written.applied.index ||
      log.base.index > this.#written.base.index
    );
  }

  /** Whether the disk expects that there may be a record with this index that it does not have. */
  isAheadTo(index: number): boolean {
    return index <= (this.#written.aheadTo ?? 0);
  }

  /** What of the log the disk does not have, and that nothing runs ahead of it any more. */
  takeLog(): StoreOperation[] {
    const { shard, slot, log } = this.#copy;
    const operations: StoreOperation[] = [];
    for (let index = this.#loggedTo + 1; index <= log.lastIndex; index += 1) {
      const { record } = log.at(index) as LoggedRecord;
      const key = logKey(shard, slot, index);
      operations.push({ kind: 'put', key, value: encodeLogRecord(record) });
    }
    this.#loggedTo = log.lastIndex;
    this.runsAhead = false;
    if (this.#written.aheadTo !== undefined) {
      operations.push(this.#progress({ ...this.#written, aheadTo: undefined }));
    }
    return operations;
  }

  /** Everything after `index` was cut off. */
  cutAfter(index: number): void {
    this.#loggedTo = Math.min(this.#loggedTo, index);
  }

  noteEntry(key: string, entry: StoredEntry | undefined): void {
    this.#entries.set(key, entry);
  }

  noteOperation(operationId: string, outcome: RememberedOperation): void {
    this.#outcomes.note(operationId, outcome);
  }

  /** It may be of an idle shard: memory is one for all shards of a node. */
  noteForgotten(period: OperationPeriod, place: number): void {
    this.#outcomes.noteForgotten(period, place);
    this.#context.unflushed.add(this.#copy.shard);
  }

  /** Writes everything of it, with the mark. */
  flush(): void {
    const operations: StoreOperation[] = [];
    const { applied, log, collectedUpTo, collectedAt, operations: remembered } = this.#copy;
    this.#addEntries(operations);
    this.#outcomes.addTo(operations);
    // Behind a record that only the log has, nothing may be left out of the log.
    const isAhead = this.runsAhead && this.#loggedTo <= applied.index;
    const base = isAhead ? applied : laterOf(log.base, this.#written.base);
    this.#trimLog(base.index, operations);
    if (isAhead) this.#loggedTo = applied.index;
    const { floor: operationsFloor } = remembered;
    const aheadTo = isAhead ? applied.index + AHEAD_MAX : undefined;
    operations.push(
      this.#progress({ applied, base, collectedUpTo, collectedAt, operationsFloor, aheadTo }),
    );
    this.#write(operations);
  }

  #trimLog(upTo: number, operations: StoreOperation[]): void {
    const { shard, slot } = this.#copy;
    const last = Math.min(upTo, this.#loggedTo);
    for (let index = this.#written.base.index + 1; index <= last; index += 1) {
      operations.push({ kind: 'delete', key: logKey(shard, slot, index) });
    }
  }

  #progress(progress: CopyProgress): StoreOperation {
    const { shard, slot } = this.#copy;
    this.#written = progress;
    return { kind: 'put', key: progressKey(shard, slot), value: encodeProgress(progress) };
  }

  /** Deletes everything of the copy from the disk, and forgets what was still to be written. */
  erase(): void {
    const { shard, slot, log, operations, fading } = this.#copy;
    const keys: string[] = [progressKey(shard, slot)];
    // What was removed and not written yet is in no table any more, and still on disk.
    for (const key of this.#entries.keys()) keys.push(entryKey(shard, slot, key));
    this.#entries.clear();
    let page = this.#context.entries.keys(shard, slot, '', PAGE);
    while (page.length > 0) {
      for (const key of page) keys.push(entryKey(shard, slot, key));
      page = this.#context.entries.keys(shard, slot, page.at(-1) as string, PAGE);
    }
    for (let index = this.#written.base.index + 1; index <= log.lastIndex; index += 1) {
      keys.push(logKey(shard, slot, index));
    }
    for (const key of this.#outcomes.erase(operations)) keys.push(key);
    operations.close();
    for (const key of fading.keysOnDisk) keys.push(fadingKey(shard, slot, key));
    this.#context.storage.write(
      keys.map((key) => ({ kind: 'delete', key })),
      false,
    );
  }

  #addEntries(operations: StoreOperation[]): void {
    const { shard, slot, fading } = this.#copy;
    const prefix = entryKeyPrefix(shard, slot);
    let room = 0;
    for (const entry of this.#entries.values()) {
      if (entry !== undefined) room += storedEntryBytes(entry);
    }
    const block = new Uint8Array(room);
    let end = 0;
    for (const [key, entry] of this.#entries) {
      const disk = prefix + key;
      if (entry === undefined) operations.push({ kind: 'delete', key: disk });
      else {
        const begin = end;
        end += storedEntryBytes(entry);
        writeStoredEntry(entry, block, begin);
        operations.push({ kind: 'put', key: disk, value: block.subarray(begin, end) });
      }
      if (!fading.isConcerned(key)) continue;
      const operation = fading.operation(fadingKey(shard, slot, key), key);
      if (operation !== undefined) operations.push(operation);
    }
  }

  #write(operations: readonly StoreOperation[]): void {
    const { shard, slot } = this.#copy;
    const flushed = this.#entries;
    const upTo = this.#copy.applied.index;
    this.#entries = new Map();
    this.#context.storage.write(operations, false, (safety) => {
      for (const [key, entry] of flushed) {
        if (entry !== undefined) this.#context.entries.flushed(shard, slot, key, entry.at);
      }
      // Told twice at most; what can be read back does not have to be told again.
      flushed.clear();
      this.#copy.noteSafe(upTo, safety);
      if (safety === 'disk') this.#appliedDurable = Math.max(this.#appliedDurable, upTo);
    });
  }
}

const PAGE = 1024;

function laterOf(a: ShardPosition, b: ShardPosition): ShardPosition {
  return comparePositions(a, b) >= 0 ? a : b;
}
