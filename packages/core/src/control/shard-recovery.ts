import type { GroupEpoch } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { ShardTableImage } from './shard-table.ts';

/**
 * Changes of one shard that one life of the control group has room for: one a second for half a
 * year. Entries are stored with 32 bits of epoch, so that 255 forced recoveries fit.
 */
const EPOCHS_PER_GROUP_EPOCH = 2 ** 24;
const GROUP_EPOCH_MAX = 2 ** 8;

/**
 * The shards of a control state that was recovered by force.
 *
 * What the lost majority committed after the survivor's last entry is unknown, so counting on by
 * one could give an epoch two configurations with two primaries. The new epochs begin beyond
 * everything that the earlier life of the group can have reached.
 */
export function recoveredShards(
  shards: ShardTableImage | undefined,
  groupEpoch: GroupEpoch,
): ShardTableImage | undefined {
  if (shards === undefined) return undefined;
  invariant(
    groupEpoch <= GROUP_EPOCH_MAX,
    `Group epoch ${groupEpoch}: the epochs of shards have room for ${GROUP_EPOCH_MAX}.`,
  );
  const first = (groupEpoch - 1) * EPOCHS_PER_GROUP_EPOCH;
  const configs = shards.configs.map((config) => {
    const epoch = first + (config.epoch % EPOCHS_PER_GROUP_EPOCH) + 1;
    return { ...config, epoch };
  });
  return { ...shards, configs };
}
