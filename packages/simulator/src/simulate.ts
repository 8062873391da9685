import { electionConfig, membershipConfig, NodeMachine } from '@memgrid/core';
import type {
  ElectionOptions,
  MembershipConfig,
  MembershipOptions,
  NodeSettings,
  ShardsOptionsOverride,
} from '@memgrid/core';
import { LIMITS } from '@memgrid/protocol';
import type { Checker, Violation } from './checker.ts';
import { commitsHaveQuorums } from './checkers/commits-have-quorums.ts';
import { configQuorumsOverlap } from './checkers/config-quorums-overlap.ts';
import { committedEntriesStay } from './checkers/committed-entries-stay.ts';
import { countersNeverRegress } from './checkers/counters-never-regress.ts';
import { gossipPerSecondMax, gossipWithinCap } from './checkers/gossip-within-cap.ts';
import { haltsHaveCauses } from './checkers/halts-have-causes.ts';
import { hybridClockFollowsCause } from './checkers/hybrid-clock-follows-cause.ts';
import { leaderAfterHealing } from './checkers/leader-after-healing.ts';
import { logMatching } from './checkers/log-matching.ts';
import { machinesNeverFault } from './checkers/machines-never-fault.ts';
import { FalseDeaths } from './checkers/false-deaths.ts';
import { oneFounding } from './checkers/one-founding.ts';
import { oneLeaderPerTerm } from './checkers/one-leader-per-term.ts';
import { oneVotePerTerm } from './checkers/one-vote-per-term.ts';
import { sameIndexSameState } from './checkers/same-index-same-state.ts';
import { silentAfterQuorumLoss } from './checkers/silent-after-quorum-loss.ts';
import { viewsAgreeAfterHealing } from './checkers/views-agree-after-healing.ts';
import {
  acknowledgedWritesSurvive,
  linearizable,
  listsAreComplete,
  sessionsGoForward,
} from './checkers/histories-are-explained.ts';
import { shardCheckers } from './checkers/shard-checkers.ts';
import { shardsWholeAfterHealing } from './checkers/shards-whole-after-healing.ts';
import { DataWorkload, ORDINARY_DATA } from './data-workload.ts';
import type { DataWorkloadOptions, SessionFactory } from './data-workload.ts';
import type { ScheduledFault } from './fault.ts';
import type { HistoryEvent } from './history/history-event.ts';
import { productionSession } from './production-session.ts';
import type { CodecChoice } from './frame-codec.ts';
import type { TornBatches } from './sim-disk.ts';
import type { MachineFactory } from './sim-node.ts';
import { SometimesCounter } from './sometimes.ts';
import type { SometimesCounts } from './sometimes.ts';
import { swarm } from './swarm.ts';
import type { SwarmKind } from './swarm.ts';
import { Timeline } from './timeline.ts';
import type { TimelineEntry } from './timeline.ts';
import { Traffic } from './traffic.ts';
import type { TrafficClass } from './traffic.ts';
import { ORDINARY_WORKLOAD, Workload } from './workload.ts';
import type { WorkloadOptions } from './workload.ts';
import { World } from './world.ts';

/** What goes wrong: drawn from the seed, given as a list, or nothing. */
export type FaultChoice =
  | {
      readonly kind: 'swarm';
      readonly only?: readonly SwarmKind[];
      readonly gapMs?: number;
      readonly quietMs?: number;
    }
  | {
      readonly kind: 'schedule';
      readonly faults: readonly ScheduledFault[];
      readonly shortLogs?: boolean;
    }
  | { readonly kind: 'none' };

/** A day to simulate. Everything has a default but the seed. */
export interface SimulateOptions {
  readonly seed: number;
  /** How many nodes found the cluster and live in it. Default 5. */
  readonly nodes?: number;
  /** The safety phase. Default one minute. */
  readonly durationMs?: number;
  /** Default: swarm. */
  readonly faults?: FaultChoice;
  /** Default: real. */
  readonly codec?: CodecChoice;
  /** Default: the ordinary workload. `undefined` explicitly: none. */
  readonly workload?: WorkloadOptions | undefined;
  /** What applications do meanwhile. `undefined` explicitly: there are none. */
  readonly data?: DataWorkloadOptions | undefined;
  /** What runs in each of them. Default: the production machine. */
  readonly session?: SessionFactory;
  /** Default: true. False saves time when many seeds are run. */
  readonly timeline?: boolean;
  /** Whether a false death is a violation, and not only counted. Default: without faults only. */
  readonly strictDeaths?: boolean;
  readonly membership?: MembershipOptions;
  readonly election?: ElectionOptions;
  readonly shards?: ShardsOptionsOverride;
  /** Entries that each node keeps in memory; the others are read back from disk. */
  readonly entryBytesMax?: number;
  readonly votersMax?: number;
  readonly tornBatches?: TornBatches;
  /** What runs in each process. Default: the production machine. */
  readonly machine?: MachineFactory;
}

/** What a simulated day came to. Plain data: it can be sent between processes and printed. */
export interface SimulationReport {
  readonly seed: number;
  readonly nodes: number;
  readonly durationMs: number;
  /** All virtual time, the healing included. */
  readonly simulatedMs: number;
  /** The kinds of fault this seed knew, and what happened when. */
  readonly faultKinds: readonly string[];
  readonly schedule: readonly ScheduledFault[];
  /** Logs were cut early, so that snapshots happen. */
  readonly shortLogs: boolean;
  /** 16 hex digits: equal for equal runs. */
  readonly traceHash: string;
  /** Empty when all is well. */
  readonly violations: readonly Violation[];
  /** How long after the last fault the cluster was whole again; undefined when it never was. */
  readonly healedMs: number | undefined;
  readonly falseDeaths: number;
  readonly messages: Readonly<Record<TrafficClass, number>>;
  readonly sometimes: SometimesCounts;
  readonly timeline: readonly TimelineEntry[];
  readonly timelineLeftOut: number;
  readonly states: readonly NodeSummary[];
  /** How many calls of applications ended how. */
  readonly calls: Readonly<Record<string, number>>;
  /** What clients saw of registers: for `formatHistory`. */
  readonly history: readonly HistoryEvent[];
}

/** One node at the end of the day. */
export interface NodeSummary {
  readonly node: string;
  readonly phase: string;
  readonly generation: number;
  readonly role: string;
  readonly term: number;
  readonly applied: number;
  readonly coordinator: string;
  readonly alive: readonly string[];
}

const SHORT_LOGS: ElectionOptions = { compactionEntries: 24, trailingEntries: 8 };
/** Small numbers, so that every bound is met within a minute. */
const SMALL_SHARDS: ShardsOptionsOverride = {
  logRecordsMax: 64,
  streamChunkEntries: 8,
  collectAfterMs: 5_000,
  dotLease: 50,
  reportMs: 2_000,
};
const ENTRY_BYTES_MAX = 1024 * 1024;
const LEADER_WITHIN_MS = 10_000;
/** Ten seconds and the time that a rumour takes to get around. */
const VIEWS_WITHIN_MS = 13_000;
const CLOCK_FAULTS: ReadonlySet<string> = new Set(['skew', 'jump', 'freezeClock', 'drift']);
/** Moves that were under way, a replacement of somebody who is gone for good (30 s), and its end. */
const SHARDS_WITHIN_MS = 120_000;
const CALLS_WITHIN_MS = 120_000;
const LAST_READS_WITHIN_MS = 15_000;
const DEFAULT_NODES = 5;
const DEFAULT_DURATION_MS = 60_000;

/** Runs one day: faults first, then healing, and says what was seen. */
export function simulate(options: SimulateOptions): SimulationReport {
  const day = new Day(options);
  day.live();
  day.heal();
  return day.report();
}

/** One simulated day in the making; `simulate` is what most callers want. */
export class Day {
  readonly world: World;
  readonly #options: SimulateOptions;
  readonly #nodes: number;
  readonly #durationMs: number;
  readonly #faultKinds: readonly string[];
  readonly #schedule: readonly ScheduledFault[];
  readonly #shortLogs: boolean;
  readonly #sometimes = new SometimesCounter();
  readonly #traffic = new Traffic();
  readonly #timeline: Timeline;
  readonly #falseDeaths: FalseDeaths;
  readonly #data: DataWorkload | undefined;
  readonly #operators: Workload | undefined;
  #healedMs: number | undefined;

  constructor(options: SimulateOptions) {
    this.#options = options;
    this.#nodes = options.nodes ?? DEFAULT_NODES;
    this.#durationMs = options.durationMs ?? DEFAULT_DURATION_MS;
    const faults = options.faults ?? { kind: 'swarm' };
    const drawn = this.#draw(faults);
    this.#faultKinds = drawn.kinds;
    this.#schedule = drawn.schedule;
    this.#shortLogs = drawn.shortLogs;
    this.#falseDeaths = new FalseDeaths(options.strictDeaths ?? faults.kind === 'none');
    this.#timeline = new Timeline((nodeId) => this.world.nameOf(nodeId));
    const membership = membershipConfig(options.membership);
    this.world = new World({
      seed: options.seed,
      nodes: settingsOf(this.#nodes, options.votersMax),
      machine: options.machine ?? ((start) => new NodeMachine(start)),
      membership,
      election: electionConfig({ ...(drawn.shortLogs ? SHORT_LOGS : {}), ...options.election }),
      shards: { ...SMALL_SHARDS, ...options.shards },
      entryBytesMax: options.entryBytesMax ?? ENTRY_BYTES_MAX,
      codec: options.codec ?? 'real',
      tornBatches: options.tornBatches ?? 'discarded',
      checkers: this.#checkers(membership),
      observers: [
        this.#sometimes.observe,
        this.#traffic.observe,
        ...(options.timeline === false ? [] : [this.#timeline.observe]),
      ],
      schedule: this.#schedule,
    });
    const workload = 'workload' in options ? options.workload : ORDINARY_WORKLOAD;
    if (workload !== undefined) this.#operators = new Workload(this.world, workload);
    const data = 'data' in options ? options.data : ORDINARY_DATA;
    if (data !== undefined) {
      this.#data = new DataWorkload(this.world, data, options.session ?? productionSession);
    }
  }

  /** The safety phase: faults on, every property checked at every step. */
  live(): void {
    this.world.run(this.#durationMs);
  }

  /** The liveness phase: faults end, and the cluster must become whole in time. */
  heal(): void {
    if (this.world.isStopped) return;
    const startMs = this.world.nowMs;
    this.world.inflict({ kind: 'heal' });
    this.#data?.stop();
    this.#operators?.calm();
    this.world.settle([
      leaderAfterHealing(LEADER_WITHIN_MS),
      viewsAgreeAfterHealing(VIEWS_WITHIN_MS),
    ]);
    if (!this.world.isStopped) this.#healedMs = Math.round(this.world.nowMs - startMs);
    if (this.#data !== undefined) this.#lookAtEverything(this.#data);
    this.world.finish();
  }

  /** Once every shard is whole again, whatever was stored is read once more. */
  #lookAtEverything(data: DataWorkload): void {
    if (this.world.isStopped) return;
    this.world.settle([shardsWholeAfterHealing(SHARDS_WITHIN_MS), data.callsEnd(CALLS_WITHIN_MS)]);
    if (this.world.isStopped) return;
    data.readEverything();
    this.world.settle([data.callsEnd(LAST_READS_WITHIN_MS)]);
  }

  report(): SimulationReport {
    return {
      seed: this.#options.seed,
      nodes: this.#nodes,
      durationMs: this.#durationMs,
      simulatedMs: this.world.nowMs,
      faultKinds: this.#faultKinds,
      schedule: this.#schedule,
      shortLogs: this.#shortLogs,
      traceHash: this.world.hash.toString(),
      violations: this.world.violations,
      healedMs: this.#healedMs,
      falseDeaths: this.#falseDeaths.count,
      messages: this.#traffic.counts,
      sometimes: this.#sometimes.counts,
      timeline: this.#timeline.entries,
      timelineLeftOut: this.#timeline.leftOutCount,
      states: summariesOf(this.world),
      calls: Object.fromEntries(this.#data?.calls ?? []),
      history: this.#data?.registerHistory ?? [],
    };
  }

  #draw(faults: FaultChoice): {
    readonly kinds: readonly string[];
    readonly schedule: readonly ScheduledFault[];
    readonly shortLogs: boolean;
  } {
    switch (faults.kind) {
      case 'none':
        return { kinds: [], schedule: [], shortLogs: false };
      case 'schedule':
        return {
          kinds: [...new Set(faults.faults.map((fault) => fault.kind))].sort(),
          schedule: faults.faults,
          shortLogs: faults.shortLogs ?? false,
        };
      case 'swarm':
        return swarm({
          seed: this.#options.seed,
          nodes: Array.from({ length: this.#nodes }, (_, at) => nodeName(at)),
          durationMs: this.#durationMs,
          ...(faults.only === undefined ? {} : { kinds: faults.only }),
          ...(faults.gapMs === undefined ? {} : { gapMs: faults.gapMs }),
          ...(faults.quietMs === undefined ? {} : { quietMs: faults.quietMs }),
        });
    }
  }

  #checkers(membership: MembershipConfig): readonly Checker[] {
    return [
      oneLeaderPerTerm(),
      logMatching(),
      committedEntriesStay(),
      commitsHaveQuorums(),
      sameIndexSameState(),
      configQuorumsOverlap(),
      oneVotePerTerm(),
      silentAfterQuorumLoss(),
      countersNeverRegress(),
      hybridClockFollowsCause((node) => this.world.node(node).clock.wallMs()),
      oneFounding(),
      gossipWithinCap(() => gossipPerSecondMax(membership, this.world.nodes.length)),
      machinesNeverFault(),
      haltsHaveCauses(),
      this.#falseDeaths,
      ...shardCheckers(!this.#faultKinds.some((kind) => CLOCK_FAULTS.has(kind))),
      linearizable(() => this.#data),
      listsAreComplete(() => this.#data),
      sessionsGoForward(() => this.#data),
      acknowledgedWritesSurvive(() => this.#data),
    ];
  }
}

/** n1, n2, … with three zones, each knowing the first three as seeds. */
function settingsOf(count: number, votersMax: number | undefined): readonly NodeSettings[] {
  const seeds = Array.from({ length: Math.min(3, count) }, (_, at) => `${nodeName(at)}:7700`);
  return Array.from({ length: count }, (_, at) => ({
    address: `${nodeName(at)}:7700`,
    httpAddress: `${nodeName(at)}:7780`,
    seeds,
    // More than found a cluster together join it afterwards.
    expect: Math.min(count, LIMITS.foundingPeersMax),
    zone: `z${(at % 3) + 1}`,
    weight: 100,
    votersMax,
    shardCount: 8,
    replicationFactor: 3,
    features: ['alpha', 'beta', 'delta', 'gamma'],
    protocolMin: 1,
    protocolMax: 1,
  }));
}

function nodeName(at: number): string {
  return `n${at + 1}`;
}

function summariesOf(world: World): readonly NodeSummary[] {
  return world.nodes.map((node) => {
    const status = node.process?.status();
    const coordinator = status?.coordinator;
    return {
      node: node.name,
      phase: status?.phase ?? (node.isAway ? 'away' : 'down'),
      generation: status?.generation ?? 0,
      role: status?.election?.role ?? 'outsider',
      term: status?.election?.term ?? 0,
      applied: status?.control?.index ?? 0,
      coordinator: coordinator === undefined ? 'none' : world.nameOf(coordinator),
      alive: (status?.members ?? [])
        .filter((member) => member.liveness === 'alive')
        .map((member) => world.nameOf(member.nodeId))
        .sort(),
    };
  });
}
