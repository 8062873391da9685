import {
  clusterIdField,
  countField,
  decodeFoundingPlan,
  decodeValue,
  encodeFoundingPlan,
  encodeValue,
  extensible,
  generationField,
  nodeIdField,
  optional,
  type ClusterId,
  type FoundingPlan,
} from '@memgrid/protocol';
import type { FoundingPromise } from '../bootstrap/founding-io.ts';
import { decodeControlImage } from '../control/control-image.ts';
import { ControlState } from '../control/control-state.ts';
import { recoverElection } from '../election/recover.ts';
import type { ElectionRecord } from '../election/election-io.ts';
import type { Identity } from '../node-io.ts';
import type { StoreOperation } from '../store-operation.ts';

/** The keys of a node's own records. The election machine keeps its own below `raft/`. */
export const RECORD_KEYS = {
  identity: 'node/identity',
  clockBound: 'node/clock-bound',
  foundingAttempt: 'founding/attempt',
  foundingPlan: 'founding/plan',
  /** The control state of a node outside the control group. */
  controlState: 'control/state',
} as const;

const identityField = extensible<Identity>({
  nodeId: nodeIdField,
  generation: generationField,
  clusterId: optional<ClusterId>(clusterIdField),
});

/** Everything that a data directory says about its node. */
export interface RecoveredNode {
  readonly identity: Identity | undefined;
  readonly clockBoundMs: number;
  readonly promise: FoundingPromise | undefined;
  readonly election: ElectionRecord | undefined;
  readonly control: ControlState | undefined;
}

/**
 * Reads all records of a data directory.
 *
 * @throws Error naming the key and the problem when a record is damaged: a node must not guess
 *   what it once promised.
 */
export function recoverNode(records: ReadonlyMap<string, Uint8Array>): RecoveredNode {
  const identity = read(records, RECORD_KEYS.identity, (bytes) =>
    decodeValue(identityField, bytes, 'identity'),
  );
  const election = recoverElection(records);
  const stored = read(records, RECORD_KEYS.controlState, decodeControlImage);
  // A newcomer may have stored a term or a vote before the first snapshot reached it.
  const hasSnapshot = election !== undefined && election.snapshot.state.length > 0;
  const fromGroup = hasSnapshot ? decodeControlImage(election.snapshot.state) : undefined;
  const image =
    stored === undefined || (fromGroup !== undefined && fromGroup.index >= stored.index)
      ? fromGroup
      : stored;
  return {
    identity,
    clockBoundMs: read(records, RECORD_KEYS.clockBound, decodeCount) ?? 0,
    promise: recoverPromise(records),
    election,
    control: image === undefined ? undefined : new ControlState(image),
  };
}

export function identityOperation(identity: Identity): StoreOperation {
  return put(RECORD_KEYS.identity, encodeValue(identityField, identity));
}

export function clockBoundOperation(boundMs: number): StoreOperation {
  return put(RECORD_KEYS.clockBound, encodeValue(countField, boundMs));
}

export function promiseOperations(promise: FoundingPromise): readonly StoreOperation[] {
  const attempt = put(RECORD_KEYS.foundingAttempt, encodeValue(countField, promise.attempt));
  if (promise.plan === undefined) return [attempt];
  return [attempt, put(RECORD_KEYS.foundingPlan, encodeFoundingPlan(promise.plan))];
}

export function controlStateOperation(image: Uint8Array): StoreOperation {
  return put(RECORD_KEYS.controlState, image);
}

function recoverPromise(records: ReadonlyMap<string, Uint8Array>): FoundingPromise | undefined {
  const attempt = read(records, RECORD_KEYS.foundingAttempt, decodeCount);
  const plan = read<FoundingPlan>(records, RECORD_KEYS.foundingPlan, decodeFoundingPlan);
  if (attempt === undefined && plan === undefined) return undefined;
  return { plan, attempt: attempt ?? 0 };
}

function decodeCount(bytes: Uint8Array): number {
  return decodeValue(countField, bytes, 'count');
}

function read<T>(
  records: ReadonlyMap<string, Uint8Array>,
  key: string,
  decode: (bytes: Uint8Array) => T,
): T | undefined {
  const bytes = records.get(key);
  if (bytes === undefined) return undefined;
  try {
    return decode(bytes);
  } catch (error) {
    throw new Error(`The record "${key}" is damaged.`, { cause: error });
  }
}

function put(key: string, value: Uint8Array): StoreOperation {
  return { kind: 'put', key, value };
}
