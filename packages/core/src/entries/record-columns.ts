/** Where each number of a record stands within its row. */
export const FIELD = {
  /** The number of its slab; of a free row, the next free one. */
  slab: 0,
  /** Where it begins in the slab. */
  offset: 1,
  /** Code units of the key in the low half, above them `FLAG`s, and twelve bits of the key's hash. */
  key: 2,
  /** Bytes of the state, also of a state that is only on disk. */
  stateBytes: 3,
  epoch: 4,
  indexHigh: 5,
  indexLow: 6,
  /** The record behind it in its chain of the hash index. */
  next: 7,
} as const;

/** Fields of 32 bits; a power of two, so that a row never straddles two cache lines. */
const ROW_WORDS = 8;
const ROWS_SHIFT = 12;
const ROWS = 1 << ROWS_SHIFT;
const SEGMENT_BYTES = ROWS * ROW_WORDS * Uint32Array.BYTES_PER_ELEMENT;

/**
 * A growing table of small numbers, one row a record, named by a number from 1 on.
 *
 * It grows by whole segments: nothing is ever copied to a larger array, which at a million rows
 * would stop the process for tens of milliseconds.
 */
export class RecordColumns {
  readonly #segments: Uint32Array[] = [];
  /** Rows handed out so far; row 0 stays unused, so that 0 can mean "none". */
  #used = 1;
  #firstFree = 0;

  get bytes(): number {
    return this.#segments.length * SEGMENT_BYTES;
  }

  /** A row whose fields are undefined. */
  take(): number {
    if (this.#firstFree !== 0) {
      const row = this.#firstFree;
      this.#firstFree = this.get(row, FIELD.slab);
      return row;
    }
    const row = this.#used;
    if (row >>> ROWS_SHIFT === this.#segments.length) {
      this.#segments.push(new Uint32Array(ROWS * ROW_WORDS));
    }
    this.#used += 1;
    return row;
  }

  /** The row may be taken again. */
  free(row: number): void {
    this.set(row, FIELD.slab, this.#firstFree);
    this.#firstFree = row;
  }

  get(row: number, field: number): number {
    const segment = this.#segments[row >>> ROWS_SHIFT] as Uint32Array;
    return segment[(row & (ROWS - 1)) * ROW_WORDS + field] as number;
  }

  set(row: number, field: number, value: number): void {
    const segment = this.#segments[row >>> ROWS_SHIFT] as Uint32Array;
    segment[(row & (ROWS - 1)) * ROW_WORDS + field] = value;
  }
}
