import {
  clusterId,
  encodeCommand,
  generation,
  groupEpoch,
  logIndex,
  nodeId,
  shardId,
  term,
  type MemberRecord,
  type NodeId,
  type ShardConfig,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { decodeControlImage, encodeControlImage } from '../control/control-image.ts';
import type { ElectionRecord } from '../election/election-io.ts';
import { recordOperations, recoverElection } from '../election/recover.ts';
import type { StoreOperation } from '../store-operation.ts';
import { prepareForceRecovery } from './force-recovery.ts';
import { foundingImage } from './founding-image.ts';
import { identityOperation } from './node-records.ts';

const SURVIVOR = nodeId('1'.repeat(32));
const LOST = [nodeId('2'.repeat(32)), nodeId('3'.repeat(32))];
const BYSTANDER = nodeId('4'.repeat(32));

function recordOf(id: typeof SURVIVOR): MemberRecord {
  return {
    nodeId: id,
    generation: generation(1),
    address: `${id.slice(0, 1)}:7700`,
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: 1,
  };
}

function shardConfigs(): readonly ShardConfig[] {
  return Array.from({ length: 8 }, (_, shard) => ({
    shard: shardId(shard, 8),
    epoch: 5 + shard,
    stage: 'stable',
    primary: LOST[0] as NodeId,
    primaryGeneration: generation(1),
    replicas: [SURVIVOR, ...LOST],
    next: [],
    session: 0,
  }));
}

/** A voter of three whose log ends with an entry that may never have been committed. */
function directory(): Map<string, Uint8Array> {
  const members = [SURVIVOR, ...LOST, BYSTANDER].map(recordOf);
  const voters = [SURVIVOR, ...LOST];
  const config = { voters, votersOutgoing: [], learners: [] };
  const image = foundingImage({
    clusterId: clusterId('c'.repeat(32)),
    founder: SURVIVOR,
    attempt: 1,
    members,
    config,
    targetVoters: 3,
  });
  const shards = { shardCount: 8, replicationFactor: 3, configs: shardConfigs() };
  const command = encodeCommand({ kind: 'setLevel', level: 'readOnly' });
  const record: ElectionRecord = {
    groupEpoch: groupEpoch(1),
    term: term(5),
    vote: SURVIVOR,
    snapshot: {
      index: logIndex(1),
      term: term(1),
      config,
      state: encodeControlImage({ ...image, shards }),
    },
    entries: [
      { index: logIndex(2), term: term(2), payload: { kind: 'blank' } },
      { index: logIndex(3), term: term(5), payload: { kind: 'command', command } },
    ],
  };
  const identity = { nodeId: SURVIVOR, generation: generation(7), clusterId: image.clusterId };
  return apply(new Map(), [identityOperation(identity), ...recordOperations(record)]);
}

function apply(
  records: Map<string, Uint8Array>,
  operations: readonly StoreOperation[],
): Map<string, Uint8Array> {
  for (const operation of operations) {
    if (operation.kind === 'put') records.set(operation.key, operation.value);
    else records.delete(operation.key);
  }
  return records;
}

test('N8: the survivor goes on alone, in a new group epoch, with everything its log holds', () => {
  const recovery = prepareForceRecovery(directory());
  expect(recovery).toMatchObject({ nodeId: SURVIVOR, groupEpoch: 2, lastIndex: 3, expelled: LOST });
  const record = recoverElection(apply(directory(), recovery.operations));
  expect(record).toMatchObject({ groupEpoch: 2, entries: [] });
  expect(record?.snapshot.config).toEqual({ voters: [SURVIVOR], votersOutgoing: [], learners: [] });
  const state = decodeControlImage(record?.snapshot.state ?? new Uint8Array());
  expect(state).toMatchObject({ groupEpoch: 2, index: 3, level: 'readOnly', targetVoters: 1 });
});

test('N8: lost voters are expelled, members without a vote are not', () => {
  const record = recoverElection(apply(directory(), prepareForceRecovery(directory()).operations));
  const state = decodeControlImage(record?.snapshot.state ?? new Uint8Array());
  const standing = Object.fromEntries(state.members.map((m) => [m.nodeId.slice(0, 1), m.status]));
  expect(standing).toEqual({ 1: 'normal', 2: 'expelled', 3: 'expelled', 4: 'normal' });
});

test('C11: the survivor’s shards begin in epochs that the lost voters cannot have used', () => {
  const record = recoverElection(apply(directory(), prepareForceRecovery(directory()).operations));
  const state = decodeControlImage(record?.snapshot.state ?? new Uint8Array());
  expect(state.shards?.configs.map(({ epoch }) => epoch)).toEqual(
    shardConfigs().map(({ epoch }) => 2 ** 24 + epoch + 1),
  );
});

test('N8: a directory without a log of the group is refused with advice', () => {
  expect(() => prepareForceRecovery(new Map())).toThrow(/holds no log of a control group/);
});
