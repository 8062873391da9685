import type { ShardId } from '@memgrid/protocol';
import { invariant } from '../assert.ts';

/**
 * Where entries lie on disk: `shard/<shard>/<slot>/e/<key>`, the shard as four hexadecimal
 * digits, the slot as one, the key as it is. Everything else under `shard/` is small enough to be
 * read into memory at start; entries are streamed into the table.
 */
const ENTRY_KEY = /^shard\/([0-9a-f]{4})\/([0-9a-f])\/e\/(.*)$/s;

export interface EntryKey {
  readonly shard: ShardId;
  readonly slot: number;
  /** `storedKey(namespace, id)`. */
  readonly key: string;
}

/** The disk key of one entry. */
export function entryKey(shard: ShardId, slot: number, key: string): string {
  return entryKeyPrefix(shard, slot) + key;
}

/** What the disk keys of all entries of one slot begin with. */
export function entryKeyPrefix(shard: ShardId, slot: number): string {
  if (!Number.isInteger(slot) || slot < 0 || slot > 0xf) {
    invariant(false, `No such slot: ${slot}.`);
  }
  return `${shardKeyPrefix(shard)}${slot.toString(16)}/e/`;
}

/** Whether a disk key is that of an entry. */
export function isEntryKey(diskKey: string): boolean {
  return ENTRY_KEY.test(diskKey);
}

/** The parts of an entry's disk key; undefined for any other key. */
export function parseEntryKey(diskKey: string): EntryKey | undefined {
  const match = ENTRY_KEY.exec(diskKey);
  if (match === null) return undefined;
  const [, shard = '', slot = '', key = ''] = match;
  return { shard: Number.parseInt(shard, 16) as ShardId, slot: Number.parseInt(slot, 16), key };
}

const SHARD_KEY = /^shard\/([0-9a-f]{4})\//;
const ORPHAN_KEY = /^shard\/[0-9a-f]{4}\/r\//;

/** The shard that a record on disk belongs to; undefined for any other record. */
export function shardOfKey(diskKey: string): ShardId | undefined {
  const digits = SHARD_KEY.exec(diskKey)?.[1];
  return digits === undefined ? undefined : (Number.parseInt(digits, 16) as ShardId);
}

/** Whether a disk key is that of a write that only this node has. */
export function isOrphanKey(diskKey: string): boolean {
  return ORPHAN_KEY.test(diskKey);
}

/** What the disk keys of all records of one shard begin with. */
export function shardKeyPrefix(shard: ShardId): string {
  if (!Number.isInteger(shard) || shard < 0 || shard > 0xffff) {
    invariant(false, `No such shard: ${shard}.`);
  }
  return `shard/${shard.toString(16).padStart(4, '0')}/`;
}
