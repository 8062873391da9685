import type {
  EntryState,
  EntryVersion,
  NodeId,
  OfferOrphan,
  Operation,
  OperationResult,
  OrphanTaken,
  ShardConfig,
  ShardId,
  ShardPosition,
  SyncClass,
} from '@memgrid/protocol';
import {
  encodeValue,
  entryStateField,
  failedResult,
  joinSets,
  NEVER_WRITTEN,
  operationIdMs,
  parseStoredKey,
  storedKey,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, type Instant } from '../machine.ts';
import {
  decodeState,
  isLaterSibling,
  type StoredSibling,
  versionOf,
  winnerOf,
} from './entry-view.ts';
import { KeptOrphans } from './kept-orphans.ts';
import type { Mending } from './mending.ts';
import type { Primary } from './primary.ts';
import { ageRefusal } from './operation-age.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import type { ShardContext } from './shard-context.ts';
import type { AppliedRecord, ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './shard-log.ts';
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

/** Concurrent values of one key; more are cut to the latest ones. */
const SIBLINGS_KEPT = 8;
/** Orphans that are offered at once. */
const OFFERED_AT_ONCE = 16;

/** A write as it is kept, before it has a number. */
type KeptWrite = Omit<Orphan, 'number' | 'parked'>;

/** What a merge joins in: an orphan of this node or of another one. */
type OfferedWrite = Omit<KeptWrite, 'timestamp'>;

/** A write that is to be taken away from the primary. */
interface Stranded {
  readonly waiting: WaitingOperation;
  readonly operation: Operation;
  readonly body: WriteBody;
}

/** A merge at the primary that is logged and not committed. */
interface Merge {
  readonly from: NodeId;
  readonly orphan: number;
}

/**
 * Writes at `one` that no log has: accepted while the primary was away, or cut off by a later one.
 * Each is kept on disk and offered to the primary until that has merged it as a concurrent value.
 * See DESIGN.md, F20 and F21.
 */
export class Orphans {
  readonly #context: ShardContext;
  readonly #owner: OrphansOwner;
  readonly #kept = new KeptOrphans();
  /** By the position of their records: another primary may settle another record at an index. */
  readonly #merges = new Map<string, Merge[]>();
  /** By operation id, for repetitions, as long as the orphan is kept. */
  readonly #answered = new Map<string, Orphan>();
  /** Repetitions of what is on its way to the disk, by operation id: they wait for its outcome. */
  readonly #underWay = new Map<string, Stranded[]>();
  /** By holder and number: up to where it is to apply the log before its orphan is merged. */
  readonly #awaited = new Map<string, number>();
  #offerAt: Instant | undefined;

  constructor(context: ShardContext, owner: OrphansOwner, recovered: readonly Orphan[]) {
    this.#context = context;
    this.#owner = owner;
    for (const orphan of recovered) {
      this.#kept.set(orphan);
      if (orphan.operationId !== '') this.#answered.set(orphan.operationId, orphan);
    }
  }

  get count(): number {
    return this.#kept.count;
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
    const max = this.#context.config.waitingOperationsMax;
    if (this.#kept.count >= max) {
      waiting.answer(failedResult('OVERLOADED', { waiting: this.#kept.count, max }));
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
      const logged = this.#latest(key, found === 'absent' ? undefined : found.state);
      const known = joinSets(logged, this.stateOf(key) ?? NEVER_WRITTEN);
      this.#carryOut(waiting, operation, { body, known });
    });
  }

  /** The write of this id has its outcome, or will never have one: repetitions go on from there. */
  #settled(operationId: string): void {
    const repetitions = this.#underWay.get(operationId) ?? [];
    this.#underWay.delete(operationId);
    for (const { waiting, operation, body } of repetitions) {
      if (!waiting.isAnswered) this.accept(waiting, operation, body);
    }
  }

  /** Records that a later primary replaced: what was answered of them must not be lost. */
  onCut(cut: readonly LoggedRecord[]): void {
    for (const { body } of cut) {
      if (body?.kind !== 'write' || !body.answeredEarly) continue;
      const { key, state, timestamp, operationId, fingerprint } = body;
      this.#keep({ key, state, timestamp, operationId, fingerprint }, 'disk', () => undefined);
    }
  }

  /** A replica offers a write to this primary. */
  onOffer(from: NodeId, { orphan, namespace, key, ...write }: OfferOrphan): void {
    const { primary } = this.#owner;
    if (primary?.isActive !== true) return;
    this.#merge({ from, orphan }, { ...write, key: storedKey(namespace, key) });
  }

  onTaken({ orphan: number, parked }: OrphanTaken): void {
    const orphan = this.#kept.get(number);
    if (orphan === undefined) return;
    const { shard } = this.#owner;
    if (parked) this.#park(orphan);
    else {
      this.#kept.delete(number);
      this.#answered.delete(orphan.operationId);
      const key = orphanKey(shard, number);
      this.#context.storage.write([{ kind: 'delete', key }], false);
    }
  }

  /** A record took effect: perhaps a merge that somebody waits for, or what is kept here. */
  applied({ at, body }: AppliedRecord): void {
    if (body.kind === 'write') this.#settleKept(body.operationId, body.fingerprint);
    const merges = this.#merges.get(nameOf(at));
    if (merges === undefined) return;
    this.#merges.delete(nameOf(at));
    for (const merge of merges) this.#tell(merge, false);
    this.#context.outbox.event({ name: 'orphan.merged', shard: this.#owner.shard });
  }

  /**
   * The log has this write, as a merge or because a repetition was faster: it is not offered any
   * more, because the primary may have forgotten by then that it was carried out.
   */
  #settleKept(operationId: string, fingerprint: number): void {
    const orphan = this.#answered.get(operationId);
    if (orphan === undefined || orphan.fingerprint !== fingerprint) return;
    if (broken('shards.operation-once')) return;
    const { shard } = this.#owner;
    this.onTaken({ type: 'orphanTaken', shard, orphan: orphan.number, parked: false });
  }

  /** Merges under way may not be committed by the next primary: they will be offered again. */
  forgetMerges(): void {
    this.#merges.clear();
    this.#awaited.clear();
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
      const { number, key, state, operationId, fingerprint } = orphan;
      if (config.primary === this.#context.self) {
        if (primary?.isActive !== true) continue;
        this.#merge({ from: this.#context.self, orphan: number }, orphan);
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
    const known = this.#answered.get(operationId) ?? operations.get(operationId);
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
        if (write.operationId !== '' && this.#kept.get(number) !== undefined) {
          this.#answered.set(write.operationId, orphan);
        }
        then();
      },
    );
  }

  /** What the key holds at this replica: logged or applied. */
  #latest(key: string, stored: Uint8Array | undefined): EntryState {
    const { copy } = this.#owner;
    const index = copy.latestIndexOf(key);
    const body = index === undefined ? undefined : copy.log.at(index)?.body;
    if (body?.kind === 'write') return decodeState(body.state);
    return stored === undefined ? NEVER_WRITTEN : decodeState(stored);
  }

  /** Whether the log has the operation already: a repetition was faster, or this is one. */
  #isCarriedOut(merge: Merge, { operationId, fingerprint }: OfferedWrite): boolean {
    const { copy } = this.#owner;
    if (operationId === '' || broken('shards.operation-once')) return false;
    const known = copy.operations.get(operationId);
    if (known !== undefined) {
      // Another request under the same id was acknowledged too, and must not be lost.
      if (known.fingerprint !== fingerprint) return false;
      this.#tell(merge, false);
      return true;
    }
    const index = copy.loggedIndexOf(operationId);
    const logged = index === undefined ? undefined : copy.log.at(index)?.body;
    if (index === undefined || logged?.kind !== 'write') return false;
    if (logged.fingerprint !== fingerprint) return false;
    this.#await(copy.log.positionAt(index), merge);
    return true;
  }

  /**
   * Whether the log may have the operation, and this primary has forgotten it. The holder finds that
   * out: it withdraws what it applies from the log. Until it has applied what is committed now, its
   * orphan waits; whoever is no replica any more has no log to look into.
   */
  #mayBeInLog({ from, orphan }: Merge, { operationId }: OfferedWrite): boolean {
    const { copy, primary } = this.#owner;
    const peer = primary?.replication.peer(from);
    const ms = operationIdMs(operationId);
    if (peer === undefined || ms === undefined || ms > copy.operations.floor) return false;
    const name = `${from}/${orphan}`;
    const upTo = this.#awaited.get(name) ?? copy.commit;
    this.#awaited.delete(name);
    if (peer.applied >= upTo) return false;
    // Withdrawn ones stay behind. Without them every offer only waits once more.
    if (this.#awaited.size >= this.#context.config.waitingOperationsMax) this.#awaited.clear();
    this.#awaited.set(name, upTo);
    return true;
  }

  /** Whether another request was carried out under the same id. */
  #isReused({ operationId }: OfferedWrite): boolean {
    const { copy } = this.#owner;
    if (operationId === '') return false;
    if (copy.operations.get(operationId) !== undefined) return true;
    return copy.loggedIndexOf(operationId) !== undefined;
  }

  #merge(merge: Merge, write: OfferedWrite): void {
    const { copy, mending, primary } = this.#owner;
    if (this.#isCarriedOut(merge, write) || this.#mayBeInLog(merge, write)) return;
    const { key, fingerprint } = write;
    const offered = decodeState(write.state);
    const own = winnerOf(offered);
    if (own === undefined || own.value.timestamp.ms <= copy.collectedAt.ms) {
      // A delete of the same key may have been forgotten since: nobody can tell any more.
      this.#tell(merge, true);
      return;
    }
    mending.find(key, (found) => {
      const current = this.#owner.primary;
      if (current?.isActive !== true || current !== primary) return;
      // A repetition may have come while the disk was read.
      if (this.#isCarriedOut(merge, write)) return;
      const operationId = this.#isReused(write) ? '' : write.operationId;
      const before = this.#latest(key, found === 'absent' ? undefined : found.state);
      const joined = cut(joinSets(before, offered));
      const state = encodeValue(entryStateField, joined);
      // Under an id it is logged even if it changes nothing, so that a repetition is known.
      if (operationId === '' && isEqual(state, encodeValue(entryStateField, before))) {
        const index = copy.latestIndexOf(key);
        if (index === undefined) this.#tell(merge, false);
        else this.#await(copy.log.positionAt(index), merge);
        return;
      }
      const body = {
        kind: 'write',
        key,
        state,
        operationId,
        timestamp: this.#context.tick(),
        answeredEarly: false,
        fingerprint,
        version: versionOf(own),
      } as const;
      this.#await({ epoch: current.epoch, index: current.append(body, 'disk') }, merge);
      this.#context.touched.add(this.#owner.shard);
    });
  }

  #await(at: ShardPosition, merge: Merge): void {
    const merges = this.#merges.get(nameOf(at)) ?? [];
    if (merges.some(({ from, orphan }) => from === merge.from && orphan === merge.orphan)) return;
    this.#merges.set(nameOf(at), [...merges, merge]);
  }

  #tell({ from, orphan }: Merge, parked: boolean): void {
    const { shard } = this.#owner;
    const taken: OrphanTaken = { type: 'orphanTaken', shard, orphan, parked };
    if (from === this.#context.self) this.onTaken(taken);
    else this.#context.outbox.send(from, taken);
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

/** Keeps the latest of too many concurrent values; the context still covers the others. */
function cut(state: EntryState): EntryState {
  if (state.siblings.length <= SIBLINGS_KEPT) return state;
  const latest = state.siblings
    .toSorted((a, b) => (isLaterSibling(a, b) ? -1 : 1))
    .slice(0, SIBLINGS_KEPT);
  return { ...state, siblings: state.siblings.filter((sibling) => latest.includes(sibling)) };
}

function nameOf({ epoch, index }: ShardPosition): string {
  return `${epoch}:${index}`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
