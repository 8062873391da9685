import {
  clusterIdField,
  decodeValue,
  declaredLevelField,
  encodeValue,
  extensible,
  featureStateField,
  groupEpochField,
  LIMITS,
  list,
  logIndexField,
  memberRecordField,
  memberStatusField,
  struct,
  termField,
  text,
  uint,
  type MemberRecord,
  type MemberStatus,
} from '@memgrid/protocol';
import type { ControlImage } from './control-state.ts';

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

/** Fields are only ever appended: shard ownership and the schema registry come behind these. */
const imageField = extensible<StoredImage>({
  clusterId: clusterIdField,
  groupEpoch: groupEpochField,
  index: logIndexField,
  term: termField,
  members: list(storedMember, MEMBERS_MAX),
  targetVoters: uint(LIMITS.votersMax),
  features: list(feature, LIMITS.featuresMax * 16),
  level: declaredLevelField,
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
