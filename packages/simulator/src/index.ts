export { Day, simulate } from './simulate.ts';
export type { FaultChoice, NodeSummary, SimulateOptions, SimulationReport } from './simulate.ts';
export { explore } from './explore.ts';
export type { ExploreOptions, ExploreReport, SeedOutcome } from './explore.ts';
export { renderSchedule, renderTimeline, repeatCommand } from './render.ts';
export type { RenderOptions } from './render.ts';
export { formatScenario, parseScenario, ScenarioError } from './scenario.ts';
export type { Scenario } from './scenario.ts';
export { describeFault, FAULT_KINDS } from './fault.ts';
export type { Fault, FaultKind, ScheduledFault, Target } from './fault.ts';
export { swarm, SWARM_KINDS } from './swarm.ts';
export type { Swarm, SwarmKind, SwarmOptions } from './swarm.ts';
export { SOMETIMES } from './sometimes.ts';
export type { Sometimes, SometimesCounts } from './sometimes.ts';
export type { Violation } from './checker.ts';
export type { TimelineEntry } from './timeline.ts';
export type { WorkloadOptions } from './workload.ts';
export { replay, scenarioOf, shrink } from './shrink.ts';
export type { ShrinkResult, StillFails } from './shrink.ts';
export { MembershipWorld } from './membership-world.ts';
export type { MembershipObservation, MembershipWorldOptions } from './membership-world.ts';
export { formatHistory, formatHistoryEvent, parseHistory } from './history/history-file.ts';
export type { HistoryEvent, HistoryEventType, HistoryValue } from './history/history-event.ts';
export { HistoryError } from './history/history-error.ts';
export { checkRegisters } from './history/linearizability.ts';
export type {
  RegisterCheckOptions,
  RegisterVerdict,
  RegisterViolation,
} from './history/linearizability.ts';
export { checkSet } from './history/set-check.ts';
export type { SetCounts, SetVerdict } from './history/set-check.ts';
export { checkSessions } from './history/session-check.ts';
export type { SessionViolation } from './history/session-check.ts';
export { productionShards } from './shard-world/production-shards.ts';
export { runShardDay } from './shard-world/shard-day.ts';
export type { ShardDayOptions, ShardDayReport } from './shard-world/shard-day.ts';
export { drawShardDay } from './shard-world/shard-tuning.ts';
export type { ShardDayPlan, ShardTuning } from './shard-world/shard-tuning.ts';
export { describeShardFault } from './shard-world/shard-fault.ts';
export type { ShardFault, ShardFaultKind } from './shard-world/shard-fault.ts';
export type { ShardsFactory, SimulatedShards } from './shard-world/shard-host.ts';
export { shrinkShardDay } from './shard-world/shrink-shard-day.ts';
export { renderShardTrace } from './shard-world/render-shard-trace.ts';
export type { ShardTraceLine } from './shard-world/shard-world.ts';
