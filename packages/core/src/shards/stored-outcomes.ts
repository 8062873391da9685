import type { ShardId } from '@memgrid/protocol';
import type { StoreOperation } from '../store-operation.ts';
import { FIRST_OPERATION, type OperationMemory } from './operation-memory.ts';
import type { OperationPeriod } from './operation-period.ts';
import { OUTCOMES_MAX, type OutcomeRecord, OutcomeRows } from './outcome-rows.ts';
import type { RememberedOperation, RememberedOperations } from './remembered-operations.ts';
import { outcomesKey, singleOutcomeKey } from './shard-records.ts';

export interface StoredOutcomesOptions {
  readonly shard: ShardId;
  readonly slot: number;
  readonly memory: OperationMemory;
}

/**
 * What the disk has of the operations that one copy remembers: one record for all that one flush
 * found new, deleted when the youngest in it is forgotten.
 *
 * A record for every operation, as earlier versions wrote them, cost as much as the entry itself,
 * and as much again to be deleted. Here the disk keeps what memory has forgotten for as long as
 * some neighbour of it is remembered: the difference between the ages of ids that arrived within
 * one flush, and a minute at most for one whose client is ahead. Known again after a restart is
 * more than has to be, and never wrong.
 */
export class StoredOutcomes {
  readonly #shard: ShardId;
  readonly #slot: number;
  readonly #memory: OperationMemory;
  readonly #pending = new OutcomeRows();
  /** Full ones, which wait for the same flush. */
  #full: OutcomeRecord[] = [];
  /** The youngest id of each record on the disk, which are numbered from `#first` on. */
  readonly #youngestMs: number[] = [];
  #first = 1;
  /** Ids that are no younger may have a record of their own, from before there was one for many. */
  #singlesUpToMs = -1;
  #forgottenSingles: string[] = [];

  constructor({ shard, slot, memory }: StoredOutcomesOptions) {
    this.#shard = shard;
    this.#slot = slot;
    this.#memory = memory;
  }

  /** A record was found on the disk. To be told in order of their numbers. */
  foundRecord(number: number, youngestMs: number): void {
    if (this.#youngestMs.length === 0) this.#first = number;
    this.#youngestMs.push(youngestMs);
  }

  /** A record of one operation was found on the disk. */
  foundSingle(ms: number): void {
    this.#singlesUpToMs = Math.max(this.#singlesUpToMs, ms);
  }

  note(operationId: string, outcome: RememberedOperation): void {
    if (this.#pending.count === OUTCOMES_MAX) this.#full.push(this.#pending.take());
    this.#pending.add(operationId, outcome);
  }

  /** Memory has given up what it had there. */
  noteForgotten(period: OperationPeriod, place: number): void {
    if (period.msAt(place) > this.#singlesUpToMs) return;
    this.#forgottenSingles.push(period.idAt(place));
  }

  /** Whether the disk is to be told anything. */
  get isDirty(): boolean {
    return (
      this.#pending.count > 0 ||
      this.#forgottenSingles.length > 0 ||
      this.#isForgotten(this.#oldest)
    );
  }

  /**
   * Adds what the disk has to do so that it knows the same, or a little more. In one batch with the
   * floor: after a crash an id is either remembered or refused.
   */
  addTo(operations: StoreOperation[]): void {
    if (this.#pending.count > 0) this.#full.push(this.#pending.take());
    for (const { value, youngestMs } of this.#full) {
      // Forgotten before anybody wrote it: nobody would come back to delete it.
      if (this.#isForgotten(youngestMs)) continue;
      const number = this.#first + this.#youngestMs.push(youngestMs) - 1;
      operations.push({ kind: 'put', key: this.#keyOf(number), value });
    }
    this.#full = [];
    while (this.#isForgotten(this.#oldest)) {
      operations.push({ kind: 'delete', key: this.#keyOf(this.#first) });
      this.#youngestMs.shift();
      this.#first += 1;
    }
    for (const id of this.#forgottenSingles) {
      operations.push({ kind: 'delete', key: singleOutcomeKey(this.#shard, this.#slot, id) });
    }
    this.#forgottenSingles = [];
  }

  /** The keys of everything that the disk has; nothing is written any more. */
  erase(remembered: RememberedOperations): string[] {
    const keys = this.#youngestMs.map((_, at) => this.#keyOf(this.#first + at));
    for (const id of this.#forgottenSingles) {
      keys.push(singleOutcomeKey(this.#shard, this.#slot, id));
    }
    if (this.#singlesUpToMs >= 0) {
      for (const { operationId } of remembered.page(FIRST_OPERATION, Infinity).found) {
        keys.push(singleOutcomeKey(this.#shard, this.#slot, operationId));
      }
    }
    if (this.#pending.count > 0) this.#pending.take();
    this.#full = [];
    this.#forgottenSingles = [];
    return keys;
  }

  get #oldest(): number | undefined {
    return this.#youngestMs[0];
  }

  /** Whether nobody remembers an id that is no younger. */
  #isForgotten(ms: number | undefined): boolean {
    if (ms === undefined) return false;
    const { oldestMs } = this.#memory;
    return oldestMs === undefined || ms < oldestMs;
  }

  #keyOf(number: number): string {
    return outcomesKey(this.#shard, this.#slot, number);
  }
}
