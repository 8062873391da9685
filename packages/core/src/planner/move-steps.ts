import { broken } from '#breaks';
import type { NodeId, ShardConfig, ShardReport } from '@memgrid/protocol';
import { isSameSet, joiners } from '../control/shard-sets.ts';
import type { Decision } from './decision.ts';
import { bestPrimary, successor } from './fail-over.ts';
import { PLANNER } from './planner-config.ts';
import type { RollBackReason } from './planner-io.ts';
import type { RoundContext } from './round-context.ts';

/** The next step of a shard that is on the move; undefined: nothing to do yet. */
export function nextStep(context: RoundContext, config: ShardConfig): Decision | undefined {
  switch (config.stage) {
    case 'admit':
      return rolledBack(context, config) ?? toDual(context, config);
    case 'dual':
      // What is complete already costs as little to finish as to undo.
      return toSwitch(context, config) ?? rolledBack(context, config);
    case 'switch':
      return toStable(context, config);
    case 'stable':
      return undefined;
  }
}

/** All who join and are alive have promised, so every write of the next stage finds them ready. */
function toDual(context: RoundContext, config: ShardConfig): Decision | undefined {
  const { census } = context;
  const report = context.reports.current(config);
  if (report?.active !== true || !bothLive(context, config)) return undefined;
  const waiting = joiners(config).filter(
    (node) => !census.isLost(node) && !report.promised.includes(node),
  );
  if (waiting.length > 0) return undefined;
  const change = { primary: config.primary, stage: 'dual' } as const;
  const cause = { name: 'move.advanced', stage: 'dual' } as const;
  return { config: successor(context, config, change), cause };
}

/** From here on reads come from the next set, so it has to know everything. */
function toSwitch(context: RoundContext, config: ShardConfig): Decision | undefined {
  const report = context.reports.current(config);
  if (report?.active !== true || !isCaughtUp(context, config, report)) return undefined;
  if (!bothLive(context, config) || !keepsCopies(context, config)) return undefined;
  const primary = primaryOfNext(context, config, report);
  if (primary === undefined) return undefined;
  const change = { primary, stage: 'switch' } as const;
  const cause = { name: 'move.advanced', stage: 'switch' } as const;
  return { config: successor(context, config, change), cause };
}

/** The report may be older than a death, and the next stage needs a majority of both sets. */
function bothLive({ census }: RoundContext, { next, replicas }: ShardConfig): boolean {
  return census.hasLiveMajority(replicas) && census.hasLiveMajority(next);
}

function isCaughtUp(
  { census }: RoundContext,
  { next }: ShardConfig,
  { caughtUp }: ShardReport,
): boolean {
  if (broken('planner.caught-up-before-switch')) return true;
  const there = next.filter((node) => caughtUp.includes(node) && census.isAlive(node));
  const all = next.every((node) => caughtUp.includes(node) || census.isLost(node));
  return all && there.length > next.length / 2;
}

/** The old set is done with once the switch itself is on a majority of both. */
function toStable(context: RoundContext, config: ShardConfig): Decision | undefined {
  const active = context.reports.current(config)?.active === true;
  if (!active && !broken('planner.active-before-stable')) return undefined;
  const { next, primary } = config;
  const change = { primary, stage: 'stable', replicas: next, next: [], session: 0 } as const;
  return { config: successor(context, config, change), cause: { name: 'move.finished' } };
}

function rolledBack(context: RoundContext, config: ShardConfig): Decision | undefined {
  const reason = reasonToRollBack(context, config);
  if (reason === undefined) return undefined;
  const { primary } = config;
  const change = { primary, stage: 'stable', next: [], session: 0 } as const;
  const cause = { name: 'move.rolledBack', reason } as const;
  return { config: successor(context, config, change), cause };
}

function reasonToRollBack(context: RoundContext, config: ShardConfig): RollBackReason | undefined {
  const { census, now, target } = context;
  const wanted = target?.[config.shard]?.replicas;
  if (wanted !== undefined && !isSameSet(wanted, config.next)) return 'targetChanged';
  const lost = joiners(config).some((node) => census.lostForMs(node) >= PLANNER.joinerLostMs);
  if (lost) return 'joinerLost';
  return now - lastProgress(context, config) >= patienceMs(context, config)
    ? 'noProgress'
    : undefined;
}

function lastProgress({ reports, tracks }: RoundContext, config: ShardConfig): number {
  return Math.max(tracks.since(config.shard), reports.changedAt(config) ?? 0);
}

/** Streams into one node share its throttle, so a big neighbour may be what a shard waits for. */
function patienceMs({ configs, reports }: RoundContext, config: ShardConfig): number {
  const targets = joiners(config);
  let bytes = 0;
  for (const other of configs) {
    if (other.stage !== 'dual') continue;
    const shares = joiners(other).some((node) => targets.includes(node));
    if (shares) bytes += reports.last(other.shard)?.bytes ?? 0;
  }
  return PLANNER.stallMs + (bytes * 1000) / PLANNER.streamBytesPerSecondMin;
}

/** A copy that is alive now must not be given up for one that is not. */
export function keepsCopies(
  { census }: Pick<RoundContext, 'census'>,
  { next, replicas }: Pick<ShardConfig, 'next' | 'replicas'>,
): boolean {
  if (!census.hasLiveMajority(next)) return false;
  return census.lastingCount(next) >= census.lastingCount(replicas);
}

/** Where placement wants it, if it can lead; else whoever leads already; else the best of them. */
function primaryOfNext(
  context: RoundContext,
  config: ShardConfig,
  { caughtUp }: ShardReport,
): NodeId | undefined {
  const { census, target } = context;
  const wanted = target?.[config.shard]?.primary;
  const canLead = (node: NodeId | undefined): node is NodeId =>
    node !== undefined &&
    config.next.includes(node) &&
    caughtUp.includes(node) &&
    census.isSteady(node) &&
    !census.isDraining(node);
  if (canLead(wanted)) return wanted;
  if (config.next.includes(config.primary)) return config.primary;
  return bestPrimary(context, config, config.next.filter(canLead));
}
