import type { Timestamp } from '@memgrid/protocol';
import { countField, decodeValue, encodeValue, struct, timestampField } from '@memgrid/protocol';
import type { ShardCopy } from '../shard-copy.ts';

/**
 * What a copy has forgotten: travels with a stream under the operation id '', because whoever
 * takes the copy over has to refuse what the giver would have refused.
 */
export interface StreamedFloor {
  readonly operations: number;
  readonly collectedUpTo: number;
  readonly collectedAt: Timestamp;
}

const floorField = struct<StreamedFloor>({
  operations: countField,
  collectedUpTo: countField,
  collectedAt: timestampField,
});

export function encodeFloor({ operations, collectedUpTo, collectedAt }: ShardCopy): Uint8Array {
  return encodeValue(floorField, { operations: operations.floor, collectedUpTo, collectedAt });
}

/** @throws WireError for bytes that are none. */
export function decodeFloor(bytes: Uint8Array): StreamedFloor {
  return decodeValue(floorField, bytes, 'floor');
}
