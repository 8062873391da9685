import type { Operation, OperationBody, ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { LocalOperation } from '../shards/shards-io.ts';
import { StorageRoom } from './storage-room.ts';

const key = { namespace: 'acme', key: 'a' } as const;
const condition = { kind: 'always' } as const;
const BODIES: readonly OperationBody[] = [
  { kind: 'put', ...key, entry: new Uint8Array(1), condition },
  { kind: 'get', ...key },
  { kind: 'update', ...key, patch: new Uint8Array(1), condition },
  { kind: 'delete', ...key, condition },
  { kind: 'history', ...key },
];

const operations: readonly LocalOperation[] = BODIES.map((body, index) => ({
  token: index + 1,
  operation: { id: 10 + index, shard: 3 as ShardId, body } as Operation,
}));

function kindsOf(room: StorageRoom): { admitted: string; refused: number } {
  const { admitted, refused } = room.admit(operations);
  return {
    admitted: admitted.map(({ operation }) => operation.body.kind).join(' '),
    refused: refused.length,
  };
}

const ALL = { admitted: 'put get update delete history', refused: 0 };
const NO_WRITES = { admitted: 'get delete history', refused: 2 };

test('a full disk refuses what takes room, until there is clearly some again', () => {
  const room = new StorageRoom();
  expect(kindsOf(room)).toEqual(ALL);
  room.tell(999, 1000);
  expect(kindsOf(room)).toEqual(ALL);
  room.tell(1000, 1000);
  expect(kindsOf(room)).toEqual(NO_WRITES);
  room.tell(960, 1000);
  expect(kindsOf(room)).toEqual(NO_WRITES);
  room.tell(940, 1000);
  expect(kindsOf(room)).toEqual(ALL);
  room.tell(960, 1000);
  expect(kindsOf(room)).toEqual(ALL);
});

test('the refusal says how full the disk is, and that nothing was applied', () => {
  const room = new StorageRoom();
  room.tell(1001, 1000);
  const [first] = room.admit(operations).refused;
  expect(first?.token).toBe(1);
  expect(first?.answer).toMatchObject({ id: 10, shard: 3 });
  expect(first?.answer.result).toMatchObject({
    kind: 'failed',
    code: 'STORAGE_FULL',
    applied: 'no',
    message: 'The node holds 1001 bytes; at most 1000 are allowed.',
  });
});
