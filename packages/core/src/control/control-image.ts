import {
  checked,
  clusterIdField,
  decodeValue,
  declaredLevelField,
  encodeValue,
  extensible,
  featureStateField,
  groupEpochField,
  integer,
  LIMITS,
  list,
  logIndexField,
  memberRecordField,
  memberStatusField,
  optional,
  SHARD_COUNT_MAX,
  shardTableField,
  struct,
  termField,
  text,
  uint,
  WireError,
  type MemberRecord,
  type MemberStatus,
} from '@memgrid/protocol';
import type { ControlImage } from './control-state.ts';
import { registryImageField } from '../schema-registry/registry-image.ts';
import type { ShardTableImage } from './shard-table.ts';

/** Members of one cluster, those that left or were expelled included. */
const MEMBERS_MAX = 10_000;

interface StoredMember {
  readonly record: MemberRecord;
  readonly status: MemberStatus;
}

type StoredImage = Omit<ControlImage, 'members'> & { readonly members: readonly StoredMember[] };

const storedMember = struct<StoredMember>({ record: memberRecordField, status: memberStatusField });

const feature = struct<ControlImage['features'][number]>({
  name: text(LIMITS.featureNameBytesMax),
  state: featureStateField,
});

/** What a copy of the state is built from without another look at each shard. */
const shards = checked(
  struct<ShardTableImage>({
    shardCount: integer(1, SHARD_COUNT_MAX),
    replicationFactor: integer(1, LIMITS.replicasMax),
    configs: shardTableField,
  }),
  'shards',
  ({ configs, shardCount }) => {
    const last = configs.at(-1);
    if (last === undefined || last.shard < shardCount) return;
    throw new WireError(`expected shards below ${shardCount}, got ${last.shard}.`);
  },
);

/** Fields are only ever appended, and what is appended is optional. */
const imageField = extensible<StoredImage>({
  clusterId: clusterIdField,
  groupEpoch: groupEpochField,
  index: logIndexField,
  term: termField,
  members: list(storedMember, MEMBERS_MAX),
  targetVoters: uint(LIMITS.votersMax),
  features: list(feature, LIMITS.featuresMax * 16),
  level: declaredLevelField,
  shards: optional(shards),
  schemas: optional(registryImageField),
});

export function encodeControlImage(image: ControlImage): Uint8Array {
  const members = image.members.map(({ status, ...record }) => ({ record, status }));
  return encodeValue(imageField, { ...image, members });
}

/** @throws WireError for bytes that are no control image. */
export function decodeControlImage(bytes: Uint8Array): ControlImage {
  const decoded = decodeValue(imageField, bytes, 'controlImage');
  const members = decoded.members.map(({ record, status }) => ({ ...record, status }));
  return { ...decoded, members };
}
