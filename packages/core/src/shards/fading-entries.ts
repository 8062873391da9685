import type { StoredWrite } from '@memgrid/protocol';
import type { StoreOperation } from '../store-operation.ts';
import { encodeFading, type Fading } from './shard-records.ts';

/**
 * The entries of one copy that are not for ever: tombstones, and entries that expire. Found here
 * when their time has come, so that nobody has to look through all the others.
 */
export class FadingEntries {
  readonly #byKey: Map<string, Fading>;
  readonly #onDisk: Set<string>;

  constructor(recovered: Iterable<readonly [string, Fading]> = []) {
    this.#byKey = new Map(recovered);
    this.#onDisk = new Set(this.#byKey.keys());
  }

  get count(): number {
    return this.#byKey.size;
  }

  /** Of which the disk knows. */
  get keysOnDisk(): Iterable<string> {
    return this.#onDisk;
  }

  /** A key has a new winner. */
  note(key: string, index: number, { kind, timestamp, expiresAt }: StoredWrite): void {
    const writtenMs = timestamp.ms;
    if (kind === 'delete') {
      this.#byKey.set(key, { index, ms: writtenMs, writtenMs, kind: 'tombstone' });
    } else if (expiresAt !== 0) {
      this.#byKey.set(key, { index, ms: expiresAt, writtenMs, kind: 'expiry' });
    } else if (this.#byKey.size > 0) {
      this.#byKey.delete(key);
    }
  }

  /** Whether the key fades, or the disk believes so: most do not, and are asked about all the time. */
  isConcerned(key: string): boolean {
    return (
      (this.#byKey.size > 0 && this.#byKey.has(key)) ||
      (this.#onDisk.size > 0 && this.#onDisk.has(key))
    );
  }

  /** When a fading entry was written; undefined for one that stays. */
  writtenMs(key: string): number | undefined {
    return this.#byKey.get(key)?.writtenMs;
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** Keys whose tombstone was written by a record up to `index`. */
  tombstonesUpTo(index: number): readonly string[] {
    return [...this.#byKey]
      .filter(([, fading]) => fading.kind === 'tombstone' && fading.index <= index)
      .map(([key]) => key);
  }

  /** The highest index up to which all tombstones are older than `ms`, and some are; else 0. */
  collectableUpTo(ms: number): number {
    let youngest = Number.MAX_SAFE_INTEGER;
    let highest = 0;
    for (const fading of this.#byKey.values()) {
      if (fading.kind !== 'tombstone') continue;
      if (fading.ms > ms) youngest = Math.min(youngest, fading.index);
      else highest = Math.max(highest, fading.index);
    }
    return Math.min(highest, youngest - 1);
  }

  /** Keys that expired before `ms`, at most `limit`. */
  expiredBefore(ms: number, limit: number): readonly string[] {
    const keys: string[] = [];
    for (const [key, fading] of this.#byKey) {
      if (keys.length >= limit) break;
      if (fading.kind === 'expiry' && fading.ms <= ms) keys.push(key);
    }
    return keys;
  }

  /** When the first of them is due, given how long each kind is kept. Undefined for none. */
  dueMs(keptMs: number): number | undefined {
    let due: number | undefined;
    for (const { ms } of this.#byKey.values()) {
      if (due === undefined || ms + keptMs < due) due = ms + keptMs;
    }
    return due;
  }

  /** What the disk has to do so that it knows the same about `key`; undefined for nothing. */
  operation(diskKey: string, key: string): StoreOperation | undefined {
    const fading = this.#byKey.get(key);
    if (fading === undefined) {
      return this.#onDisk.delete(key) ? { kind: 'delete', key: diskKey } : undefined;
    }
    this.#onDisk.add(key);
    return { kind: 'put', key: diskKey, value: encodeFading(fading) };
  }
}
