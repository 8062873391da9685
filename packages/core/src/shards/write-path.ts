import type {
  EntryVersion,
  NodeId,
  Operation,
  OperationResult,
  RecordBody,
  ShardId,
  ShardPosition,
  SyncClass,
} from '@memgrid/protocol';
import { failedResult, storedKey } from '@memgrid/protocol';
import { broken } from '#breaks';
import { invariant } from '../assert.ts';
import type { StoredEntry } from '../entries/entry-table.ts';
import { type StoredSibling, versionOf, winnerIn, writtenVersion } from './entry-view.ts';
import type { Mending } from './mending.ts';
import type { Orphans } from './orphans.ts';
import type { Primary } from './primary.ts';
import type { RememberedOperation } from './remembered-operations.ts';
import { ageRefusal } from './operation-age.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import type { ShardContext } from './shard-context.ts';
import type { AppliedRecord, ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';
import { enqueue, type WaitingOperation } from './waiting-operation.ts';
import { carryOut, isWrite, type WriteBody } from './write-rules.ts';

export interface WriteOwner {
  readonly shard: ShardId;
  readonly copy: ShardCopy;
  readonly primary: Primary | undefined;
  readonly mending: Mending;
  /** Writes at `one` that are owed already. */
  readonly orphans: Pick<Orphans, 'isFull' | 'overloaded'>;
}

/** A write that is logged and not committed, and everybody who waits for it. */
interface PendingWrite {
  readonly at: ShardPosition;
  readonly version: EntryVersion;
  readonly sync: SyncClass;
  /** Of the record. */
  readonly bytes: number;
  /** Whether there was an entry before; undefined where nobody knows any more. */
  readonly existed: boolean | undefined;
  readonly waiting: { readonly operation: WaitingOperation; readonly repeated: boolean }[];
}

interface MadeWrite {
  readonly body: RecordBody & { readonly kind: 'write' };
  /** The same as bytes, where they are made already. */
  readonly bytes: Uint8Array | undefined;
  /** What it leaves under its key. */
  readonly winner: StoredSibling;
  /** There was an entry before. */
  readonly existed: boolean;
}

interface AnyWrite extends Pick<
  Operation,
  'operationId' | 'sync' | 'durability' | 'schemaVersion'
> {
  readonly body: WriteBody;
  /** `storedKey`. */
  readonly key: string;
  /** Tells two requests under one operation id apart. */
  readonly fingerprint: number;
}

/**
 * Writes at the primary: in order, each on the state that the one before it left, logged or
 * applied; answered when the record is as safe as the caller asked for.
 */
export class WritePath {
  readonly #context: ShardContext;
  readonly #owner: WriteOwner;
  /** Came before the primary was active, or before there were dots. */
  #queue: WaitingOperation[] = [];
  readonly #pending = new Map<number, PendingWrite>();
  /** Indexes of pending writes whose callers do not wait for a quorum. */
  readonly #early = new Set<number>();
  /** Of all pending records: callers give up, records stay. */
  #pendingBytes = 0;

  constructor(context: ShardContext, owner: WriteOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  submit(waiting: WaitingOperation): void {
    const primary = this.#owner.primary;
    if (primary === undefined || !primary.isActive || !this.#context.dots.isReady) {
      enqueue(this.#queue, waiting, ({ isAnswered }) => isAnswered);
      if (!this.#context.dots.isReady) this.#awaitDots();
      return;
    }
    this.#start(waiting);
  }

  /** The primary is active now, or there are dots now. */
  resume(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const waiting of queue) if (!waiting.isAnswered) this.submit(waiting);
  }

  /** Gives back everything that is neither answered nor logged. */
  takeQueue(): readonly WaitingOperation[] {
    const queue = this.#queue;
    this.#queue = [];
    return queue.filter((waiting) => !waiting.isAnswered);
  }

  /** What is logged here may or may not be committed by somebody else. */
  abandonLogged(hint: NodeId | undefined): void {
    for (const { waiting } of this.#pending.values()) {
      for (const { operation } of waiting) operation.redirect(hint);
    }
    this.#pending.clear();
    this.#pendingBytes = 0;
    this.#early.clear();
  }

  applied({ at, body, winner }: AppliedRecord): void {
    const pending = this.#settle(at.index);
    if (pending === undefined) return;
    if (pending.at.epoch !== at.epoch || body.kind !== 'write' || winner === undefined) {
      const { shard } = this.#owner;
      invariant(false, `Shard ${shard}: another record was applied at ${at.index}.`);
    }
    this.#answer(pending, 'quorum');
  }

  cut(records: readonly LoggedRecord[]): void {
    for (const { index } of records) {
      const pending = this.#settle(index);
      for (const { operation } of pending?.waiting ?? []) operation.redirect(undefined);
    }
  }

  /** More of the log is safe here: enough for those who asked for no more. */
  stored(): void {
    if (this.#early.size === 0) return;
    const { copy } = this.#owner;
    for (const index of this.#early) {
      const pending = this.#pending.get(index) as PendingWrite;
      if (index > copy.mark(pending.sync)) continue;
      this.#early.delete(index);
      this.#answerEarly(pending);
    }
  }

  /** Nobody waits for this record any more. */
  #settle(index: number): PendingWrite | undefined {
    if (this.#pending.size === 0) return undefined;
    const pending = this.#pending.get(index);
    if (pending === undefined) return undefined;
    this.#pending.delete(index);
    this.#pendingBytes -= pending.bytes;
    this.#early.delete(index);
    return pending;
  }

  #await(pending: PendingWrite): void {
    this.#pending.set(pending.at.index, pending);
    this.#pendingBytes += pending.bytes;
  }

  /** Whether one more record may be logged: without a majority none of them leaves the log. */
  get #isFull(): boolean {
    const { waitingOperationsMax, waitingBytesMax } = this.#context.config;
    return this.#pending.size >= waitingOperationsMax || this.#pendingBytes >= waitingBytesMax;
  }

  #awaitDots(): void {
    this.#context.dots.whenReady(() => {
      this.#context.touched.add(this.#owner.shard);
      this.resume();
    });
  }

  #start(waiting: WaitingOperation): void {
    const { operation } = waiting;
    if (operation === undefined || !isWrite(operation.body)) return;
    const { operationId, sync, durability, schemaVersion, body } = operation;
    const fingerprint = fingerprintOf(body);
    const key = storedKey(body.namespace, body.key);
    const write: AnyWrite = {
      operationId,
      sync,
      durability,
      schemaVersion,
      body,
      key,
      fingerprint,
    };
    if (this.#answerRepeated(waiting, write)) return;
    const { operations, presentMs } = this.#context;
    if (this.#isFull || operations.isCrowded(operationId, presentMs)) {
      const max = this.#context.config.waitingOperationsMax;
      waiting.answer(failedResult('OVERLOADED', { waiting: this.#pending.size, max }));
      return;
    }
    const { shard, copy, mending, orphans } = this.#owner;
    if (durability === 'one' && orphans.isFull) {
      waiting.answer(orphans.overloaded());
      return;
    }
    if (copy.latestIndexOf(key) !== undefined) {
      this.#carryOut(waiting, write, 'absent');
      return;
    }
    // A look is enough: what the write keeps of the state before it is copied into the one after it.
    const found = mending.isIdle ? this.#context.entries.look(shard, copy.slot, key) : 'paged';
    if (found === 'paged') this.#fetch(waiting, write);
    else this.#carryOut(waiting, write, found);
  }

  /** What is stored has to be read from disk first, or fetched from another replica. */
  #fetch(waiting: WaitingOperation, write: AnyWrite): void {
    const { shard, copy } = this.#owner;
    let isLater = false;
    this.#owner.mending.find(write.key, (found) => {
      if (!isLater) {
        this.#carryOut(waiting, write, found);
        return;
      }
      this.#context.touched.add(shard);
      const { primary } = this.#owner;
      if (waiting.isAnswered) return;
      // The disk took its time: much may have changed.
      if (primary?.isActive !== true || this.#owner.copy !== copy || !this.#context.dots.isReady) {
        this.submit(waiting);
      } else if (!this.#answerRepeated(waiting, write)) {
        this.#carryOut(waiting, write, found);
      }
    });
    isLater = true;
  }

  /** Answers what was carried out before, or must never be; attaches to what is under way. */
  #answerRepeated(waiting: WaitingOperation, write: AnyWrite): boolean {
    const { operationId, fingerprint } = write;
    if (operationId === '' || broken('shards.operation-once')) return false;
    const { copy } = this.#owner;
    const known = copy.operations.get(operationId);
    if (known !== undefined) {
      this.#answerKnown(waiting, write, known);
      return true;
    }
    const index = copy.loggedIndexOf(operationId);
    if (index !== undefined) {
      const logged = copy.log.at(index)?.body;
      if (logged?.kind === 'write' && logged.fingerprint !== fingerprint) {
        waiting.answer(failedResult('OPERATION_REUSED', { operationId }));
      } else {
        this.#attach(waiting, index);
      }
      return true;
    }
    return this.#refuseByAge(waiting, operationId);
  }

  /** An id that may have been forgotten must not be carried out, perhaps a second time. */
  #refuseByAge(waiting: WaitingOperation, operationId: string): boolean {
    const refusal = ageRefusal(this.#context, this.#owner.copy.operations, operationId);
    if (refusal !== undefined) waiting.answer(refusal);
    return refusal !== undefined;
  }

  #answerKnown(waiting: WaitingOperation, write: AnyWrite, known: RememberedOperation): void {
    const { operationId, fingerprint, sync } = write;
    if (known.fingerprint !== fingerprint) {
      waiting.answer(failedResult('OPERATION_REUSED', { operationId }));
      return;
    }
    waiting.answer(writtenResult(known.version, { sync, repeated: true }), known.at);
  }

  #attach(waiting: WaitingOperation, index: number): void {
    const { copy } = this.#owner;
    let pending = this.#pending.get(index);
    if (pending === undefined) {
      pending = this.#pendingAt(copy, index);
      this.#await(pending);
    }
    waiting.loggedAt = pending.at;
    pending.waiting.push({ operation: waiting, repeated: true });
    if (waiting.operation?.durability === 'one') this.#early.add(index);
  }

  /** Of a record that nobody waits for any more, or that an earlier epoch logged. */
  #pendingAt(copy: ShardCopy, index: number): PendingWrite {
    const logged = copy.log.at(index) as LoggedRecord;
    const { epoch, sync, bytes, body } = logged;
    const write = body?.kind === 'write' ? body : undefined;
    const winner = write === undefined ? undefined : winnerIn(write.state);
    invariant(write !== undefined && winner !== undefined, `Record ${index} is no write.`);
    const at = { epoch, index };
    const version = writtenVersion(write, winner);
    return { at, version, sync, bytes, existed: undefined, waiting: [] };
  }

  #carryOut(waiting: WaitingOperation, write: AnyWrite, found: StoredEntry | 'absent'): void {
    const { copy } = this.#owner;
    const { key } = write;
    const latest = copy.latestIndexOf(key);
    const body = latest === undefined ? undefined : copy.log.at(latest)?.body;
    let state: Uint8Array | undefined;
    if (body?.kind === 'write') {
      state = body.state;
    } else if (found !== 'absent') {
      state = found.state;
    }
    const { dots, rules } = this.#context;
    const timestamp = this.#context.tick();
    const { operationId, fingerprint } = write;
    const frame = { key, operationId, answeredEarly: write.durability === 'one', fingerprint };
    const outcome = carryOut(write.body, state, {
      dot: dots.issue(),
      timestamp,
      autonomous: false,
      admitted: waiting.admitted,
      rules,
      schemaVersion: write.schemaVersion,
      // Nobody may ever ask for the bytes of a record that commits at once.
      frame: this.#owner.primary?.commitsAtOnce(write.sync) === true ? undefined : frame,
    });
    if (outcome.kind === 'invalid') {
      waiting.answer(outcome.result);
    } else if (outcome.kind === 'refused') {
      this.#refuseConfirmed(waiting, outcome.result, latest ?? copy.commit);
    } else {
      const { record: bytes, winner, existed } = outcome;
      const record = { kind: 'write', ...frame, state: outcome.state, timestamp } as const;
      this.#log(waiting, write, { body: record, bytes, winner, existed });
    }
  }

  /** A refusal says what is stored, so it is a read: true only if this is still the primary. */
  #refuseConfirmed(waiting: WaitingOperation, result: OperationResult, index: number): void {
    const { copy, primary } = this.#owner;
    primary?.strongReads.confirm(waiting, index, () => waiting.answer(result, copy.applied));
  }

  #log(waiting: WaitingOperation, write: AnyWrite, made: MadeWrite): void {
    const { primary, copy } = this.#owner;
    invariant(primary !== undefined, 'A write without a primary.');
    const { sync } = write;
    const { body, winner, existed } = made;
    const index = primary.append(body, sync, made);
    const version = versionOf(winner);
    const at: ShardPosition = { epoch: primary.epoch, index };
    if (copy.applied.index >= index) {
      const acknowledged = write.durability === 'one' ? 'local' : 'quorum';
      waiting.answer(writtenResult(version, { sync, repeated: false, acknowledged, existed }), at);
      return;
    }
    waiting.loggedAt = at;
    this.#await({
      at,
      version,
      sync,
      bytes: body.state.byteLength,
      existed,
      waiting: [{ operation: waiting, repeated: false }],
    });
    if (write.durability === 'one') {
      this.#early.add(index);
      this.stored();
    }
  }

  #answer(pending: PendingWrite, acknowledged: 'quorum' | 'local'): void {
    const { at, version, sync, existed, waiting } = pending;
    for (const { operation, repeated } of waiting) {
      const options = { sync, repeated, acknowledged, existed };
      operation.answer(writtenResult(version, options), at);
    }
  }

  #answerEarly(pending: PendingWrite): void {
    const { at, version, sync, existed, waiting } = pending;
    for (const { operation, repeated } of waiting) {
      if (operation.operation?.durability !== 'one') continue;
      const options = { sync, repeated, acknowledged: 'local', existed } as const;
      operation.answer(writtenResult(version, options), at);
    }
  }
}

interface WrittenOptions {
  readonly sync: SyncClass;
  readonly repeated: boolean;
  readonly acknowledged?: 'quorum' | 'local';
  readonly existed?: boolean | undefined;
}

function writtenResult(version: EntryVersion, options: WrittenOptions): OperationResult {
  const { sync, repeated, acknowledged = 'quorum', existed } = options;
  // What a repeated operation found is not remembered with its outcome.
  const known = repeated ? undefined : existed;
  return {
    kind: 'written',
    version,
    acknowledged,
    sync,
    autonomous: false,
    repeated,
    existed: known,
  };
}
