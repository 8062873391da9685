import type { GroupConfig, LogEntry, LogIndex, Term } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { Snapshot } from './election-io.ts';

/** How much of the log to read at once. */
export interface SliceBounds {
  /** The last index that may be part of it. */
  readonly to: LogIndex;
  readonly entriesMax: number;
  /** At least one entry is read even if it alone is larger. */
  readonly bytesMax: number;
}

interface ConfigAt {
  readonly index: LogIndex;
  readonly config: GroupConfig;
}

/** `index` moved by `delta`. */
export function plus(index: LogIndex, delta: number): LogIndex {
  return (index + delta) as LogIndex;
}

/** About what an entry takes on the wire and on disk. */
export function entryBytes(entry: LogEntry): number {
  const { payload } = entry;
  switch (payload.kind) {
    case 'blank':
      return 16;
    case 'command':
      return 16 + payload.command.length;
    case 'config': {
      const { voters, votersOutgoing, learners } = payload.config;
      return 16 + 18 * (voters.length + votersOutgoing.length + learners.length);
    }
  }
}

/**
 * A snapshot and the entries after it, as far as this process has them in memory; what of it is
 * durable is `Storage`'s business.
 *
 * Invariants: entries are contiguous and end at or after the snapshot; their terms never
 * decrease. A few entries from before the snapshot may be kept for peers that are a little behind.
 * The configuration in force is that of the last configuration entry, committed or not
 * (`docs/decisions/0006-configuration-at-append.md`).
 */
export class Log {
  #snapshot: Snapshot;
  #entries: LogEntry[];
  /** The snapshot's configuration and every later one, oldest first. Never empty. */
  #configs: ConfigAt[];
  #bytesAfterSnapshot = 0;

  constructor(snapshot: Snapshot, entries: readonly LogEntry[]) {
    this.#snapshot = snapshot;
    this.#entries = [];
    this.#configs = [{ index: snapshot.index, config: snapshot.config }];
    const first = entries[0];
    if (first === undefined) return;
    invariant(first.index <= snapshot.index + 1, 'The log begins after its snapshot.');
    for (const entry of entries) this.#push(entry);
    invariant(this.lastIndex >= snapshot.index, 'The log ends before its snapshot.');
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The first index that can be read; one more than the last when there is none. */
  get firstIndex(): LogIndex {
    return this.#entries[0]?.index ?? plus(this.#snapshot.index, 1);
  }

  get lastIndex(): LogIndex {
    return this.#entries.at(-1)?.index ?? this.#snapshot.index;
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#snapshot.term;
  }

  get config(): GroupConfig {
    return (this.#configs.at(-1) as ConfigAt).config;
  }

  get configIndex(): LogIndex {
    return (this.#configs.at(-1) as ConfigAt).index;
  }

  /** Bytes of the entries after the snapshot. */
  get bytesAfterSnapshot(): number {
    return this.#bytesAfterSnapshot;
  }

  entry(index: LogIndex): LogEntry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  /** The term of the entry at `index`; undefined when it is not there or compacted away. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.#snapshot.index) return this.#snapshot.term;
    if (index === 0) return 0 as Term;
    return this.entry(index)?.term;
  }

  /** Whether a candidate's log may win against ours (Raft paper, section 5.4.1). */
  isBehindOrEqual(lastIndex: LogIndex, lastTerm: Term): boolean {
    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm;
    return lastIndex >= this.lastIndex;
  }

  /**
   * The largest index up to `from` whose term is at most `term`: everything between it and
   * `from` cannot agree with a log whose term there is `term`, so it need not be tried.
   */
  lastIndexUpToTerm(from: LogIndex, term: Term): { index: LogIndex; term: Term } {
    let index = from < this.lastIndex ? from : this.lastIndex;
    while (index > 0) {
      const there = this.termAt(index);
      if (there === undefined) return { index, term: 0 as Term };
      if (there <= term) return { index, term: there };
      index = plus(index, -1);
    }
    return { index: 0 as LogIndex, term: 0 as Term };
  }

  /** Entries from `from` on, within the bounds. Requires `from >= firstIndex`. */
  slice(from: LogIndex, bounds: SliceBounds): readonly LogEntry[] {
    invariant(from >= this.firstIndex, `Entry ${from} was compacted away.`);
    const start = from - this.firstIndex;
    const end = Math.min(bounds.to - this.firstIndex + 1, start + bounds.entriesMax);
    const result: LogEntry[] = [];
    let bytes = 0;
    for (let at = start; at < end; at += 1) {
      const entry = this.#entries[at];
      if (entry === undefined) break;
      bytes += entryBytes(entry);
      if (bytes > bounds.bytesMax && result.length > 0) break;
      result.push(entry);
    }
    return result;
  }

  /** Adds an entry right behind the last. */
  append(entry: LogEntry): void {
    this.#push(entry);
  }

  /** Forgets `index` and everything behind it, and the configurations that they brought. */
  truncateFrom(index: LogIndex): void {
    invariant(index > this.#snapshot.index, `Entry ${index} is part of the snapshot.`);
    const at = index - this.firstIndex;
    for (const entry of this.#entries.slice(at)) this.#bytesAfterSnapshot -= entryBytes(entry);
    this.#entries.length = Math.min(at, this.#entries.length);
    while (this.configIndex >= index) this.#configs.pop();
  }

  /** The configuration in force at `index`, which is not before the snapshot. */
  configAt(index: LogIndex): GroupConfig {
    const found = this.#configs.findLast((it) => it.index <= index);
    invariant(found !== undefined, `The configuration at ${index} was compacted away.`);
    return found.config;
  }

  /** The configuration in force at `index` and every later one. */
  configsFrom(index: LogIndex): readonly GroupConfig[] {
    const later = this.#configs.filter((it) => it.index > index).map((it) => it.config);
    return [this.configAt(index), ...later];
  }

  /** Starts again from a leader's snapshot. */
  reset(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#entries = [];
    this.#configs = [{ index: snapshot.index, config: snapshot.config }];
    this.#bytesAfterSnapshot = 0;
  }

  /** Replaces the snapshot by a later one within the log; returns the indexes it forgot. */
  compact(snapshot: Snapshot, trailingEntries: number): readonly LogIndex[] {
    invariant(this.entry(snapshot.index) !== undefined, 'A snapshot must end inside the log.');
    const keepFrom = snapshot.index - trailingEntries + 1;
    const dropCount = Math.max(0, keepFrom - this.firstIndex);
    const dropped = this.#entries.splice(0, dropCount).map((entry) => entry.index);
    const kept = this.#configs.filter((it) => it.index > snapshot.index);
    this.#snapshot = snapshot;
    this.#configs = [{ index: snapshot.index, config: snapshot.config }, ...kept];
    this.#bytesAfterSnapshot = this.#entries
      .filter((entry) => entry.index > snapshot.index)
      .reduce((sum, entry) => sum + entryBytes(entry), 0);
    return dropped;
  }

  #push(entry: LogEntry): void {
    const behind = this.#entries.at(-1);
    if (behind !== undefined || entry.index > this.#snapshot.index) {
      invariant(entry.index === this.lastIndex + 1, `Entry ${entry.index} leaves a gap.`);
      invariant(entry.term >= this.lastTerm, `The term of entry ${entry.index} goes back.`);
    }
    this.#entries.push(entry);
    // What lies before the snapshot was decided already: its configuration is the snapshot's.
    if (entry.index <= this.#snapshot.index) return;
    this.#bytesAfterSnapshot += entryBytes(entry);
    if (entry.payload.kind === 'config') {
      this.#configs.push({ index: entry.index, config: entry.payload.config });
    }
  }
}
