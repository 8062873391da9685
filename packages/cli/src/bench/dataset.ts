/** Entries per scope: what the workload `list` reads. */
export const SCOPE_ENTRIES = 100;
/** Entries that one operation of the workload `batch` stores. */
export const BATCH_ENTRIES = 50;

/** `turns`: what people said, about 250 bytes with metadata; the others: bytes of text. */
export const DATASET_SIZES = ['turns', '100', '1024', '16384'] as const;

export type DatasetSize = (typeof DATASET_SIZES)[number];

/** One entry, as an application has it. */
export interface BenchEntry {
  readonly id: string;
  /** The scope that it belongs to. */
  readonly userId: string;
  readonly content: string;
  readonly metadata: Readonly<Record<string, string | number>>;
}

/**
 * The entries that every subject of a run stores and reads: number `n` is the same entry for all of
 * them. Everything is made beforehand, so that no subject is measured making it.
 */
export interface Dataset {
  readonly size: DatasetSize;
  /** Where the texts come from: `file` is the one that was named. */
  readonly source: 'file' | 'sample' | 'synthetic';
  /** Entries, a multiple of `SCOPE_ENTRIES`: numbers are 0 to `count - 1`. */
  readonly count: number;
  /** `count / SCOPE_ENTRIES`; scope `s` has the entries from `s * SCOPE_ENTRIES` on. */
  readonly scopes: number;
  /** Mean bytes of `text`. */
  readonly bytesMean: number;
  entry(n: number): BenchEntry;
  /** `userId:id`, for stores that have one key. */
  key(n: number): string;
  /** `content` and `metadata` as JSON, for stores of bytes. */
  text(n: number): string;
  /** The number of an entry by its `id`; undefined for a stranger. */
  numberOf(id: string): number | undefined;
}
