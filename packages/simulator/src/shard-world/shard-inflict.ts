import type { ShardId } from '@memgrid/protocol';
import type { EventQueue } from '../event-queue.ts';
import type { ShardControl } from './shard-control.ts';
import type { ShardFault } from './shard-fault.ts';
import type { ShardHost } from './shard-host.ts';
import type { ShardNetwork } from './shard-network.ts';
import type { ShardTuning } from './shard-tuning.ts';

/** The parts of a world of shards that faults touch. */
export interface ShardTargets {
  readonly queue: EventQueue;
  readonly tuning: ShardTuning;
  readonly control: ShardControl;
  readonly hosts: readonly ShardHost[];
  readonly network: ShardNetwork;
  readonly isHealed: () => boolean;
  readonly startHost: (host: ShardHost) => void;
  /** Whether hosts are up has changed: others will notice. */
  readonly changed: () => void;
}

/** Does to the world what `fault` says, and plans its end. A healed world is left alone. */
export function inflictOnShards(targets: ShardTargets, fault: ShardFault): void {
  if (targets.isHealed()) return;
  const { control } = targets;
  switch (fault.kind) {
    case 'failOver':
      control.failOver(
        fault.shard as ShardId,
        fault.pick,
        fault.to === undefined ? undefined : hostOf(targets, fault.to).nodeId,
      );
      break;
    case 'move':
      control.move(fault.shard as ShardId, fault.pick);
      break;
    case 'rollBack':
      control.rollBack(fault.shard as ShardId);
      break;
    case 'cut':
      cut(targets, fault);
      break;
    case 'crash':
      crash(targets, fault);
      break;
    case 'pause': {
      const host = hostOf(targets, fault.node);
      host.pause();
      targets.changed();
      unlessHealed(targets, fault.forMs, () => {
        host.resume();
        targets.changed();
      });
      break;
    }
    case 'slowDisk': {
      const { disk } = hostOf(targets, fault.node);
      disk.change({ extraMs: fault.extraMs });
      unlessHealed(targets, fault.forMs, () => disk.mend());
      break;
    }
    case 'flip':
      flip(targets, fault);
      break;
  }
}

function crash(targets: ShardTargets, fault: ShardFault & { readonly kind: 'crash' }): void {
  const host = hostOf(targets, fault.node);
  if (!host.isUp) return;
  host.crash(fault.loss);
  targets.changed();
  for (const other of targets.hosts) {
    if (other !== host) targets.network.reset(host.node, other.node);
  }
  unlessHealed(targets, fault.forMs, () => {
    if (!host.isUp) targets.startHost(host);
  });
}

function cut(targets: ShardTargets, fault: ShardFault & { readonly kind: 'cut' }): void {
  const { network } = targets;
  const pairs: [number, number][] = [];
  for (const inside of fault.side) {
    for (const { node: outside } of targets.hosts) {
      if (fault.side.includes(outside)) continue;
      pairs.push([inside, outside]);
      if (!fault.oneWay) pairs.push([outside, inside]);
    }
  }
  for (const [from, to] of pairs) network.cut(from, to);
  unlessHealed(targets, fault.forMs, () => {
    for (const [from, to] of pairs) network.mend(from, to);
  });
}

/**
 * Of each entry at most one copy is damaged at a time: what is damaged everywhere cannot be mended
 * by anybody.
 */
function flip(targets: ShardTargets, fault: ShardFault & { readonly kind: 'flip' }): void {
  if (targets.tuning.replicationFactor < 3) return;
  const host = hostOf(targets, fault.node);
  const others = targets.hosts.filter((other) => other !== host);
  host.flip(fault.pick, ({ shard, key }) => !others.some((other) => other.hasDamaged(shard, key)));
}

function hostOf(targets: ShardTargets, node: number): ShardHost {
  const host = targets.hosts[node];
  if (host === undefined) throw new RangeError(`There is no node ${node}.`);
  return host;
}

function unlessHealed(targets: ShardTargets, ms: number, run: () => void): void {
  targets.queue.after(ms * 1000, () => {
    if (!targets.isHealed()) run();
  });
}
