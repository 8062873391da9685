import { Random } from '@memgrid/core';
import type { FaultKind, ScheduledFault } from './fault.ts';
import { SPOILAGES } from './path-conditions.ts';

/** What a seed draws: which kinds of fault it knows, and when each strikes. */
export interface Swarm {
  /** Sorted. */
  readonly kinds: readonly SwarmKind[];
  /** Average time between two faults. */
  readonly gapMs: number;
  /** Nothing bad happens before: founding is either part of the trouble or over. */
  readonly quietMs: number;
  readonly schedule: readonly ScheduledFault[];
  /** Half of the seeds keep short logs, so that snapshots happen within a minute. */
  readonly shortLogs: boolean;
}

/** Single faults, and the compositions of several that the catalogue of faults names. */
export type SwarmKind =
  | Exclude<FaultKind, 'heal'>
  | 'bridge'
  | 'majorityRing'
  | 'swizzleClog'
  | 'restartStorm'
  | 'pausesEverywhere'
  | 'lossEverywhere';

export interface SwarmOptions {
  readonly seed: number;
  /** Names: n1, n2, … */
  readonly nodes: readonly string[];
  readonly durationMs: number;
  /** Only these kinds, all of them. Undefined: a random half of everything. */
  readonly kinds?: readonly SwarmKind[];
  readonly gapMs?: number;
  readonly quietMs?: number;
}

/** What a draw of one kind of fault may use. */
interface Draw {
  readonly random: Random;
  readonly nodes: readonly string[];
  readonly atMs: number;
  readonly anybody: () => string;
  readonly lastMs: () => number;
}

/** Share of seeds in which a given kind can happen. */
const KIND_SHARE = 0.4;
const GAP_MS_MIN = 1_000;
const GAP_MS_MAX = 8_000;
/** Most seeds let the cluster be founded in peace, or nothing else would ever be tested. */
const QUIET_SHARE = 0.7;
const QUIET_MS = 6_000;

/** Draws a day of bad luck. The same options always draw the same. */
export function swarm(options: SwarmOptions): Swarm {
  const random = Random.of(options.seed).split('swarm');
  const drawn = SWARM_KINDS.filter(() => random.chance(KIND_SHARE));
  const kinds = options.kinds ?? withCompanions(drawn, random);
  const quietMs = options.quietMs ?? (random.chance(QUIET_SHARE) ? QUIET_MS : 0);
  const gapMs = options.gapMs ?? Math.round(random.between(GAP_MS_MIN, GAP_MS_MAX));
  const schedule: ScheduledFault[] = [];
  const spent = new Set<SwarmKind>();
  // Founding takes about a second: unless something strikes early, nothing strikes founding.
  if (quietMs === 0) schedule.push(earlyDeath(random, options.nodes));
  if (options.durationMs >= LONG_DAY_MS && options.kinds === undefined) {
    schedule.push(longAbsence(random, options));
  }
  let atMs = quietMs;
  for (;;) {
    atMs += Math.round(-Math.log(1 - random.unit()) * gapMs);
    if (atMs >= options.durationMs) break;
    const kind = random.pick(kinds) as SwarmKind;
    if (isTooMuch(kind, spent, options.nodes.length)) continue;
    spent.add(kind);
    schedule.push(...DRAWS[kind](drawAt(random, options.nodes, atMs)));
  }
  if (options.kinds === undefined) {
    schedule.push(...troubleOfApplications(Random.of(options.seed).split('applications'), options));
  }
  schedule.sort((a, b) => a.atMs - b.atMs);
  // Compositions reach beyond the moment they were drawn for; nothing may strike a healed world.
  const inTime = schedule.filter(({ atMs: strikesMs }) => strikesMs < options.durationMs);
  return { kinds, gapMs, quietMs, schedule: inTime, shortLogs: random.chance(0.5) };
}

/**
 * Each of these takes a node's votes away for good. One a day, or a day could end with a majority
 * of the voters gone, after which no cluster can be expected to elect anybody.
 */
const ONCE: ReadonlySet<SwarmKind> = new Set<SwarmKind>(['wipe', 'clone']);

/** The copies that clusters of the simulator keep. Where a drain leaves two, none may be lost. */
const REPLICAS = 3;

function isTooMuch(kind: SwarmKind, spent: ReadonlySet<SwarmKind>, nodes: number): boolean {
  const isSparse = nodes <= REPLICAS;
  const lostSomebody = [...spent].some((other) => ONCE.has(other));
  if (ONCE.has(kind)) return lostSomebody || (isSparse && spent.has('drain'));
  return kind === 'drain' && isSparse && lostSomebody;
}

/**
 * Two processes with one identity on two sides of a split cannot know of each other, and no voting
 * protocol survives them. A clone must be found out where it can be: without network faults.
 */
const CLONE_COMPANIONS: ReadonlySet<SwarmKind> = new Set<SwarmKind>([
  'clone',
  'slow',
  'spoil',
  'skew',
  'jump',
  'drift',
  'diskSlow',
  'pausesEverywhere',
]);
/** Share of the seeds that know clones at all: they know little else. */
const CLONE_SHARE = 0.2;

function withCompanions(drawn: readonly SwarmKind[], random: Random): readonly SwarmKind[] {
  const cloning = drawn.includes('clone') && random.chance(CLONE_SHARE);
  const kinds = drawn.filter((kind) => (cloning ? CLONE_COMPANIONS.has(kind) : kind !== 'clone'));
  return kinds.length > 0 ? kinds : ['crash'];
}

/** A day on which somebody can be away for so long that the group replaces it. */
const LONG_DAY_MS = 150_000;

/** Share of the seeds in which an application's connections break and its answers get lost. */
const TROUBLED_SHARE = 0.3;
/** Of the ordinary workload, which has two. */
const APPLICATIONS = ['c1', 'c2'] as const;

/** From a stream of its own: whatever else a seed draws does not depend on it. */
function troubleOfApplications(random: Random, options: SwarmOptions): readonly ScheduledFault[] {
  if (!random.chance(TROUBLED_SHARE)) return [];
  const application = random.pick(APPLICATIONS) as string;
  const [from, to] = random.chance(0.7) ? ['*', application] : [application, '*'];
  const atMs = QUIET_MS + random.below(Math.max(1, options.durationMs - QUIET_MS));
  const forMs = Math.round(2 ** random.between(9, 15));
  const resetPercent = Math.round(random.between(1, 20));
  const lossPercent = random.chance(0.5) ? Math.round(random.between(1, 40)) : 0;
  return [{ atMs, forMs, kind: 'flaky', from, to, lossPercent, resetPercent }];
}

function longAbsence(random: Random, options: SwarmOptions): ScheduledFault {
  const atMs = QUIET_MS + random.below(20_000);
  const node = random.pick(options.nodes) ?? 'n1';
  return { atMs, forMs: options.durationMs, kind: 'powerOff', node };
}

function earlyDeath(random: Random, nodes: readonly string[]): ScheduledFault {
  const node = random.pick(nodes) ?? 'n1';
  const forMs = 200 + random.below(3_000);
  const atMs = random.below(1_500);
  return random.chance(0.5)
    ? { atMs, forMs, kind: 'crash', node }
    : { atMs, forMs, kind: 'dieWriting', node, power: random.chance(0.5) };
}

function drawAt(random: Random, nodes: readonly string[], atMs: number): Draw {
  return {
    random,
    nodes,
    atMs,
    anybody: () => (random.chance(0.3) ? 'coordinator' : (random.pick(nodes) as string)),
    // Most faults are short; a few last long enough for every timeout there is.
    lastMs: () => Math.round(100 * 2 ** random.between(0, 8)),
  };
}

const DRAWS: Readonly<Record<SwarmKind, (draw: Draw) => readonly ScheduledFault[]>> = {
  split: (draw) => [{ ...lasting(draw), kind: 'split', groups: groupsOf(draw) }],
  isolate: (draw) => [{ ...lasting(draw), kind: 'isolate', node: draw.anybody() }],
  refuse: (draw) => {
    const [from = 'n1', to = 'n1'] = draw.random.shuffled(draw.nodes);
    return [{ ...lasting(draw), kind: 'refuse', from, to }];
  },
  oneway: (draw) => [{ ...lasting(draw), kind: 'oneway', ...direction(draw) }],
  flaky: (draw) => [
    {
      ...lasting(draw),
      kind: 'flaky',
      ...direction(draw),
      lossPercent: Math.round(draw.random.between(1, 60)),
      resetPercent: draw.random.chance(0.5) ? Math.round(draw.random.between(1, 5)) : 0,
    },
  ],
  slow: (draw) => [
    {
      ...lasting(draw),
      kind: 'slow',
      ...direction(draw),
      latencyMs: Math.round(2 ** draw.random.between(0, 9)),
      jitterMs: Math.round(2 ** draw.random.between(0, 9)),
    },
  ],
  narrow: (draw) => [
    {
      ...lasting(draw),
      kind: 'narrow',
      ...direction(draw),
      bytesPerSecond: Math.round(2 ** draw.random.between(9, 17)),
    },
  ],
  congest: (draw) => [
    {
      ...lasting(draw),
      kind: 'congest',
      ...direction(draw),
      bytes: Math.round(2 ** draw.random.between(19, 25)),
    },
  ],
  clog: (draw) => [{ ...lasting(draw), kind: 'clog', ...direction(draw) }],
  reset: (draw) => [{ atMs: draw.atMs, kind: 'reset', ...direction(draw) }],
  spoil: (draw) => [
    {
      ...lasting(draw),
      kind: 'spoil',
      ...direction(draw),
      how: draw.random.pick(SPOILAGES) ?? 'garbage',
      percent: Math.round(draw.random.between(1, 30)),
    },
  ],
  pause: (draw) => [{ ...lasting(draw), kind: 'pause', node: draw.anybody() }],
  stall: (draw) => [stall(draw, draw.anybody())],
  slowCpu: (draw) => [
    {
      ...lasting(draw),
      kind: 'slowCpu',
      node: draw.anybody(),
      factor: Math.round(2 ** draw.random.between(1, 6)),
    },
  ],
  crash: (draw) => [{ ...lasting(draw), kind: 'crash', node: draw.anybody() }],
  powerOff: (draw) => [{ ...lasting(draw), kind: 'powerOff', node: draw.anybody() }],
  dieWriting: (draw) => [
    {
      ...lasting(draw),
      kind: 'dieWriting',
      node: draw.anybody(),
      power: draw.random.chance(0.7),
    },
  ],
  restart: (draw) => [{ atMs: draw.atMs, kind: 'restart', node: draw.anybody() }],
  wipe: (draw) => [{ ...lasting(draw), kind: 'wipe', node: draw.anybody() }],
  clone: (draw) => [{ atMs: draw.atMs, kind: 'clone', node: draw.random.pick(draw.nodes) ?? 'n1' }],
  diskError: (draw) => restarted(draw, 'diskError'),
  diskSlow: (draw) => [
    {
      ...lasting(draw),
      kind: 'diskSlow',
      node: draw.anybody(),
      extraMs: Math.round(2 ** draw.random.between(3, 11)),
    },
  ],
  diskFull: (draw) => [{ ...lasting(draw), kind: 'diskFull', node: draw.anybody() }],
  skew: (draw) => [
    {
      atMs: draw.atMs,
      kind: 'skew',
      node: draw.anybody(),
      offsetMs: Math.round(draw.random.between(-500, 500)),
    },
  ],
  jump: (draw) => [
    {
      atMs: draw.atMs,
      kind: 'jump',
      node: draw.anybody(),
      byMs: draw.random.pick([8 * 3_600_000, -3_600_000, 2_000, -2_000, 70_000]) ?? 2_000,
    },
  ],
  freezeClock: (draw) => [{ ...lasting(draw), kind: 'freezeClock', node: draw.anybody() }],
  drift: (draw) => [
    {
      atMs: draw.atMs,
      kind: 'drift',
      node: draw.anybody(),
      ppm: Math.round(draw.random.between(-200, 200)),
    },
  ],
  leave: (draw) => [{ ...lasting(draw), kind: 'leave', node: draw.anybody() }],
  drain: (draw) => [{ ...lasting(draw), kind: 'drain', node: draw.anybody() }],
  flip: (draw) => {
    const node = draw.random.pick(draw.nodes) ?? 'n1';
    return [{ atMs: draw.atMs, kind: 'flip', node, pick: draw.random.below(1_000_000) }];
  },
  bridge: (draw) => [{ ...lasting(draw), kind: 'split', groups: bridge(draw) }],
  majorityRing: (draw) => [{ ...lasting(draw), kind: 'split', groups: ring(draw.nodes) }],
  swizzleClog: (draw) => swizzleClog(draw),
  restartStorm: (draw) => restartStorm(draw),
  pausesEverywhere: (draw) => [stall(draw, '*')],
  lossEverywhere: (draw) => [
    {
      ...lasting(draw),
      kind: 'flaky',
      from: '*',
      to: '*',
      lossPercent: Math.round(draw.random.between(1, 20)),
      resetPercent: 0,
    },
  ],
};

/** Everything a swarm can do, sorted. */
export const SWARM_KINDS: readonly SwarmKind[] = (Object.keys(DRAWS) as SwarmKind[]).sort();

function lasting(draw: Draw): { readonly atMs: number; readonly forMs: number } {
  return { atMs: draw.atMs, forMs: draw.lastMs() };
}

function direction(draw: Draw): { readonly from: string; readonly to: string } {
  const [a = 'n1', b = 'n1'] = draw.random.shuffled(draw.nodes);
  switch (draw.random.below(4)) {
    case 0:
      return { from: 'coordinator', to: '*' };
    case 1:
      return { from: '*', to: a };
    case 2:
      return { from: a, to: '*' };
    default:
      return { from: a, to: b };
  }
}

/** Two or three groups of any size. */
function groupsOf(draw: Draw): readonly (readonly string[])[] {
  const count = draw.random.chance(0.3) ? 3 : 2;
  const groups: string[][] = Array.from({ length: count }, () => []);
  for (const node of draw.nodes) groups[draw.random.below(count)]?.push(node);
  return groups.filter((group) => group.length > 0);
}

/** Two halves and one node that reaches both. */
function bridge(draw: Draw): readonly (readonly string[])[] {
  const [middle = 'n1', ...others] = draw.random.shuffled(draw.nodes);
  const half = Math.ceil(others.length / 2);
  return [
    [...others.slice(0, half), middle],
    [...others.slice(half), middle],
  ];
}

/** Everybody reaches a majority, and no two the same one. */
function ring(nodes: readonly string[]): readonly (readonly string[])[] {
  const reach = Math.floor(nodes.length / 4) + 1;
  return nodes.map((_, at) =>
    Array.from({ length: reach + 1 }, (_unused, step) => nodes[(at + step) % nodes.length] ?? ''),
  );
}

/** Nodes are clogged one by one and come free in another order: FoundationDB's favourite. */
function swizzleClog(draw: Draw): readonly ScheduledFault[] {
  const victims = draw.random
    .shuffled(draw.nodes)
    .slice(0, 1 + draw.random.below(draw.nodes.length));
  return victims.flatMap((node): ScheduledFault[] => {
    const atMs = draw.atMs + draw.random.below(2_000);
    const forMs = 500 + draw.random.below(8_000);
    return [
      { atMs, forMs, kind: 'clog', from: node, to: '*' },
      { atMs, forMs, kind: 'clog', from: '*', to: node },
    ];
  });
}

/** Everybody restarts within two seconds. */
function restartStorm(draw: Draw): readonly ScheduledFault[] {
  return draw.nodes.map((node) => ({
    atMs: draw.atMs + draw.random.below(2_000),
    kind: draw.random.chance(0.3) ? ('powerOff' as const) : ('crash' as const),
    node,
    forMs: draw.random.below(2_000),
  }));
}

/** A failing disk halts the node; whoever runs it starts it again a little later. */
function restarted(draw: Draw, kind: 'diskError'): readonly ScheduledFault[] {
  const node = draw.random.pick(draw.nodes) ?? 'n1';
  const backAtMs = draw.atMs + 2_000 + draw.lastMs();
  return [
    { atMs: draw.atMs, kind, node },
    { atMs: backAtMs, kind: 'restart', node },
  ];
}

function stall(draw: Draw, node: string): ScheduledFault {
  const gentle = draw.random.chance(0.6);
  return {
    ...lasting(draw),
    kind: 'stall',
    node,
    stallMsMin: 50,
    stallMsMax: gentle ? 400 : Math.round(draw.random.between(500, 4_000)),
    everyMs: Math.round(draw.random.between(500, 4_000)),
  };
}
