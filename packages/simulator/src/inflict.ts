import { unreachable } from '@memgrid/core';
import { isApplication } from './fault.ts';
import type { Fault, Target } from './fault.ts';
import type { NetworkFault } from './path-conditions.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** A host that has crashed needs so long before its program is loaded again. */
const RESTART_MS = 200;
/** How soon the scrub comes by: production's takes longer, and asks the same. */
const SCRUB_MS = 500;

/** Makes a fault happen to a world, now. What lasts ends by itself or when the world heals. */
export function inflict(world: World, fault: Fault): void {
  switch (fault.kind) {
    case 'split':
    case 'isolate':
    case 'refuse':
    case 'oneway':
    case 'clog':
    case 'flaky':
    case 'slow':
    case 'narrow':
    case 'congest':
    case 'spoil':
      lasting(world, fault, world.network.inflict(networkFault(world, fault)));
      break;
    case 'reset':
      for (const a of targets(world, fault.from)) {
        for (const b of targets(world, fault.to)) world.network.reset(a.name, b.name);
      }
      break;
    case 'heal':
      world.heal();
      break;
    default:
      for (const node of targets(world, fault.node)) inflictOnNode(world, node, fault);
  }
}

type NetworkKind =
  | 'split'
  | 'isolate'
  | 'refuse'
  | 'oneway'
  | 'clog'
  | 'flaky'
  | 'slow'
  | 'narrow'
  | 'congest'
  | 'spoil';
type NodeFault = Extract<Fault, { readonly node: Target }> & {
  kind: Exclude<Fault['kind'], 'isolate'>;
};

function networkFault(world: World, fault: Extract<Fault, { kind: NetworkKind }>): NetworkFault {
  switch (fault.kind) {
    case 'split': {
      const groups = fault.groups.map((group) => namesOf(world, group));
      const together = (a: string, b: string): boolean =>
        groups.some((group) => group.has(a) && group.has(b));
      return { concerns: (from, to) => !together(from, to), cut: true };
    }
    case 'isolate': {
      const alone = namesOf(world, [fault.node]);
      return { concerns: (from, to) => alone.has(from) || alone.has(to), cut: true };
    }
    case 'refuse': {
      const concerns = directed(world, fault);
      for (const a of world.nodes) {
        for (const b of world.nodes)
          if (concerns(a.name, b.name)) world.network.reset(a.name, b.name);
      }
      return { concerns, refuse: true };
    }
    case 'oneway':
    case 'clog':
      return { concerns: directed(world, fault), cut: true };
    case 'flaky':
      return {
        concerns: directed(world, fault),
        lossShare: fault.lossPercent / 100,
        resetShare: fault.resetPercent / 100,
      };
    case 'slow':
      return {
        concerns: directed(world, fault),
        extraLatencyMs: fault.latencyMs,
        extraJitterMs: fault.jitterMs,
      };
    case 'narrow':
      return { concerns: directed(world, fault), bytesPerSecondMax: fault.bytesPerSecond };
    case 'congest':
      return { concerns: directed(world, fault), queuedBytes: fault.bytes };
    case 'spoil':
      return {
        concerns: directed(world, fault),
        spoil: { how: fault.how, share: fault.percent / 100 },
      };
  }
}

function inflictOnNode(world: World, node: SimNode, fault: NodeFault): void {
  switch (fault.kind) {
    case 'pause':
      world.stopProcess(node, fault.forMs);
      lasting(world, fault, () => world.resume(node));
      break;
    case 'stall':
      stallAgainAndAgain(world, node, fault);
      break;
    case 'slowCpu':
      slowDown(world, node, fault);
      break;
    case 'crash':
      node.kill();
      comeBack(world, node, fault.forMs);
      break;
    case 'powerOff':
      node.powerOff();
      comeBack(world, node, fault.forMs);
      break;
    case 'dieWriting':
      node.disk.onNextStore(() => dieWriting(world, node, fault));
      break;
    case 'restart':
      node.kill();
      comeBack(world, node, RESTART_MS);
      break;
    case 'wipe':
      node.kill();
      node.disk.wipe();
      comeBack(world, node, fault.forMs ?? RESTART_MS);
      break;
    case 'clone':
      clone(world, node);
      break;
    case 'leave':
      leave(world, node, fault.forMs);
      break;
    case 'drain':
      drain(world, node, fault);
      break;
    default:
      inflictOnPart(world, node, fault);
  }
}

type PartFault = Extract<
  NodeFault,
  {
    kind:
      | 'flip'
      | 'diskError'
      | 'diskSlow'
      | 'diskFull'
      | 'skew'
      | 'jump'
      | 'freezeClock'
      | 'drift';
  }
>;

function inflictOnPart(world: World, node: SimNode, fault: PartFault): void {
  switch (fault.kind) {
    case 'flip':
      flip(world, node, fault.pick);
      break;
    case 'diskError':
      node.disk.failNextSync();
      break;
    case 'diskSlow':
      node.disk.change({ extraMs: fault.extraMs });
      lasting(world, fault, () => node.disk.change({ extraMs: 0 }));
      break;
    case 'diskFull': {
      node.disk.change({ bytesMax: node.disk.bytes });
      lasting(world, fault, () => {
        node.disk.mend();
        if (node.process === undefined && !node.isAway) world.start(node);
      });
      break;
    }
    case 'skew':
      node.clock.skew(fault.offsetMs);
      break;
    case 'jump':
      node.clock.jump(fault.byMs);
      break;
    case 'freezeClock':
      node.clock.freeze();
      lasting(world, fault, () => node.clock.thaw());
      break;
    case 'drift':
      node.clock.drift(fault.ppm);
      break;
    default:
      unreachable(fault);
  }
}

/** A process never stalls twice at once; the pauses are spread, as a collector's are. */
function stallAgainAndAgain(
  world: World,
  node: SimNode,
  fault: Extract<Fault, { kind: 'stall' }>,
): void {
  const random = world.random.split(`stall/${node.name}/${world.queue.nowUs}`);
  const endMs = world.nowMs + (fault.forMs ?? Infinity);
  const next = (): void => {
    if (world.nowMs > endMs) return;
    const stallMs = random.between(fault.stallMsMin, fault.stallMsMax);
    node.process?.stall(Math.round(stallMs * 1000));
    world.unlessHealed(stallMs + random.between(0.5, 1.5) * fault.everyMs, next);
  };
  world.unlessHealed(random.between(0, fault.everyMs), next);
}

function slowDown(world: World, node: SimNode, fault: Extract<Fault, { kind: 'slowCpu' }>): void {
  const { process } = node;
  if (process === undefined) return;
  process.slowness = fault.factor;
  lasting(world, fault, () => {
    process.slowness = 1;
  });
}

/** Somewhere between "handed to the disk" and "long since safe": every boundary gets its turn. */
function dieWriting(
  world: World,
  node: SimNode,
  fault: Extract<Fault, { kind: 'dieWriting' }>,
): void {
  const { process } = node;
  world.unlessHealed(world.random.split(`die/${world.queue.nowUs}`).between(0, 4), () => {
    if (process === undefined || node.process !== process) return;
    if (fault.power) node.powerOff();
    else node.kill();
    comeBack(world, node, fault.forMs);
  });
}

function comeBack(world: World, node: SimNode, forMs: number | undefined): void {
  if (forMs === undefined) return;
  world.unlessHealed(forMs, () => {
    node.powerOn();
    if (node.process === undefined && !node.isAway) world.start(node);
  });
}

function clone(world: World, node: SimNode): void {
  const name = `${node.name}c`;
  if (world.nodes.some((other) => other.name === name)) return;
  world.addClone(node, name);
}

/** SIGTERM, and SIGKILL when that takes too long, as every service manager does. */
function leave(world: World, node: SimNode, forMs: number | undefined): void {
  const { process } = node;
  if (process === undefined) return;
  if (forMs === undefined) node.stayAway();
  process.shutdown();
  world.queue.after(10_000_000, () => process.kill());
  if (forMs !== undefined) {
    world.unlessHealed(forMs, () => {
      if (node.process === undefined) world.start(node);
    });
  }
}

/** As an operator does it, who also takes it back. */
function drain(world: World, node: SimNode, fault: { readonly forMs?: number }): void {
  const nodeId = world.drains.begin(node);
  if (nodeId !== undefined) lasting(world, fault, () => world.drains.end(nodeId));
}

/**
 * Of each entry at most one copy is damaged at a time: what is damaged everywhere cannot be mended
 * by anybody. Every other flip is found by the scrub, the rest by whoever reads the entry.
 */
function flip(world: World, node: SimNode, pick: number): void {
  const others = world.nodes.filter((other) => other !== node);
  const flipped = node.entries.flip(
    pick,
    ({ shard, key }) => !others.some(({ entries }) => entries.hasDamaged(shard, key)),
  );
  if (flipped === undefined || pick % 2 === 0) return;
  const { shard, slot, key } = flipped;
  world.unlessHealed(SCRUB_MS, () => {
    if (!node.entries.hasDamaged(shard, key)) return;
    node.process?.tell({ kind: 'damaged', shard, slot, key, problem: 'Found by the scrub.' });
  });
}

function lasting(world: World, fault: { readonly forMs?: number }, end: () => void): void {
  if (fault.forMs !== undefined) world.unlessHealed(fault.forMs, end);
}

function directed(
  world: World,
  fault: { readonly from: Target; readonly to: Target },
): (from: string, to: string) => boolean {
  const senders = namesOf(world, [fault.from]);
  const receivers = namesOf(world, [fault.to]);
  return (from, to) => senders.has(from) && receivers.has(to);
}

function namesOf(world: World, all: readonly Target[]): ReadonlySet<string> {
  return new Set(
    all.flatMap((target) =>
      isApplication(target) ? [target] : targets(world, target).map(({ name }) => name),
    ),
  );
}

/** The nodes a fault means at this moment. Nobody, when it means a coordinator and none leads. */
function targets(world: World, target: Target): readonly SimNode[] {
  if (target === '*') return world.nodes;
  if (target !== 'coordinator') return world.nodes.filter((node) => node.name === target);
  const coordinator = world.coordinator();
  return coordinator === undefined ? [] : [coordinator];
}
