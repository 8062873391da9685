import { decodeCommand, type GroupEpoch, type LogIndex, type NodeId } from '@memgrid/protocol';
import { decodeControlImage, encodeControlImage } from '../control/control-image.ts';
import { ControlState, type ControlImage } from '../control/control-state.ts';
import { recoveredShards } from '../control/shard-recovery.ts';
import type { ElectionRecord } from '../election/election-io.ts';
import { LOG_PREFIX } from '../election/raft-records.ts';
import { forceRecoveredRecord, recordOperations } from '../election/recover.ts';
import type { StoreOperation } from '../store-operation.ts';
import { recoverNode } from './node-records.ts';

/** What a forced recovery does, to be shown before it is done. */
export interface ForceRecovery {
  readonly nodeId: NodeId;
  readonly groupEpoch: GroupEpoch;
  /** The last log index that the survivor holds. Whatever only the others had is lost. */
  readonly lastIndex: LogIndex;
  /** Voters of the old group: they can never come back under their old identity. */
  readonly expelled: readonly NodeId[];
  /** One batch for the survivor's data directory. */
  readonly operations: readonly StoreOperation[];
}

/**
 * Prepares a data directory to continue alone after the majority of the voters is lost for good.
 *
 * The survivor's whole log counts as committed, the group gets a new epoch, so that voters that
 * turn up later cannot speak to it, and these are expelled by id. Members that had no vote come
 * back by themselves.
 *
 * @param records all records of a stopped node's data directory.
 * @throws Error when the directory holds no part of a control group, or is damaged.
 */
export function prepareForceRecovery(records: ReadonlyMap<string, Uint8Array>): ForceRecovery {
  const { identity, election } = recoverNode(records);
  if (identity === undefined || election === undefined) {
    throw new Error(
      'This directory holds no log of a control group. Choose a node that was a voter or a ' +
        'learner, the one with the highest "applied" in its last status.',
    );
  }
  const self = identity.nodeId;
  const { state, expelled } = survivingState(election, self);
  const record = forceRecoveredRecord(election, self, encodeControlImage(state));
  return {
    nodeId: self,
    groupEpoch: record.groupEpoch,
    lastIndex: record.snapshot.index,
    expelled,
    operations: [...logDeletions(records), ...recordOperations(record)],
  };
}

/** The control state at the end of the survivor's log, with the lost voters expelled. */
function survivingState(
  election: ElectionRecord,
  self: NodeId,
): { state: ControlImage; expelled: readonly NodeId[] } {
  const state = new ControlState(decodeControlImage(election.snapshot.state));
  let { config } = election.snapshot;
  for (const { index, term, payload } of election.entries) {
    if (payload.kind === 'config') config = payload.config;
    if (index <= state.index) continue;
    if (payload.kind === 'command') state.apply(index, term, decodeCommand(payload.command));
    else state.advance(index, term);
  }
  const voters = [...new Set([...config.voters, ...config.votersOutgoing])];
  const expelled = voters.filter((voter) => voter !== self).sort();
  const image = state.image();
  const members = image.members.map((member) =>
    expelled.includes(member.nodeId) ? { ...member, status: 'expelled' as const } : member,
  );
  const groupEpoch = (election.groupEpoch + 1) as GroupEpoch;
  const shards = recoveredShards(image.shards, groupEpoch);
  return { state: { ...image, groupEpoch, members, targetVoters: 1, shards }, expelled };
}

/** The old log ends in the new snapshot. */
function logDeletions(records: ReadonlyMap<string, Uint8Array>): readonly StoreOperation[] {
  return [...records.keys()]
    .filter((key) => key.startsWith(LOG_PREFIX))
    .map((key) => ({ kind: 'delete', key }));
}
