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

interface KeptOutcome {
  readonly operationId: string;
  /** When the id was made, in milliseconds since 1970. */
  readonly ms: number;
  readonly outcome: RememberedOperation;
}

/** Many outcomes as one record of the disk. */
export interface OutcomeRecord {
  readonly value: Uint8Array;
  /** When the youngest of its ids was made, in milliseconds since 1970. */
  readonly youngestMs: number;
}

const words = new Uint32Array(ID_WORDS);

/** Room to begin with. With every shard of a node awake, all of it is two megabytes. */
const ROWS_KEPT = 32;

/**
 * Outcomes on their way to the disk, as bytes from the first moment: kept as objects until the next
 * flush, each would be five that the garbage collector has to carry to where it keeps the old.
 */
export class OutcomeRows {
  #rows = new Uint8Array(0);
  #view = new DataView(this.#rows.buffer);
  #end = 0;
  #actors: ActorId[] = [];
  #youngestMs = 0;

  get count(): number {
    return this.#end / ROW_BYTES;
  }

  /** Text that is no operation id is left out. At most `OUTCOMES_MAX` in all. */
  add(operationId: string, outcome: RememberedOperation): void {
    if (!writeIdWords(operationId, words)) return;
    this.#makeRoom();
    this.#youngestMs = Math.max(this.#youngestMs, msOfIdWords(words));
    const actor = placeOf(this.#actors, outcome.version.dot.actor);
    writeRow(this.#view, this.#end, outcome, actor);
    this.#end += ROW_BYTES;
  }

  /** All of them as one record; none is left. */
  take(): OutcomeRecord {
    const rows = this.#rows.subarray(0, this.#end);
    const value = encodeValue(tableField, { actors: this.#actors, rows });
    const record = { value, youngestMs: this.#youngestMs };
    this.#actors = [];
    this.#youngestMs = 0;
    this.#end = 0;
    if (this.#rows.byteLength > ROWS_KEPT * ROW_BYTES) this.#resize(0);
    return record;
  }

  #makeRoom(): void {
    const { byteLength } = this.#rows;
    if (this.#end < byteLength) return;
    this.#resize(byteLength === 0 ? ROWS_KEPT * ROW_BYTES : 2 * byteLength);
  }

  #resize(byteLength: number): void {
    const rows = new Uint8Array(byteLength);
    rows.set(this.#rows.subarray(0, this.#end));
    this.#rows = rows;
    this.#view = new DataView(rows.buffer);
  }
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
