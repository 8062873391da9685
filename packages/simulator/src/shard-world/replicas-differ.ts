import type { ShardStatus } from '@memgrid/core';
import type { NodeId, ShardConfig } from '@memgrid/protocol';
import type { ShardHost } from './shard-host.ts';
import type { ShardWorld } from './shard-world.ts';

const KEYS_MAX = 100_000;
/** On disk only, and not readable: whoever asks for it next will notice and mend it. */
const DAMAGED = 'damaged';

/**
 * What keeps a world from being whole, in a sentence; undefined when every shard is stable and
 * served, its replicas have applied the same and hold the same bytes, and nobody else holds any.
 */
export function replicasDiffer(world: ShardWorld): string | undefined {
  const hosts = new Map(world.hosts.map((host) => [host.nodeId, host]));
  const status = new Map(
    world.hosts.map((host) => [host.nodeId, new Map(host.status().map((one) => [one.shard, one]))]),
  );
  for (const config of world.control.configs) {
    if (config.stage !== 'stable') return `Shard ${config.shard} is in stage ${config.stage}.`;
    const ofShard = new Map<NodeId, ShardStatus>();
    for (const id of config.replicas) {
      const one = status.get(id)?.get(config.shard);
      if (one === undefined) return `${shown(world, id)} has nothing of shard ${config.shard}.`;
      ofShard.set(id, one);
    }
    const problem = unserved(world, config, ofShard) ?? unequal(world, config, { hosts, ofShard });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unserved(
  world: ShardWorld,
  { epoch, primary, shard }: ShardConfig,
  status: ReadonlyMap<NodeId, ShardStatus>,
): string | undefined {
  const leader = status.get(primary);
  if (leader?.role !== 'primary' || !leader.active) {
    return `${shown(world, primary)} does not serve shard ${shard} in epoch ${epoch}.`;
  }
  for (const [id, one] of status) {
    const who = `${shown(world, id)}, shard ${shard}:`;
    if (one.promised !== epoch) return `${who} promised ${one.promised} of epoch ${epoch}.`;
    if (!one.complete) return `${who} is not complete.`;
    if (one.applied !== leader.last.index || one.last.index !== leader.last.index) {
      return `${who} applied ${one.applied} and logged ${one.last.index} of ${leader.last.index}.`;
    }
  }
  return undefined;
}

function unequal(
  world: ShardWorld,
  { shard, replicas }: ShardConfig,
  {
    hosts,
    ofShard,
  }: {
    readonly hosts: ReadonlyMap<NodeId, ShardHost>;
    readonly ofShard: ReadonlyMap<NodeId, ShardStatus>;
  },
): string | undefined {
  let first: { readonly who: string; readonly entries: ReadonlyMap<string, string> } | undefined;
  for (const id of replicas) {
    const host = hosts.get(id);
    const slot = ofShard.get(id)?.slot ?? 0;
    const who = shown(world, id);
    const entries = new Map<string, string>();
    for (const key of host?.entries?.keys(shard, slot, '', KEYS_MAX) ?? []) {
      const found = host?.entries?.get(shard, slot, key);
      if (found === undefined || found === 'absent') continue;
      const entry = found === 'paged' ? host?.loadNow(shard, slot, key) : found;
      entries.set(key, entry === undefined ? DAMAGED : hexOf(entry.state));
    }
    if (first === undefined) {
      first = { who, entries };
      continue;
    }
    const keys = new Set([...first.entries.keys(), ...entries.keys()]);
    for (const key of keys) {
      const [a, b] = [first.entries.get(key), entries.get(key)];
      if (a === b || a === DAMAGED || b === DAMAGED) continue;
      return `${first.who} and ${who} differ at ${JSON.stringify(key)} of shard ${shard}: ${a} and ${b}.`;
    }
  }
  return undefined;
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function shown(world: ShardWorld, id: NodeId): string {
  const host = world.hosts.find(({ nodeId }) => nodeId === id);
  return `n${(host?.node ?? -1) + 1}`;
}
