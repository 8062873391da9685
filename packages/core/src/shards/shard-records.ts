import type {
  EntryVersion,
  LogRecord,
  ShardEpoch,
  ShardId,
  ShardPosition,
  Timestamp,
} from '@memgrid/protocol';
import {
  bytes,
  countField,
  decodeValue,
  encodeValue,
  entryVersionField,
  LIMITS,
  logRecordField,
  operationIdMs,
  optional,
  shardPositionField,
  struct,
  text,
  timestampField,
  uint,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { RememberedOperation } from './remembered-operations.ts';
import { ORIGIN } from './shard-log.ts';

/**
 * How shards lie on disk. Of each shard there may be two copies, in slots 0 and 1: the one that
 * counts, which `m` names, and one that a stream is filling. See DESIGN.md, F22.
 *
 * ```text
 * shard/<shard>/m                       promised epoch, slot
 * shard/<shard>/<slot>/a                what is applied, where the log begins
 * shard/<shard>/<slot>/l/<index>        one log record
 * shard/<shard>/<slot>/e/<key>          one entry (entry-keys.ts)
 * shard/<shard>/<slot>/o/<number>       remembered operations of one flush (outcome-rows.ts)
 * shard/<shard>/<slot>/o/<ms><id>       one of them, as earlier versions wrote it
 * shard/<shard>/<slot>/t/<key>          when an entry fades: a tombstone, or one that expires
 * shard/<shard>/r/<number>              one orphan
 * ```
 */
export interface ShardMeta {
  readonly promised: ShardEpoch;
  readonly slot: number;
}

/** What a copy has done with its log. Written in the same batch as the entries it speaks of. */
export interface CopyProgress {
  readonly applied: ShardPosition;
  /** The position right before the first retained record. */
  readonly base: ShardPosition;
  /** Tombstones of records up to here have been dropped … */
  readonly collectedUpTo: number;
  /** … or an entry that expired was: orphans that are not younger than this come too late. */
  readonly collectedAt: Timestamp;
  readonly operationsFloor: number;
  /**
   * Records behind this batch up to this index may have existed in memory alone (F27); after a crash
   * the log goes on behind it, so that no index names two records. Absent when there are none.
   */
  readonly aheadTo?: number | undefined;
}

/** An entry that is not for ever: a tombstone, or one that expires. */
export interface Fading {
  /** Of the record that wrote it. */
  readonly index: number;
  /** When it was deleted, or when it expires. Milliseconds since 1970. */
  readonly ms: number;
  /** When its winner was written. Milliseconds since 1970. */
  readonly writtenMs: number;
  readonly kind: 'tombstone' | 'expiry';
}

/** A write that was accepted away from the primary, until the primary has it. */
export interface Orphan {
  readonly number: number;
  /** `storedKey`. */
  readonly key: string;
  readonly state: Uint8Array;
  readonly timestamp: Timestamp;
  /** '' when its caller named none. */
  readonly operationId: string;
  readonly fingerprint: number;
  readonly parked: boolean;
}

export const NO_PROGRESS: CopyProgress = {
  applied: ORIGIN,
  base: ORIGIN,
  collectedUpTo: 0,
  collectedAt: { ms: 0, counter: 0 },
  operationsFloor: 0,
};

const metaField = struct<ShardMeta>({ promised: countField, slot: uint(1) });

const progressField = struct<CopyProgress>({
  applied: shardPositionField,
  base: shardPositionField,
  collectedUpTo: countField,
  collectedAt: timestampField,
  operationsFloor: countField,
  aheadTo: optional(countField),
});

interface StoredOutcome {
  readonly version: EntryVersion;
  readonly at: ShardPosition;
  readonly fingerprint: number;
}

const outcomeField = struct<StoredOutcome>({
  version: entryVersionField,
  at: shardPositionField,
  fingerprint: uint(0xffffffff),
});

interface StoredFading {
  readonly index: number;
  readonly ms: number;
  readonly writtenMs: number;
  readonly tombstone: number;
}

const fadingField = struct<StoredFading>({
  index: countField,
  ms: countField,
  writtenMs: countField,
  tombstone: uint(1),
});

interface StoredOrphan {
  readonly key: string;
  readonly state: Uint8Array;
  readonly timestamp: Timestamp;
  readonly operationId: string;
  readonly fingerprint: number;
  readonly parked: number;
}

const orphanField = struct<StoredOrphan>({
  key: text(LIMITS.namespaceBytesMax + 1 + LIMITS.entryIdBytesMax),
  state: bytes(1, LIMITS.entryStateBytesMax),
  timestamp: timestampField,
  operationId: text(LIMITS.operationIdBytesMax),
  fingerprint: uint(0xffffffff),
  parked: uint(1),
});

export function shardPrefix(shard: ShardId): string {
  return `shard/${shard.toString(16).padStart(4, '0')}/`;
}

export function metaKey(shard: ShardId): string {
  return `${shardPrefix(shard)}m`;
}

export function encodeMeta(meta: ShardMeta): Uint8Array {
  return encodeValue(metaField, meta);
}

export function progressKey(shard: ShardId, slot: number): string {
  return `${shardPrefix(shard)}${slot}/a`;
}

export function encodeProgress(progress: CopyProgress): Uint8Array {
  return encodeValue(progressField, progress);
}

export function logKey(shard: ShardId, slot: number, index: number): string {
  return `${shardPrefix(shard)}${slot}/l/${index.toString(16).padStart(14, '0')}`;
}

export function encodeLogRecord(record: LogRecord): Uint8Array {
  return encodeValue(logRecordField, record);
}

/** Of many operations (`outcome-rows.ts`). */
export function outcomesKey(shard: ShardId, slot: number, number: number): string {
  return `${shardPrefix(shard)}${slot}/o/${number.toString(16).padStart(14, '0')}`;
}

/** Of one operation, as they were written up to layout 2. */
export function singleOutcomeKey(shard: ShardId, slot: number, operationId: string): string {
  const ms = operationIdMs(operationId) ?? 0;
  return `${shardPrefix(shard)}${slot}/o/${ms.toString(16).padStart(14, '0')}${operationId}`;
}

export function encodeOutcome(outcome: RememberedOperation): Uint8Array {
  return encodeValue(outcomeField, outcome);
}

/** @throws WireError for bytes that are no outcome. */
export function decodeOutcome(value: Uint8Array): RememberedOperation {
  return decodeValue(outcomeField, value, 'outcome');
}

export function fadingKey(shard: ShardId, slot: number, key: string): string {
  return `${shardPrefix(shard)}${slot}/t/${key}`;
}

export function encodeFading({ kind, ...fading }: Fading): Uint8Array {
  return encodeValue(fadingField, { ...fading, tombstone: kind === 'tombstone' ? 1 : 0 });
}

export function orphanKey(shard: ShardId, number: number): string {
  return `${shardPrefix(shard)}r/${number.toString(16).padStart(14, '0')}`;
}

export function encodeOrphan({ parked, ...orphan }: Orphan): Uint8Array {
  return encodeValue(orphanField, { ...orphan, parked: parked ? 1 : 0 });
}

/** One slot as it was found on disk. */
export interface RecoveredCopy {
  readonly progress: CopyProgress;
  /** In order of index, from the base on. */
  readonly records: readonly LogRecord[];
  /**
   * By number, in order, as `encodeOutcomes` wrote them: all at once they would take half a gigabyte
   * decoded.
   */
  readonly outcomes: readonly (readonly [number, Uint8Array])[];
  /** By id, as `encodeOutcome` wrote them: what an earlier version left. */
  readonly singleOutcomes: readonly (readonly [string, Uint8Array])[];
  readonly fading: readonly (readonly [string, Fading])[];
}

export interface RecoveredShard {
  readonly shard: ShardId;
  readonly meta: ShardMeta;
  readonly copy: RecoveredCopy;
  /** Everything but entries that lies in the other slot: a stream that was not finished. */
  readonly otherSlot: readonly string[];
  readonly orphans: readonly Orphan[];
}

const KEY = /^shard\/([0-9a-f]{4})\/(?:(m)$|r\/([0-9a-f]{14})$|([01])\/(?:(a)$|([lot])\/(.*)$))/s;

/** Of numbers within keys, so that they sort as numbers do. */
const NUMBER_DIGITS = 14;

interface FoundCopy {
  progress: CopyProgress;
  readonly records: Map<number, LogRecord>;
  readonly outcomes: [number, Uint8Array][];
  readonly singleOutcomes: [string, Uint8Array][];
  readonly fading: [string, Fading][];
  readonly keys: string[];
}

interface FoundShard {
  meta: ShardMeta;
  readonly copies: readonly [FoundCopy, FoundCopy];
  readonly orphans: Orphan[];
}

/**
 * What was on disk, by shard.
 *
 * @throws WireError for a record that passed its checksum and still is none: written by a later
 * version, or by somebody else.
 */
export function recoverShards(records: ReadonlyMap<string, Uint8Array>): readonly RecoveredShard[] {
  const found = new Map<ShardId, FoundShard>();
  for (const [key, value] of records) {
    const parts = KEY.exec(key);
    if (parts === null) continue;
    const shard = Number.parseInt(parts[1] as string, 16) as ShardId;
    let into = found.get(shard);
    if (into === undefined) {
      into = { meta: { promised: 0, slot: 0 }, copies: [nothing(), nothing()], orphans: [] };
      found.set(shard, into);
    }
    note(into, key, parts, value);
  }
  return [...found].sort(([a], [b]) => a - b).map(([shard, into]) => recovered(shard, into));
}

function nothing(): FoundCopy {
  return {
    progress: NO_PROGRESS,
    records: new Map(),
    outcomes: [],
    singleOutcomes: [],
    fading: [],
    keys: [],
  };
}

function note(into: FoundShard, key: string, parts: RegExpExecArray, value: Uint8Array): void {
  const [, , meta, orphan, slot, progress, group, rest = ''] = parts;
  if (meta !== undefined) {
    into.meta = decodeValue(metaField, value, key);
    return;
  }
  if (orphan !== undefined) {
    const { parked, ...stored } = decodeValue(orphanField, value, key);
    into.orphans.push({ ...stored, parked: parked === 1, number: Number.parseInt(orphan, 16) });
    return;
  }
  const copy = into.copies[slot === '1' ? 1 : 0];
  copy.keys.push(key);
  if (progress !== undefined) {
    copy.progress = decodeValue(progressField, value, key);
  } else if (group === 'l') {
    const record = decodeValue(logRecordField, value, key);
    copy.records.set(record.index, record);
  } else if (group === 'o') {
    const [number, operationId] = [rest.slice(0, NUMBER_DIGITS), rest.slice(NUMBER_DIGITS)];
    if (operationId === '') copy.outcomes.push([Number.parseInt(number, 16), value]);
    else copy.singleOutcomes.push([operationId, value]);
  } else {
    const { tombstone, ...fading } = decodeValue(fadingField, value, key);
    copy.fading.push([rest, { ...fading, kind: tombstone === 1 ? 'tombstone' : 'expiry' }]);
  }
}

/** What was ahead of the disk is gone; its indexes are not used again. See DESIGN.md, F27. */
function behindWhatIsLost(progress: CopyProgress): CopyProgress {
  const { applied, aheadTo } = progress;
  if (aheadTo === undefined) return progress;
  const end = { epoch: applied.epoch, index: aheadTo };
  return { ...progress, applied: end, base: end };
}

function recovered(shard: ShardId, { meta, copies, orphans }: FoundShard): RecoveredShard {
  const copy = copies[meta.slot === 1 ? 1 : 0];
  const other = copies[meta.slot === 1 ? 0 : 1];
  const records: LogRecord[] = [];
  const { base } = copy.progress;
  for (let index = base.index + 1; copy.records.has(index); index += 1) {
    records.push(copy.records.get(index) as LogRecord);
  }
  // Batches are kept in order and records are trimmed in one batch with the base, so a hole means
  // that the disk has lost what was acknowledged: this replica must not vote as if it had not.
  invariant(
    records.length === copy.records.size,
    `Shard ${shard}: the log has a hole behind ${base.index + records.length}.`,
  );
  const { outcomes, singleOutcomes, fading } = copy;
  const progress = records.length === 0 ? behindWhatIsLost(copy.progress) : copy.progress;
  return {
    shard,
    meta,
    copy: {
      progress,
      records,
      outcomes: outcomes.sort(([a], [b]) => a - b),
      singleOutcomes,
      fading,
    },
    otherSlot: other.keys,
    orphans: orphans.sort((a, b) => a.number - b.number),
  };
}
