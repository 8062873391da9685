import {
  bareEntry,
  decodeValue,
  encodeValue,
  entryBodyField,
  entryPatchField,
  shardOfEntry,
} from '@memgrid/protocol';
import type { Scope, ShardId } from '@memgrid/protocol';

/** What is promised of a key depends on how it is used, so each is used in one way only. */
export type KeyClass =
  /** Written, patched, compared, deleted and read at quorum and strong: linearizable. */
  | 'register'
  /** Written at quorum, read at one with a token: never older than what the session knows. */
  | 'session'
  /** Written once, at quorum, and never again: must be there at the end. */
  | 'ledger'
  /** Everything at every level: what was deleted stays deleted. */
  | 'mixed'
  /** With an expiry. */
  | 'expiring'
  /** An element of a set: written once, perhaps deleted once, and listed. */
  | 'element';

export interface WorldKey {
  readonly shard: ShardId;
  readonly keyClass: KeyClass;
  readonly key: string;
}

export const NAMESPACE = 'w';

/** The run of the elements of sets: nothing else of their owner belongs to it. */
export const ELEMENTS = 'elements';

/** What a list of an owner's entries asks for; `runId` '' for all of them. */
export function scopeOf(userId: string, runId: string): Scope {
  return { namespace: NAMESPACE, userId, agentId: '', appId: '', runId };
}

/** The elements of sets among an owner's keys. */
export function elementsAmong(keys: readonly string[]): readonly string[] {
  return keys.filter((key) => key.startsWith('e'));
}

/** The two texts of an entry: equal until one of them is patched. */
export interface EntryTexts {
  readonly content: string;
  readonly category: string;
}

/** An entry that holds nothing but a text, twice. */
export function entryOf(
  content: string,
  expiresAt: number,
  owner: Partial<Omit<Scope, 'namespace'>> = { userId: 'u' },
): Uint8Array {
  const texts: EntryTexts = { content, category: content };
  return encodeValue(entryBodyField, bareEntry({ userId: 'u', ...texts, expiresAt, ...owner }));
}

/** Replaces one of the texts. */
export function patchOf(texts: Partial<EntryTexts>): Uint8Array {
  return encodeValue(entryPatchField, { ...texts });
}

/** Names a user whose entries are in each shard of a cluster that has so many. */
export function ownersByShard(shardCount: number): (shard: ShardId) => string {
  const owners = new Map<number, string>();
  for (let number = 0; owners.size < shardCount; number += 1) {
    const userId = `u${number}`;
    const address = { ...scopeOf(userId, ''), key: '' };
    const shard = shardOfEntry(address, shardCount);
    if (!owners.has(shard)) owners.set(shard, userId);
  }
  return (shard) => owners.get(shard) ?? '';
}

/** The texts of `entryOf`, patched or not. */
export function textsOf(entry: Uint8Array): EntryTexts {
  const { category, content } = decodeValue(entryBodyField, entry);
  return { content, category };
}

/** The text of `entryOf`. */
export function contentOf(entry: Uint8Array): string {
  return decodeValue(entryBodyField, entry).content;
}
