import type { GroupConfig, GroupEpoch, LogEntry, LogIndex, NodeId, Term } from '@memgrid/protocol';
import type { StoreOperation } from '../store-operation.ts';
import type { ElectionRecord, Snapshot } from './election-io.ts';
import {
  HARD_KEY,
  indexOfKey,
  LOG_PREFIX,
  putEntry,
  putHard,
  putSnapshot,
  readEntry,
  readHard,
  readSnapshot,
  SNAPSHOT_KEY,
} from './raft-records.ts';

/** What the founders of a group agree on before it exists. */
export interface FoundingState {
  readonly groupEpoch: GroupEpoch;
  readonly config: GroupConfig;
  readonly state: Uint8Array;
}

/**
 * The record with which a group begins: identical at every founder, as if one of them had been
 * elected in term 1 and everybody had received its first entry.
 */
export function initialRecord(plan: FoundingState): ElectionRecord {
  const term = 1 as Term;
  return {
    groupEpoch: plan.groupEpoch,
    term,
    vote: undefined,
    snapshot: { index: 1 as LogIndex, term, config: plan.config, state: plan.state },
    entries: [],
  };
}

/**
 * The record with which one survivor continues alone after the majority was lost for good.
 *
 * The group's epoch rises, so that voters which return later cannot speak to the new group. What
 * the survivor's log held counts as committed: `state` must be the control state at its end.
 * Entries that only the lost majority had are gone; an operator accepts that by asking for this.
 */
export function forceRecoveredRecord(
  old: ElectionRecord,
  self: NodeId,
  state: Uint8Array,
): ElectionRecord {
  const last: Pick<Snapshot, 'index' | 'term'> = old.entries.at(-1) ?? old.snapshot;
  const config: GroupConfig = { voters: [self], votersOutgoing: [], learners: [] };
  return {
    groupEpoch: (old.groupEpoch + 1) as GroupEpoch,
    term: old.term,
    vote: undefined,
    snapshot: { index: last.index, term: last.term, config, state },
    entries: [],
  };
}

/** Everything that makes `record` durable in an empty directory. */
export function recordOperations(record: ElectionRecord): readonly StoreOperation[] {
  return [putHard(record), putSnapshot(record.snapshot), ...record.entries.map(putEntry)];
}

/**
 * Reads back what this machine stored; undefined when it never stored anything.
 *
 * @throws Error naming the key and the problem. A node must not vote from a record with holes:
 * it could elect a leader that lacks committed entries.
 */
export function recoverElection(
  records: ReadonlyMap<string, Uint8Array>,
): ElectionRecord | undefined {
  const entries = recoverEntries(records);
  if (!records.has(HARD_KEY) && !records.has(SNAPSHOT_KEY) && entries.length === 0)
    return undefined;
  const hard = decoded(HARD_KEY, records, readHard);
  const snapshot = decoded(SNAPSHOT_KEY, records, readSnapshot);
  if (snapshot.term > hard.term) {
    throw problem(
      SNAPSHOT_KEY,
      `its term ${snapshot.term} is beyond the current term ${hard.term}`,
    );
  }
  checkEntries(entries, { snapshot, term: hard.term });
  return {
    groupEpoch: hard.groupEpoch,
    term: hard.term,
    vote: hard.vote,
    snapshot,
    entries: entries.map(({ entry }) => entry),
  };
}

interface KeyedEntry {
  readonly key: string;
  readonly entry: LogEntry;
}

function recoverEntries(records: ReadonlyMap<string, Uint8Array>): readonly KeyedEntry[] {
  const entries: KeyedEntry[] = [];
  for (const key of records.keys()) {
    if (!key.startsWith(LOG_PREFIX)) continue;
    const index = indexOfKey(key);
    if (index === undefined) throw problem(key, 'its name holds no index of 16 hex digits');
    const entry = decoded(key, records, readEntry);
    if (entry.index !== index) throw problem(key, `it holds entry ${entry.index}, not ${index}`);
    entries.push({ key, entry });
  }
  return entries.sort((a, b) => a.entry.index - b.entry.index);
}

function checkEntries(
  entries: readonly KeyedEntry[],
  bounds: { readonly snapshot: Snapshot; readonly term: Term },
): void {
  const { snapshot, term } = bounds;
  let behind: LogEntry | undefined;
  for (const { key, entry } of entries) {
    if (behind === undefined && entry.index > snapshot.index + 1) {
      throw problem(key, `the log begins there, but the snapshot ends at ${snapshot.index}`);
    }
    if (behind !== undefined && entry.index !== behind.index + 1) {
      throw problem(key, `the entry before it is ${behind.index}, so the log has a gap`);
    }
    if (behind !== undefined && entry.term < behind.term) {
      throw problem(
        key,
        `its term ${entry.term} is before term ${behind.term} of the entry before`,
      );
    }
    if (entry.term > term) {
      throw problem(key, `its term ${entry.term} is beyond the current term ${term}`);
    }
    if (entry.index === snapshot.index && entry.term !== snapshot.term) {
      throw problem(key, `its term ${entry.term} is not the snapshot's ${snapshot.term}`);
    }
    behind = entry;
  }
  const last = entries.at(-1);
  if (last !== undefined && last.entry.index < snapshot.index) {
    throw problem(last.key, `the log ends there, but the snapshot ends at ${snapshot.index}`);
  }
}

function decoded<T>(
  key: string,
  records: ReadonlyMap<string, Uint8Array>,
  read: (bytes: Uint8Array) => T,
): T {
  const bytes = records.get(key);
  if (bytes === undefined) throw problem(key, 'it is missing, but other parts are there');
  try {
    return read(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The stored record "${key}" cannot be read: ${why}`, { cause: error });
  }
}

function problem(key: string, what: string): Error {
  return new Error(`The stored record "${key}" cannot be used: ${what}.`);
}
