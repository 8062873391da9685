import type {
  LogRecord,
  RecordBody,
  ShardId,
  ShardPosition,
  SyncClass,
  Timestamp,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { invariant } from '../assert.ts';
import type { StoredEntry } from '../entries/entry-table.ts';
import type { StoreOperation } from '../store-operation.ts';
import { CopyJournal } from './copy-journal.ts';
import type { Safety } from './step-storage.ts';
import type { ShardContext } from './shard-context.ts';
import { type StoredSibling, winnerIn, writtenVersion } from './entry-view.ts';
import { FadingEntries } from './fading-entries.ts';
import { bodyIn, LoggedRecord, type MadeRecord } from './logged-record.ts';
import { type RememberedOperation, RememberedOperations } from './remembered-operations.ts';
import { ShardLog } from './shard-log.ts';
import { logKey, NO_PROGRESS, type RecoveredCopy } from './shard-records.ts';

/** What a replica has of the log, by what "having it" means. */
export interface LogMarks {
  readonly memory: number;
  readonly os: number;
  readonly disk: number;
}

/** Who is told what happens to a copy. */
export interface CopyOwner {
  /** Nobody else holds the shard, or is about to. */
  readonly isAlone: boolean;
  /** More of the log is safer than before. */
  onStored(copy: ShardCopy): void;
  /** A record took effect. `winner` is what it left under its key. */
  onApplied(copy: ShardCopy, record: AppliedRecord): void;
}

export interface AppliedRecord {
  readonly at: ShardPosition;
  readonly body: RecordBody;
  /** Of a write. */
  readonly winner: StoredSibling | undefined;
}

export interface CopyPlace {
  readonly shard: ShardId;
  readonly slot: number;
  readonly owner: CopyOwner;
}

interface LogWrite {
  upTo: number;
}

/**
 * One slot of one shard: a base, the log after it, and what was applied of it.
 *
 * Applied is only what is committed, so nothing is ever taken back; the rest of the log may be cut
 * off by a later primary. See DESIGN.md, F5 and F13.
 */
export class ShardCopy {
  readonly shard: ShardId;
  readonly slot: number;
  readonly log: ShardLog;
  readonly operations: RememberedOperations;
  readonly fading: FadingEntries;
  readonly #context: ShardContext;
  readonly #owner: CopyOwner;
  #commit: number;
  #applied: ShardPosition;
  #safeIndex = 0;
  #collectedUpTo: number;
  #collectedAt: Timestamp;
  #os: number;
  #disk: number;
  #writes: LogWrite[] = [];
  /** Where the latest record of a key is that is logged and not applied. */
  readonly #latest = new Map<string, number>();
  readonly #loggedOperations = new Map<string, number>();
  readonly #journal: CopyJournal;
  /**
   * While a stream fills this copy: the newest index of each key that came with it or was applied.
   * Whatever comes for a key from before it has been overtaken.
   */
  overtaken: Map<string, number> | undefined;
  /** Keys that another replica gave back from after what is applied here, until that is reached. */
  readonly #mended = new Map<string, number>();

  constructor(context: ShardContext, place: CopyPlace, recovered?: RecoveredCopy) {
    const { shard, slot, owner } = place;
    const progress = recovered?.progress ?? NO_PROGRESS;
    this.#context = context;
    this.#owner = owner;
    this.shard = shard;
    this.slot = slot;
    this.log = new ShardLog(progress.base);
    this.#applied = progress.applied;
    this.#commit = progress.applied.index;
    this.#collectedUpTo = progress.collectedUpTo;
    this.#collectedAt = progress.collectedAt;
    this.operations = new RememberedOperations(context.operations, (period, place) => {
      this.#journal.noteForgotten(period, place);
    });
    this.operations.raiseFloor(progress.operationsFloor);
    this.fading = new FadingEntries(recovered?.fading);
    this.#journal = new CopyJournal(context, this, progress);
    if (recovered !== undefined) this.#journal.recoverOutcomes(recovered);
    for (const record of recovered?.records ?? []) this.#log(record);
    this.#journal.recovered();
    this.#os = this.log.lastIndex;
    this.#disk = this.log.lastIndex;
  }

  get commit(): number {
    return this.#commit;
  }

  get applied(): ShardPosition {
    return this.#applied;
  }

  /**
   * Up to here a write quorum has everything on disk, whatever class it was logged at: batches are
   * kept in order, so a committed record of class `disk` vouches for all before it.
   */
  get safeIndex(): number {
    return this.#safeIndex;
  }

  get collectedUpTo(): number {
    return this.#collectedUpTo;
  }

  get collectedAt(): Timestamp {
    return this.#collectedAt;
  }

  get marks(): LogMarks {
    const memory = this.log.lastIndex;
    if (broken('shards.store-before-ack')) return { memory, os: memory, disk: memory };
    return { memory, os: Math.max(this.#os, this.#disk), disk: this.#disk };
  }

  /** One of the marks. */
  mark(sync: SyncClass): number {
    if (sync === 'memory' || broken('shards.store-before-ack')) return this.log.lastIndex;
    return sync === 'os' ? Math.max(this.#os, this.#disk) : this.#disk;
  }

  /** Where the latest record of a key is, while it is not applied; undefined afterwards. */
  latestIndexOf(key: string): number | undefined {
    // A text that is looked up is hashed first, and there is nothing here as a rule.
    return this.#latest.size === 0 ? undefined : this.#latest.get(key);
  }

  /** Where an operation is logged, while it is not applied. */
  loggedIndexOf(operationId: string): number | undefined {
    if (this.#loggedOperations.size === 0) return undefined;
    return this.#loggedOperations.get(operationId);
  }

  /** The latest record of a key that is as safe as it has to be, while it is not applied. */
  latestSafeOf(key: string): LoggedRecord | undefined {
    const from = this.#latest.get(key);
    if (from === undefined) return undefined;
    const { marks } = this;
    for (let index = from; index > this.#applied.index; index -= 1) {
      const logged = this.log.at(index);
      if (logged?.body?.kind !== 'write' || logged.body.key !== key) continue;
      if (index <= marks[logged.sync]) return logged;
    }
    return undefined;
  }

  /** Appends records and writes them; they follow the last one without a hole. */
  append(records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    let durable = false;
    for (const record of records) {
      this.#log(record);
      durable ||= record.sync === 'disk';
    }
    this.#write(durable);
  }

  /** Appends a record that was made here: nobody has to decode what is known. */
  appendMade(made: MadeRecord): void {
    this.#retain(LoggedRecord.made(made));
    this.#noteLatest(made.index, made.body);
    this.#writeMade(made);
  }

  /** The same with a record that is committed by being here: it takes effect at once. */
  commitMade(made: MadeRecord): void {
    const logged = LoggedRecord.made(made);
    this.#retain(logged);
    this.#writeMade(made);
    this.#commit = made.index;
    this.#apply(logged);
  }

  #writeMade({ sync, index }: MadeRecord): void {
    const mayWait = sync === 'memory' && this.#owner.isAlone;
    if (!mayWait || !this.#journal.isAheadTo(index)) this.#write(sync === 'disk');
    this.#journal.runsAhead = mayWait;
  }

  /** Nothing of the log is in memory alone any more: somebody else may hold the shard from now on. */
  catchUp(): void {
    const operations = this.#journal.takeLog();
    if (operations.length > 0) this.#context.storage.write(operations, false);
  }

  noteSafe(upTo: number, safety: Safety): void {
    if (safety === 'os') this.#os = Math.max(this.#os, upTo);
    else this.#disk = Math.max(this.#disk, upTo);
  }

  #write(durable: boolean): void {
    const operations = this.#journal.takeLog();
    const write: LogWrite = { upTo: this.log.lastIndex };
    this.#writes.push(write);
    this.#context.storage.write(operations, durable, (safety) => {
      this.noteSafe(write.upTo, safety);
      if (safety === 'disk') this.#forgetWrite(write);
      this.#owner.onStored(this);
    });
  }

  #forgetWrite(write: LogWrite): void {
    // Batches are synced in order.
    if (this.#writes[0] === write) this.#writes.shift();
    else this.#writes = this.#writes.filter((other) => other !== write);
  }

  /** Whether what is committed next may have waited for the disk of this node. */
  get waitsForDisk(): boolean {
    const next = this.log.at(this.#commit + 1);
    return next !== undefined && next.sync !== 'memory';
  }

  /**
   * Cuts off everything after `index`: a later primary has other records there.
   *
   * @returns what was cut off.
   */
  cutAfter(index: number): readonly LoggedRecord[] {
    invariant(
      index >= this.#applied.index || broken('shards.applied-only-committed'),
      `Shard ${this.shard}: record ${index + 1} is applied and would be cut off.`,
    );
    const before = this.log.bytes;
    const cut = this.log.cutAfter(index);
    if (cut.length === 0) return cut;
    this.#context.logBytes -= before - this.log.bytes;
    const operations = cut.map(({ index: at }): StoreOperation => {
      return { kind: 'delete', key: logKey(this.shard, this.slot, at) };
    });
    this.#context.storage.write(operations, false);
    // A write under way speaks of records that are no longer there.
    for (const write of this.#writes) write.upTo = Math.min(write.upTo, index);
    this.#journal.cutAfter(index);
    this.#os = Math.min(this.#os, index);
    this.#disk = Math.min(this.#disk, index);
    this.#commit = Math.min(this.#commit, index);
    if (this.#applied.index > index) this.#applied = this.log.positionAt(index);
    this.#relearnLatest();
    return cut;
  }

  /** Everything up to `index` is committed; what is here of it takes effect. */
  commitTo(index: number): void {
    this.#commit = Math.max(this.#commit, Math.min(index, this.log.lastIndex));
    const upTo = broken('shards.applied-only-committed') ? this.log.lastIndex : this.#commit;
    while (this.#applied.index < upTo) {
      const logged = this.log.at(this.#applied.index + 1) as LoggedRecord;
      this.#apply(logged);
    }
  }

  /** Puts a state under a key that no record of the log made: a streamed or a mended one. */
  restore(key: string, entry: StoredEntry): void {
    this.#context.entries.put(this.shard, this.slot, key, entry, false);
    this.#noteFading(key, entry);
    this.#journal.noteEntry(key, entry);
    this.#context.unflushed.add(this.shard);
  }

  /**
   * Puts back what another replica has under a key, which may be newer than what is applied here:
   * records before it are passed over.
   */
  mend(key: string, entry: StoredEntry): void {
    if (entry.at.index > this.#applied.index) this.#mended.set(key, entry.at.index);
    this.restore(key, entry);
  }

  /** Logged here and not known to be committed. */
  get uncommitted(): readonly LoggedRecord[] {
    const records: LoggedRecord[] = [];
    for (let index = this.#commit + 1; index <= this.log.lastIndex; index += 1) {
      records.push(this.log.at(index) as LoggedRecord);
    }
    return records;
  }

  /**
   * Removes an entry that nobody can see any more, here only. With it goes the knowledge of what it
   * had replaced: whatever is as old and turns up later may be that.
   */
  remove(key: string): void {
    const writtenMs = this.fading.writtenMs(key);
    if (writtenMs !== undefined) this.noteCollected(0, { ms: writtenMs, counter: 0 });
    this.#context.entries.delete(this.shard, this.slot, key);
    this.fading.delete(key);
    this.#journal.noteEntry(key, undefined);
    this.#context.unflushed.add(this.shard);
  }

  /** Takes over what another replica remembers. */
  rememberStreamed(operationId: string, outcome: RememberedOperation): void {
    this.#journal.noteOperation(operationId, outcome);
    this.operations.remember(operationId, outcome);
    this.#context.unflushed.add(this.shard);
  }

  /** Whether this is a tombstone that was forgotten here: whoever has it still is only later. */
  isCollected({ at, state }: StoredEntry): boolean {
    if (at.index > this.#collectedUpTo) return false;
    return winnerIn(state)?.value.kind === 'delete';
  }

  noteCollected(upTo: number, at: Timestamp): void {
    this.#collectedUpTo = Math.max(this.#collectedUpTo, upTo);
    if (at.ms > this.#collectedAt.ms) this.#collectedAt = at;
  }

  get isDirty(): boolean {
    return this.#journal.isDirty;
  }

  /** Forgets records that nobody needs: `countMax` stay, and those that are not safe without. */
  trim(countMax: number, neededAfter: number): void {
    const upTo = Math.min(this.#journal.appliedDurable, this.log.lastIndex - countMax, neededAfter);
    if (upTo <= this.log.base.index) return;
    const before = this.log.bytes;
    this.log.trimTo(upTo);
    this.#context.logBytes -= before - this.log.bytes;
  }

  /** Writes everything that was applied, with the mark that says so. */
  flush(): void {
    this.#journal.flush();
  }

  /** Deletes everything of this copy, in memory and on disk. The number of its entries. */
  clear(): number {
    const { shard, slot } = this;
    const { entries } = this.#context;
    const count = entries.count(shard, slot);
    this.#journal.erase();
    entries.clear(shard, slot);
    this.#context.logBytes -= this.log.bytes;
    return count;
  }

  #log(record: LogRecord): void {
    // What was applied before a restart is in the table. To call it the latest of its key would
    // outlive the record: once that is trimmed, the key would look as if it had never been written.
    const isApplied = record.index <= this.#applied.index;
    const body = isApplied ? undefined : bodyIn(record.body);
    this.#retain(LoggedRecord.received(record, body));
    if (body !== undefined) this.#noteLatest(record.index, body);
  }

  #retain(logged: LoggedRecord): void {
    this.log.append(logged);
    this.#context.logBytes += logged.bytes;
  }

  #noteLatest(index: number, body: RecordBody): void {
    if (body.kind !== 'write') return;
    this.#latest.set(body.key, index);
    if (body.operationId !== '') this.#loggedOperations.set(body.operationId, index);
  }

  #relearnLatest(): void {
    this.#latest.clear();
    this.#loggedOperations.clear();
    for (let index = this.#applied.index + 1; index <= this.log.lastIndex; index += 1) {
      const body = this.log.at(index)?.body;
      if (body !== undefined) this.#noteLatest(index, body);
    }
  }

  #apply(logged: LoggedRecord): void {
    const { epoch, index, body } = logged;
    if (body === undefined) {
      invariant(false, `Shard ${this.shard}: record ${index} is applied twice.`);
    }
    const at: ShardPosition = { epoch, index };
    const winner = body.kind === 'write' ? this.#applyWrite(at, body, logged.winner) : undefined;
    if (body.kind === 'collect') this.#applyCollect(at, body);
    this.#applied = at;
    this.#context.unflushed.add(this.shard);
    if (logged.sync === 'disk') this.#safeIndex = index;
    logged.settle();
    this.#owner.onApplied(this, { at, body, winner });
  }

  #applyWrite(
    at: ShardPosition,
    body: Extract<RecordBody, { kind: 'write' }>,
    known: StoredSibling | undefined,
  ): StoredSibling {
    const { key, state, operationId, fingerprint } = body;
    // Records that were committed by being here have never been in these.
    if (this.#latest.size > 0) this.#forgetLatest(key, operationId, at.index);
    const entry: StoredEntry = { at, state };
    const winner = known ?? winnerIn(state);
    if (winner === undefined) {
      invariant(false, `Record ${at.index} leaves a key without any version.`);
    }
    if (operationId !== '') {
      const version = writtenVersion(body, winner);
      const outcome: RememberedOperation = { version, at, fingerprint };
      this.#journal.noteOperation(operationId, outcome);
      this.operations.remember(operationId, outcome);
    }
    if (this.#isOvertaken(key, at.index)) return winner;
    if (winner.value.kind === 'delete' && broken('shards.tombstone-kept')) {
      this.remove(key);
      return winner;
    }
    this.#context.entries.put(this.shard, this.slot, key, entry, false);
    this.fading.note(key, at.index, winner.value);
    this.#journal.noteEntry(key, entry);
    return winner;
  }

  #forgetLatest(key: string, operationId: string, index: number): void {
    if (this.#latest.get(key) === index) this.#latest.delete(key);
    if (operationId !== '') this.#loggedOperations.delete(operationId);
  }

  /** Whether what is stored under a key is newer than a record that takes effect only now. */
  #isOvertaken(key: string, index: number): boolean {
    if (this.overtaken !== undefined && (this.overtaken.get(key) ?? 0) > index) return true;
    if (this.#mended.size > 0) {
      if ((this.#mended.get(key) ?? 0) > index) return true;
      this.#mended.delete(key);
    }
    this.overtaken?.set(key, index);
    return false;
  }

  #applyCollect(at: ShardPosition, body: Extract<RecordBody, { kind: 'collect' }>): void {
    const keys = this.fading.tombstonesUpTo(body.upTo);
    for (const key of keys) this.remove(key);
    this.noteCollected(body.upTo, body.timestamp);
    if (keys.length === 0) return;
    const { shard } = this;
    this.#context.outbox.event({ name: 'shard.collected', shard, tombstones: keys.length });
    invariant(at.index > body.upTo, 'A record collects itself.');
  }

  #noteFading(key: string, entry: StoredEntry): void {
    const winner = winnerIn(entry.state);
    if (winner !== undefined) this.fading.note(key, entry.at.index, winner.value);
  }
}
