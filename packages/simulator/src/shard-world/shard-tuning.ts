import { Random } from '@memgrid/core';
import type { ShardsOptionsOverride } from '@memgrid/core';
import type { SyncClass } from '@memgrid/protocol';
import { threeMinorities } from './three-minorities.ts';
import type { ShardFault, ShardFaultKind } from './shard-fault.ts';

/** Single faults, and the compositions of several. */
export type ShardSwarmKind = ShardFaultKind | 'threeMinorities';

/** What a day among shards is like. Everything is drawn from the seed unless given. */
export interface ShardTuning {
  readonly nodes: number;
  readonly shards: number;
  readonly replicationFactor: number;
  /** The safety phase. */
  readonly durationMs: number;
  readonly clients: number;
  /** Clients that do nothing but add to sets, remove from them and list them. */
  readonly listers: number;
  /** Average pause of a client between two operations. */
  readonly thinkMs: number;
  /** How safe an acknowledged write is; also decides which crashes may happen. */
  readonly sync: SyncClass;
  /**
   * True: between two nodes everything arrives in order, and what is lost ends with a reset, as
   * with TCP. False: messages are lost, doubled and reordered one by one.
   */
  readonly ordered: boolean;
  readonly lossShare: number;
  readonly duplicateShare: number;
  readonly latencyMsMax: number;
  /** Share of messages that take up to `tailMs`. */
  readonly tailShare: number;
  readonly tailMs: number;
  /** How long a node takes to hear what the control group decided: average. */
  readonly newsMs: number;
  /** How long a dead or mute node takes to be noticed: average. */
  readonly noticeMs: number;
  /** Entries in memory; above it values are read back from disk. */
  readonly entryBytesMax: number;
  /** Average time between two faults of a kind; a kind that is missing never happens. */
  readonly gapsMs: Readonly<Partial<Record<ShardSwarmKind, number>>>;
  readonly config: ShardsOptionsOverride;
}

/** A day's tuning and its faults: data, so that both can be printed and cut down. */
export interface ShardDayPlan {
  readonly tuning: ShardTuning;
  readonly faults: readonly ShardFault[];
}

export function drawShardDay(seed: number, given: Partial<ShardTuning> = {}): ShardDayPlan {
  const random = Random.of(seed).split('shard-day');
  const tuning = { ...drawTuning(random.split('tuning')), ...given };
  return { tuning, faults: drawFaults(random.split('faults'), tuning) };
}

function drawTuning(random: Random): ShardTuning {
  const nodes = 3 + random.below(4);
  const ordered = random.chance(0.5);
  const rough = random.chance(0.6);
  return {
    nodes,
    shards: 1 + random.below(random.chance(0.5) ? 2 : 8),
    replicationFactor: random.chance(0.8) ? 3 : Math.min(nodes, 1 + random.below(5)),
    durationMs: 6_000,
    clients: 3 + random.below(4),
    listers: drawListers(random.split('listers')),
    thinkMs: random.between(10, 60),
    sync: random.pick<SyncClass>(['disk', 'disk', 'os', 'memory']) ?? 'disk',
    ordered,
    lossShare: rough ? random.between(0, ordered ? 0.003 : 0.1) : 0,
    duplicateShare: rough && !ordered ? random.between(0, 0.1) : 0,
    latencyMsMax: random.between(1, 10),
    tailShare: rough ? random.between(0, 0.05) : 0,
    tailMs: random.between(20, 400),
    newsMs: random.between(5, 200),
    noticeMs: random.between(100, 1_000),
    entryBytesMax: random.chance(0.3) ? 2_000 : 1_000_000,
    gapsMs: drawGaps(random),
    config: drawConfig(random),
  };
}

/** In half of the days there are none, so that those are as they were without them. */
function drawListers(random: Random): number {
  return random.chance(0.5) ? 1 + random.below(2) : 0;
}

/** Average gaps when a kind happens at all; each does in some seeds only, so that they differ. */
const GAPS_MS: Readonly<Record<ShardSwarmKind, readonly [share: number, gapMs: number]>> = {
  crash: [0.6, 1_500],
  pause: [0.5, 1_500],
  cut: [0.5, 1_500],
  slowDisk: [0.3, 2_000],
  flip: [0.3, 800],
  failOver: [0.8, 500],
  move: [0.7, 700],
  rollBack: [0.4, 1_500],
  threeMinorities: [0.2, 1_500],
};

function drawGaps(random: Random): ShardTuning['gapsMs'] {
  const gaps: Partial<Record<ShardSwarmKind, number>> = {};
  const ofCompositions = random.split('compositions');
  for (const kind of Object.keys(GAPS_MS) as readonly ShardSwarmKind[]) {
    const [share, gapMs] = GAPS_MS[kind];
    const luck = kind === 'threeMinorities' ? ofCompositions : random;
    if (luck.chance(share)) gaps[kind] = Math.round(gapMs * luck.between(0.4, 2.5));
  }
  return gaps;
}

/** Small numbers, so that every bound is met within seconds. */
function drawConfig(random: Random): ShardsOptionsOverride {
  return {
    retryMs: Math.round(random.between(50, 300)),
    commitDelayMs: Math.round(random.between(1, 30)),
    reportMs: Math.round(random.between(100, 500)),
    logRecordsMax: random.chance(0.5) ? 8 + random.below(24) : 200,
    streamChunkEntries: 1 + random.below(6),
    streamCredit: 1 + random.below(4),
    collectAfterMs: Math.round(random.between(300, 3_000)),
    dotLease: 3 + random.below(40),
    messageRecordsMax: random.chance(0.3) ? 1 + random.below(4) : 200,
  };
}

function drawFaults(random: Random, tuning: ShardTuning): readonly ShardFault[] {
  const faults: ShardFault[] = [];
  for (const kind of Object.keys(tuning.gapsMs) as readonly ShardSwarmKind[]) {
    const gapMs = tuning.gapsMs[kind] ?? Infinity;
    const ofKind = random.split(kind);
    let atMs = 300;
    for (;;) {
      atMs += Math.round(-Math.log(1 - ofKind.unit()) * gapMs);
      if (!(atMs < tuning.durationMs)) break;
      if (kind === 'threeMinorities') {
        faults.push(...threeMinorities(atMs, ofKind, tuning));
        continue;
      }
      const fault = drawFault(kind, atMs, { random: ofKind, tuning });
      if (fault !== undefined) faults.push(fault);
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

interface FaultDraw {
  readonly random: Random;
  readonly tuning: ShardTuning;
}

function drawFault(
  kind: ShardFaultKind,
  atMs: number,
  { random, tuning }: FaultDraw,
): ShardFault | undefined {
  const node = random.below(tuning.nodes);
  const shard = random.below(tuning.shards);
  const pick = random.below(1_000_000);
  const forMs = Math.round(random.between(20, random.chance(0.5) ? 400 : 2_500));
  switch (kind) {
    case 'crash':
      // What was acknowledged in memory only may be lost with any process: no test of ours.
      if (tuning.sync === 'memory') return undefined;
      return {
        atMs,
        kind,
        node,
        forMs,
        loss: tuning.sync === 'os' || random.chance(0.5) ? 'killed' : 'powerOff',
      };
    case 'pause':
      return { atMs, kind, node, forMs };
    case 'cut': {
      const count = 1 + random.below(Math.max(1, Math.floor(tuning.nodes / 2)));
      const all = Array.from({ length: tuning.nodes }, (_, at) => at);
      const side = random
        .shuffled(all)
        .slice(0, count)
        .sort((a, b) => a - b);
      return { atMs, kind, side, oneWay: random.chance(0.25), forMs };
    }
    case 'slowDisk':
      return { atMs, kind, node, extraMs: Math.round(random.between(5, 200)), forMs };
    case 'flip':
      return { atMs, kind, node, pick };
    case 'failOver':
    case 'move':
      return { atMs, kind, shard, pick };
    case 'rollBack':
      return { atMs, kind, shard };
  }
}
