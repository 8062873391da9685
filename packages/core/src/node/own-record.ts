import type { MemberRecord } from '@memgrid/protocol';
import type { Identity, NodeSettings } from '../node-io.ts';

/** What a node tells the registry, and its fellow founders, about this process. */
export function ownRecord(
  settings: NodeSettings,
  { nodeId, generation }: Identity,
  instance: number,
): MemberRecord {
  const { address, zone, weight, protocolMin, protocolMax, features } = settings;
  return {
    nodeId,
    generation,
    address,
    zone,
    weight,
    protocolMin,
    protocolMax,
    features,
    instance,
  };
}
