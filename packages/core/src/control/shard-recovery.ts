import type { GroupEpoch } from '@memgrid/protocol';
import type { ShardTableImage } from './shard-table.ts';

/** Changes of one shard that one life of the control group has room for. */
const EPOCHS_PER_GROUP_EPOCH = 2 ** 32;

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
  const first = (groupEpoch - 1) * EPOCHS_PER_GROUP_EPOCH;
  const configs = shards.configs.map((config) => {
    const epoch = first + (config.epoch % EPOCHS_PER_GROUP_EPOCH) + 1;
    return { ...config, epoch };
  });
  return { ...shards, configs };
}
