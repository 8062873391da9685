import type { ClusterId, FoundingPlan, GroupEpoch } from '@memgrid/protocol';
import { encodeControlImage } from '../control/control-image.ts';
import { ControlState } from '../control/control-state.ts';
import type { ElectionRecord } from '../election/election-io.ts';
import { isMember } from '../election/group-config.ts';
import { initialRecord, recordOperations } from '../election/recover.ts';
import type { NodeEvent } from '../node-event.ts';
import type { Identity } from '../node-io.ts';
import type { StoreOperation } from '../store-operation.ts';
import { foundingImage } from './founding-image.ts';
import { identityOperation, type RecoveredNode } from './node-records.ts';

/** What a node begins its life in a cluster with. */
export interface ClusterEntry {
  readonly clusterId: ClusterId;
  /** Undefined: this node is in no control group (yet). */
  readonly record: ElectionRecord | undefined;
  readonly control: ControlState | undefined;
  /** As the peer spoke of it that this node met; undefined when `control` tells. */
  readonly groupEpoch: GroupEpoch | undefined;
}

/** An entry that has to be on disk first. */
export interface NewEntry extends ClusterEntry {
  readonly operations: readonly StoreOperation[];
  readonly event: NodeEvent;
  /** What the other founders may still have to hear. */
  readonly plan: FoundingPlan | undefined;
}

/** The directory knows its cluster. */
export function recoveredEntry(clusterId: ClusterId, recovered: RecoveredNode): ClusterEntry {
  const { election: record, control } = recovered;
  return { clusterId, record, control, groupEpoch: undefined };
}

/** This node helped to found `plan`. Identity and log are one batch: never the one without the other. */
export function foundedEntry(identity: Identity, plan: FoundingPlan): NewEntry {
  const { clusterId, config, members } = plan;
  const image = foundingImage(plan);
  const { nodeId } = identity;
  const inGroup = isMember(config, nodeId);
  const { groupEpoch } = image;
  const state = encodeControlImage(image);
  const record = inGroup ? initialRecord({ groupEpoch, config, state }) : undefined;
  return {
    clusterId,
    record,
    control: new ControlState(image),
    groupEpoch,
    operations: [
      identityOperation({ ...identity, clusterId }),
      ...(record === undefined ? [] : recordOperations(record)),
    ],
    event: { name: 'cluster.founded', clusterId, members: members.length },
    plan,
  };
}

/** This node met a cluster. */
export function joinedEntry(
  identity: Identity,
  met: { readonly clusterId: ClusterId; readonly groupEpoch: GroupEpoch },
): NewEntry {
  const { clusterId, groupEpoch } = met;
  return {
    clusterId,
    record: undefined,
    control: undefined,
    groupEpoch,
    operations: [identityOperation({ ...identity, clusterId })],
    event: { name: 'cluster.joined', clusterId },
    plan: undefined,
  };
}
