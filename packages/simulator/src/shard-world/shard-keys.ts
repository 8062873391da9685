import { decodeValue, encodeValue, entryBodyField, shardOfEntry } from '@memgrid/protocol';
import type { EntryBody, ShardId } from '@memgrid/protocol';

/** What is promised of a key depends on how it is used, so each is used in one way only. */
export type KeyClass =
  /** Written, compared, deleted and read at quorum and strong: linearizable. */
  | 'register'
  /** Written at quorum, read at one with a token: never older than what the session knows. */
  | 'session'
  /** Written once, at quorum, and never again: must be there at the end. */
  | 'ledger'
  /** Everything at every level: what was deleted stays deleted. */
  | 'mixed'
  /** With an expiry. */
  | 'expiring';

export interface WorldKey {
  readonly shard: ShardId;
  readonly keyClass: KeyClass;
  readonly key: string;
}

export const NAMESPACE = 'w';

const EMPTY_BODY: EntryBody = {
  userId: 'u',
  agentId: '',
  appId: '',
  runId: '',
  content: '',
  category: '',
  categories: [],
  metadata: {},
  createdAt: 0,
  updatedAt: 0,
  expiresAt: 0,
  immutable: false,
  schema: '',
  schemaVersion: 0,
  checksum: '',
  upstreamId: '',
  upstreamState: 'none',
  upstreamHash: '',
  upstreamConfirmedAt: 0,
  superseded: [],
};

/** An entry that holds nothing but a text. */
export function entryOf(content: string, expiresAt: number, userId = 'u'): Uint8Array {
  return encodeValue(entryBodyField, { ...EMPTY_BODY, content, expiresAt, userId });
}

/** Names a user whose entries are in each shard of a cluster that has so many. */
export function ownersByShard(shardCount: number): (shard: ShardId) => string {
  const owners = new Map<number, string>();
  for (let number = 0; owners.size < shardCount; number += 1) {
    const userId = `u${number}`;
    const address = { ...EMPTY_BODY, namespace: NAMESPACE, userId, key: '' };
    const shard = shardOfEntry(address, shardCount);
    if (!owners.has(shard)) owners.set(shard, userId);
  }
  return (shard) => owners.get(shard) ?? '';
}

/** The text of `entryOf`. */
export function contentOf(entry: Uint8Array): string {
  return decodeValue(entryBodyField, entry).content;
}
