import type { FoundEntry } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { NearShard } from './near-shard.ts';

/**
 * An entry in this process, and the permit to serve it.
 *
 * A permit is given after everything was looked at that forbids serving (`NearCache.permit`), and
 * says until when that stays as it is if nothing happens; whatever happens raises the revision of
 * the shard. So a hit compares two numbers (`isPermitted`) instead of asking all of it again.
 */
export interface NearEntry {
  readonly found: FoundEntry;
  /** It was so when the shard's log was here. */
  readonly index: number;
  readonly shard: NearShard;
  /** Of the shard, when it was kept: after a gap nothing older counts. */
  readonly generation: number;
  /** Milliseconds since 1970, by the cluster's clock; 0 for never. */
  readonly expiresAt: number;
  /**
   * Whole milliseconds of the same clock; below 0 for none. A whole number lies in the object itself,
   * where any other would be one more place in memory to look at with every hit.
   */
  permittedUntilMs: number;
  /** Of the shard, when the permit was given. */
  revision: number;
  /** How old it is at most when the permit ends: whole milliseconds. */
  stalenessMs: number;
  /** Set with every permit; who shows `stalenessMs` to somebody takes it back. */
  isRenewed: boolean;
}

/** Of an entry that may not be served before it has been asked for. */
export const NO_PERMIT = -1;

/** Where entries are kept: bounded by whoever made it. A data structure, no protocol. */
export interface NearStore {
  get(namespace: string, key: string): NearEntry | undefined;
  set(namespace: string, key: string, entry: NearEntry): void;
  /** Drops the entries under this key, of any namespace, that are older than `index`. */
  forget(key: string, index: number): void;
  /** When an entry expires: nobody tells of it then. 0 for never. */
  expiresAtOf(found: FoundEntry): number;
}

/** Whether its permit still holds. False says nothing: `NearCache.permit` has to be asked. */
export function isPermitted(entry: NearEntry, now: Instant): boolean {
  return now <= entry.permittedUntilMs && entry.revision === entry.shard.revision;
}
