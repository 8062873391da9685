import type {
  EntryState,
  EntryVersion,
  FailedResult,
  NodeId,
  OfferOrphan,
  Operation,
  OperationResult,
  OrphanTaken,
  ShardConfig,
  ShardId,
  SyncClass,
} from '@memgrid/protocol';
import {
  failedResult,
  joinSets,
  NEVER_WRITTEN,
  parseStoredKey,
  storedKey,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, type Instant } from '../machine.ts';
import { decodeState, type StoredSibling, versionOf, winnerOf } from './entry-view.ts';
import { KeptOrphans } from './kept-orphans.ts';
import type { Mending } from './mending.ts';
import { CARRIED_OUT, latestState, OrphanMerges } from './orphan-merges.ts';
import { ParkedOrphans } from './parked-orphans.ts';
import type { Primary } from './primary.ts';
import { ageRefusal } from './operation-age.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import type { ShardContext } from './shard-context.ts';
import type { AppliedRecord, ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';
import { encodeOrphan, type Orphan, orphanKey } from './shard-records.ts';
import { enqueue, type WaitingOperation } from './waiting-operation.ts';
import { carryOut, type WriteBody } from './write-rules.ts';

export interface OrphansOwner {
  readonly shard: ShardId;
  readonly copy: ShardCopy;
  readonly primary: Primary | undefined;
  readonly config: ShardConfig | undefined;
  readonly mending: Mending;
}

/** Orphans that are offered at once. */
const OFFERED_AT_ONCE = 16;

/** A write as it is kept, before it has a number. */
type KeptWrite = Omit<Orphan, 'number' | 'parked'>;

/** A write that is to be taken away from the primary. */
interface Stranded {
  readonly waiting: WaitingOperation;
  readonly operation: Operation;
  readonly body: WriteBody;
}

/**
 * Writes at `one` that no log has: accepted while the primary was away, or cut off by a later one.
 * Each is kept on disk and offered to the primary until that has merged it as a concurrent value
 * (`orphan-merges.ts`), or an operator has decided about it. See DESIGN.md, F20 and F21.
 */
export class Orphans {
  readonly #context: ShardContext;
  readonly #owner: OrphansOwner;
  /** For operators. */
  readonly parked: ParkedOrphans;
  readonly #kept = new KeptOrphans();
  readonly #merges: OrphanMerges;
  /** Numbers of those that are as safe as their callers asked for: repetitions may be told. */
  readonly #safe = new Set<number>();
  /** Repetitions of what is on its way to the disk, by operation id: they wait for its outcome. */
  readonly #underWay = new Map<string, Stranded[]>();
  #offerAt: Instant | undefined;

  constructor(context: ShardContext, owner: OrphansOwner, recovered: readonly Orphan[]) {
    this.#context = context;
    this.#owner = owner;
    this.parked = new ParkedOrphans(context, owner.shard, this.#kept);
    this.#merges = new OrphanMerges(context, owner, (taken) => this.onTaken(taken));
    for (const orphan of recovered) {
      this.#kept.set(orphan);
      this.#safe.add(orphan.number);
    }
    this.copyReplaced();
  }

  get count(): number {
    return this.#kept.count;
  }

  /** No more promises are made before some of these are kept. See DESIGN.md, F26. */
  get isFull(): boolean {
    const { waitingOperationsMax, waitingBytesMax } = this.#context.config;
    return this.#kept.count >= waitingOperationsMax || this.#kept.bytes >= waitingBytesMax;
  }

  /** What this node accepted for a key and the log does not have. */
  stateOf(key: string): EntryState | undefined {
    let joined: EntryState | undefined;
    for (const orphan of this.#kept.openOf(key)) {
      const state = decodeState(orphan.state);
      joined = joined === undefined ? state : joinSets(joined, state);
    }
    return joined;
  }

  /** Takes a write away from the primary. The caller has checked that it may. */
  accept(waiting: WaitingOperation, operation: Operation, body: WriteBody): void {
    if (this.#answerRepeated(waiting, operation, body)) return;
    const { operationId } = operation;
    const repetitions = this.#underWay.get(operationId);
    if (repetitions !== undefined) {
      enqueue(repetitions, { waiting, operation, body }, (one) => one.waiting.isAnswered);
      return;
    }
    if (this.isFull) {
      waiting.answer(this.overloaded());
      return;
    }
    const { dots } = this.#context;
    if (!dots.isReady) {
      dots.whenReady(() => this.accept(waiting, operation, body));
      return;
    }
    if (operationId !== '' && !broken('shards.operation-once')) this.#underWay.set(operationId, []);
    const key = storedKey(body.namespace, body.key);
    this.#owner.mending.find(key, (found) => {
      const isEarly = waiting.isAnswered || this.#answerRepeated(waiting, operation, body);
      if (isEarly || !dots.isReady) {
        this.#settled(operationId);
        if (!isEarly) this.accept(waiting, operation, body);
        return;
      }
      const logged = latestState(this.#owner.copy, key, found);
      const known = joinSets(logged, this.stateOf(key) ?? NEVER_WRITTEN);
      this.#carryOut(waiting, operation, { body, known });
    });
  }

  /** Why a write at `one` is refused while `isFull`. */
  overloaded(): FailedResult {
    const { waitingOperationsMax: max } = this.#context.config;
    return failedResult('OVERLOADED', { waiting: this.#kept.count, max }, { applied: 'no' });
  }

  /** The write of this id has its outcome, or will never have one: repetitions go on from there. */
  #settled(operationId: string): void {
    const repetitions = this.#underWay.get(operationId) ?? [];
    this.#underWay.delete(operationId);
    for (const { waiting, operation, body } of repetitions) {
      if (!waiting.isAnswered) this.accept(waiting, operation, body);
    }
  }

  /**
   * Records that a later primary replaced: what was answered of them must not be lost. Neither may it
   * be refused, so these may be as many again as `isFull` allows.
   */
  onCut(cut: readonly LoggedRecord[]): void {
    for (const { body } of cut) {
      if (body?.kind !== 'write' || !body.answeredEarly) continue;
      const { key, state, timestamp, operationId, fingerprint } = body;
      // A repetition that comes before the disk has it is not another write.
      const isNamed = operationId !== '' && !broken('shards.operation-once');
      if (isNamed && !this.#underWay.has(operationId)) this.#underWay.set(operationId, []);
      const write = { key, state, timestamp, operationId, fingerprint };
      this.#keep(write, 'disk', () => this.#settled(operationId));
    }
  }

  /** A replica offers a write to this primary. */
  onOffer(from: NodeId, { orphan, namespace, key, ...write }: OfferOrphan): void {
    this.#merges.offer({ from, orphan }, { ...write, key: storedKey(namespace, key) });
  }

  onTaken({ orphan: number, parked }: OrphanTaken): void {
    const orphan = this.#kept.get(number);
    if (orphan === undefined) return;
    if (parked) this.#park(orphan);
    else this.#giveUp(number);
  }

  /** A record took effect: perhaps a merge that somebody waits for, or what is kept here. */
  applied({ at, body }: AppliedRecord): void {
    if (this.#kept.count > 0) {
      if (body.kind === 'write') this.#noteCarriedOut(body.operationId, body.fingerprint, at.index);
      this.#giveUpSafe();
    }
    this.#merges.applied(at);
  }

  /** Another copy counts from now on: what it remembers came by a stream, and not by its log. */
  copyReplaced(): void {
    this.#kept.forgetCarriedOut();
    const { operations } = this.#owner.copy;
    for (const { operationId } of this.#kept.count > 0 ? this.#kept.all() : []) {
      const known = operationId === '' ? undefined : operations.get(operationId);
      if (known !== undefined) {
        this.#noteCarriedOut(operationId, known.fingerprint, known.at.index);
      }
    }
  }

  /**
   * The log has this write, as a merge or because a repetition was faster: it is not offered any
   * more, because the primary may have forgotten by then that it was carried out. It is kept until
   * that is on disk: the repetition may have asked for less than the write itself.
   */
  #noteCarriedOut(operationId: string, fingerprint: number, index: number): void {
    if (operationId === '' || broken('shards.operation-once')) return;
    for (const orphan of this.#kept.ofOperation(operationId)) {
      if (orphan.fingerprint === fingerprint) this.#kept.noteCarriedOut(orphan, index);
    }
  }

  /** What the log has, and a quorum of the shard on disk, is kept here no longer. */
  #giveUpSafe(): void {
    if (this.#kept.carriedOut.size === 0) return;
    const { safeIndex } = this.#owner.copy;
    for (const [number, index] of this.#kept.carriedOut) {
      if (index <= safeIndex) this.#giveUp(number);
    }
  }

  #giveUp(number: number): void {
    this.#kept.delete(number);
    this.#safe.delete(number);
    const key = orphanKey(this.#owner.shard, number);
    this.#context.storage.write([{ kind: 'delete', key }], false);
  }

  forgetMerges(): void {
    this.#merges.forget();
  }

  /** Nothing is kept, and no offer is planned. */
  get isAtRest(): boolean {
    return this.#offerAt === undefined && this.#kept.count === 0;
  }

  advance(): void {
    if (this.#kept.openCount > 0) this.#offerAt ??= this.#context.now;
  }

  get wakeAt(): Instant | undefined {
    return this.#offerAt;
  }

  /** Offers what is left. */
  wake(now: Instant): void {
    if (this.#offerAt === undefined || this.#offerAt > now) return;
    const isOpen = this.#kept.openCount > 0;
    this.#offerAt = isOpen ? after(now, this.#context.config.retryMs * PAUSES) : undefined;
    const { config, primary, shard } = this.#owner;
    if (config === undefined) return;
    for (const orphan of this.#kept.takeTurns(OFFERED_AT_ONCE)) {
      const { number, key, operationId, fingerprint } = orphan;
      const state = this.#kept.carriedOut.has(number) ? CARRIED_OUT : orphan.state;
      if (config.primary === this.#context.self) {
        if (primary?.isActive !== true) continue;
        this.#merges.offer({ from: this.#context.self, orphan: number }, { ...orphan, state });
      } else if (this.#context.isAlive(config.primary)) {
        const { namespace, id } = parseStoredKey(key);
        this.#context.outbox.send(config.primary, {
          type: 'offerOrphan',
          shard,
          orphan: number,
          namespace,
          key: id,
          state,
          operationId,
          fingerprint,
        });
      }
    }
  }

  #carryOut(
    waiting: WaitingOperation,
    operation: Operation,
    { body, known }: { readonly body: WriteBody; readonly known: EntryState },
  ): void {
    const timestamp = this.#context.tick();
    const { dots, rules } = this.#context;
    const outcome = carryOut(body, known, {
      dot: dots.issue(),
      timestamp,
      autonomous: true,
      admitted: waiting.admitted,
      rules,
      schemaVersion: operation.schemaVersion,
    });
    if (outcome.kind !== 'state') {
      waiting.answer(outcome.result);
      this.#settled(operation.operationId);
      return;
    }
    const { state, winner } = outcome;
    const key = storedKey(body.namespace, body.key);
    const { sync, operationId } = operation;
    const version = versionOf(winner);
    const fingerprint = fingerprintOf(body);
    this.#keep({ key, state, timestamp, operationId, fingerprint }, sync, () => {
      waiting.answer(strandedResult(version, sync, false));
      this.#settled(operationId);
    });
  }

  /** A repetition gets the first outcome: of this node, or of the log as far as it is known here. */
  #answerRepeated(waiting: WaitingOperation, operation: Operation, body: WriteBody): boolean {
    const { operationId, sync } = operation;
    if (operationId === '' || broken('shards.operation-once')) return false;
    const { operations } = this.#owner.copy;
    const known = operations.get(operationId) ?? this.#safeOne(operationId);
    if (known === undefined) {
      const refusal = ageRefusal(this.#context, operations, operationId);
      if (refusal !== undefined) waiting.answer(refusal);
      return refusal !== undefined;
    }
    if (known.fingerprint !== fingerprintOf(body)) {
      waiting.answer(failedResult('OPERATION_REUSED', { operationId }));
    } else if ('at' in known) {
      const { version, at } = known;
      const acknowledged = 'quorum';
      const result = { kind: 'written', version, acknowledged, sync } as const;
      waiting.answer({ ...result, autonomous: false, repeated: true }, at);
    } else {
      const winner = winnerOf(decodeState(known.state)) as StoredSibling;
      waiting.answer(strandedResult(versionOf(winner), sync, true));
    }
    return true;
  }

  #safeOne(operationId: string): Orphan | undefined {
    for (const orphan of this.#kept.ofOperation(operationId)) {
      if (this.#safe.has(orphan.number)) return orphan;
    }
    return undefined;
  }

  #keep(write: KeptWrite, sync: SyncClass, then: () => void): void {
    // Never a number of an earlier life: "taken" may still be under way to that.
    const number = this.#context.nextNumber();
    const orphan: Orphan = { ...write, number, parked: false };
    this.#kept.set(orphan);
    const disk = orphanKey(this.#owner.shard, orphan.number);
    let told = false;
    this.#context.touched.add(this.#owner.shard);
    this.#context.storage.write(
      [{ kind: 'put', key: disk, value: encodeOrphan(orphan) }],
      sync === 'disk',
      () => {
        if (told) return;
        told = true;
        if (this.#kept.get(number) !== undefined) this.#safe.add(number);
        then();
      },
    );
  }

  #park(orphan: Orphan): void {
    if (orphan.parked) return;
    const parked: Orphan = { ...orphan, parked: true };
    const { shard } = this.#owner;
    this.#kept.set(parked);
    const key = orphanKey(shard, orphan.number);
    this.#context.storage.write([{ kind: 'put', key, value: encodeOrphan(parked) }], true);
    const detail = `A write of ${orphan.timestamp.ms} ms came after deletes of its time were forgotten.`;
    this.#context.outbox.event({ name: 'orphan.parked', shard, detail });
  }
}

function strandedResult(
  version: EntryVersion,
  sync: SyncClass,
  repeated: boolean,
): OperationResult {
  return { kind: 'written', version, acknowledged: 'local', sync, autonomous: true, repeated };
}

/** Offers are repeated after so many retry pauses: merging takes a round of replication. */
const PAUSES = 2;
