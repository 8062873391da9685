import type { ActorId } from '@memgrid/protocol';
import {
  actorIdField,
  bytes,
  decodeValue,
  encodeValue,
  list,
  struct,
  WireError,
} from '@memgrid/protocol';
import { ID_WORDS, msOfIdWords, readIdWords, writeIdWords } from './operation-id-words.ts';
import type { RememberedOperation } from './remembered-operations.ts';

/** Outcomes in one record: about 220 KiB, far below what one write to the disk may hold. */
export const OUTCOMES_MAX = 4096;

/** Where each part of an outcome stands within its row. */
const AT = {
  /** Four words. */
  id: 0,
  fingerprint: 16,
  clockCounter: 20,
  /** Its place among the actors of the record. */
  actor: 22,
  dotCounter: 24,
  clockMs: 32,
  epoch: 40,
  index: 48,
} as const;
const ROW_BYTES = 56;

/** Outcomes of operations, all with the same few actors. */
interface OutcomeTable {
  readonly actors: readonly ActorId[];
  /** One after the other, numbers with the highest byte first. */
  readonly rows: Uint8Array;
}

const tableField = struct<OutcomeTable>({
  actors: list(actorIdField, OUTCOMES_MAX),
  rows: bytes(0, OUTCOMES_MAX * ROW_BYTES),
});

export interface OutcomeToKeep {
  readonly operationId: string;
  readonly outcome: RememberedOperation;
}

interface KeptOutcome extends OutcomeToKeep {
  /** When the id was made, in milliseconds since 1970. */
  readonly ms: number;
}

/** Many outcomes as one record of the disk. */
export interface OutcomeRecord {
  readonly value: Uint8Array;
  /** When the youngest of its ids was made, in milliseconds since 1970. */
  readonly youngestMs: number;
}

const words = new Uint32Array(ID_WORDS);

/** @param kept at most `OUTCOMES_MAX`; text that is no operation id is left out. */
export function encodeOutcomes(kept: readonly OutcomeToKeep[]): OutcomeRecord {
  const actors: ActorId[] = [];
  const rows = new Uint8Array(kept.length * ROW_BYTES);
  const view = new DataView(rows.buffer);
  let end = 0;
  let youngestMs = 0;
  for (const { operationId, outcome } of kept) {
    if (!writeIdWords(operationId, words)) continue;
    youngestMs = Math.max(youngestMs, msOfIdWords(words));
    writeRow(view, end, outcome, placeOf(actors, outcome.version.dot.actor));
    end += ROW_BYTES;
  }
  const value = encodeValue(tableField, { actors, rows: rows.subarray(0, end) });
  return { value, youngestMs };
}

/**
 * Every outcome in the record of the disk, which has this key.
 *
 * @throws WireError for bytes that are none.
 */
export function* decodeOutcomes(value: Uint8Array, key: string): Generator<KeptOutcome> {
  const { actors, rows } = decodeValue(tableField, value, key);
  if (rows.byteLength % ROW_BYTES !== 0) {
    throw new WireError(`${key}: expected rows of ${ROW_BYTES} bytes, got ${rows.byteLength}.`);
  }
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  for (let row = 0; row < rows.byteLength; row += ROW_BYTES) {
    for (let at = 0; at < ID_WORDS; at += 1) words[at] = view.getUint32(row + AT.id + 4 * at);
    const operationId = readIdWords(words, 0);
    const actor = actors[view.getUint16(row + AT.actor)];
    if (actor === undefined) throw new WireError(`${key}: expected an actor for ${operationId}.`);
    yield { operationId, ms: msOfIdWords(words), outcome: readRow(view, row, actor) };
  }
}

function writeRow(view: DataView, row: number, outcome: RememberedOperation, actor: number): void {
  const { version, at, fingerprint } = outcome;
  for (let word = 0; word < ID_WORDS; word += 1) {
    view.setUint32(row + AT.id + 4 * word, words[word] as number);
  }
  view.setUint32(row + AT.fingerprint, fingerprint);
  view.setUint16(row + AT.clockCounter, version.timestamp.counter);
  view.setUint16(row + AT.actor, actor);
  view.setFloat64(row + AT.dotCounter, version.dot.counter);
  view.setFloat64(row + AT.clockMs, version.timestamp.ms);
  view.setFloat64(row + AT.epoch, at.epoch);
  view.setFloat64(row + AT.index, at.index);
}

function readRow(view: DataView, row: number, actor: ActorId): RememberedOperation {
  const timestamp = {
    ms: view.getFloat64(row + AT.clockMs),
    counter: view.getUint16(row + AT.clockCounter),
  };
  const dot = { actor, counter: view.getFloat64(row + AT.dotCounter) };
  return {
    version: { dot, timestamp },
    at: { epoch: view.getFloat64(row + AT.epoch), index: view.getFloat64(row + AT.index) },
    fingerprint: view.getUint32(row + AT.fingerprint),
  };
}

/** Nearly always the last one that was met. */
function placeOf(actors: ActorId[], actor: ActorId): number {
  const known = actors.lastIndexOf(actor);
  return known >= 0 ? known : actors.push(actor) - 1;
}
