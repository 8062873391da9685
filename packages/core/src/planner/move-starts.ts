import type { NodeId, ShardConfig } from '@memgrid/protocol';
import { isSameSet, joiners } from '../control/shard-sets.ts';
import type { Decision } from './decision.ts';
import { successor } from './fail-over.ts';
import { keepsCopies } from './move-steps.ts';
import { PLANNER } from './planner-config.ts';
import type { MoveReason } from './planner-io.ts';
import type { RoundContext } from './round-context.ts';

/** A stable shard that placement wants elsewhere. */
interface Wish {
  readonly config: ShardConfig;
  readonly next: readonly NodeId[];
  /** Those of `next` who have to be sent the data. */
  readonly joiners: readonly NodeId[];
  readonly reason: MoveReason;
}

const URGENCY: readonly MoveReason[] = ['repair', 'drain', 'balance'];

/** How many shards are not where placement wants them, those on their way not counted. */
export function waitingMoves(
  configs: readonly ShardConfig[],
  target: RoundContext['target'],
): number {
  return configs.filter((config) => {
    const wanted = target?.[config.shard]?.replicas;
    return config.stage === 'stable' && wanted !== undefined && !isSameSet(wanted, config.replicas);
  }).length;
}

/** Moves to begin in this round, the most urgent first, within the bounds of what may move at once. */
export function movesToBegin(
  context: RoundContext,
  isTaken: (config: ShardConfig) => boolean,
): readonly Decision[] {
  // What was proposed takes its place before it commits.
  const budget = new MoveBudget(
    context.configs.map((config) => context.tracks.underWay(context.now, config.shard) ?? config),
  );
  const wishes = context.configs
    .map((config) => wishFor(context, config))
    .filter((wish) => wish !== undefined && !isTaken(wish.config)) as readonly Wish[];
  // Hundreds of shards wait for the few that move, and this runs ten times a second: what a shard
  // needs before it may move is asked only of those for which there is room.
  return URGENCY.flatMap((reason) => wishes.filter((wish) => wish.reason === reason))
    .filter(
      (wish) =>
        budget.hasRoom(wish.joiners) && isPossible(context, wish) && budget.take(wish.joiners),
    )
    .map(({ config, next, reason }): Decision => {
      const { primary } = config;
      const session = config.epoch + 1;
      const begun = successor(context, config, { primary, stage: 'admit', next, session });
      return { config: begun, cause: { name: 'move.planned', reason } };
    });
}

function wishFor(context: RoundContext, config: ShardConfig): Wish | undefined {
  const { replicas, shard, stage } = config;
  const next = context.target?.[shard]?.replicas;
  if (stage !== 'stable' || next === undefined || isSameSet(next, replicas)) return undefined;
  const wanted = { replicas, next };
  return {
    config,
    next,
    joiners: joiners({ stage, ...wanted }),
    reason: reasonFor(context, replicas),
  };
}

function isPossible(context: RoundContext, { config, next, joiners: joining }: Wish): boolean {
  const { census, now, reports, tracks } = context;
  const { primary, replicas, shard } = config;
  // A shard that does not serve has other troubles.
  return (
    tracks.mayMove(now, shard) &&
    reports.current(config)?.active === true &&
    census.isPresent(primary) &&
    census.hasLiveMajority(replicas) &&
    keepsCopies(context, { replicas, next }) &&
    joining.every((node) => census.isPresent(node))
  );
}

function reasonFor({ census }: RoundContext, replicas: readonly NodeId[]): MoveReason {
  const lost = replicas.some((node) => census.lostForMs(node) >= PLANNER.replaceAfterMs);
  if (lost) return 'repair';
  return replicas.some((node) => census.isDraining(node)) ? 'drain' : 'balance';
}

/** What may still begin, given what is under way. */
class MoveBudget {
  #moves: number;
  readonly #incoming = new Map<NodeId, number>();

  constructor(configs: readonly ShardConfig[]) {
    const tenth = Math.ceil((configs.length * PLANNER.movingPercentMax) / 100);
    this.#moves = Math.max(PLANNER.movingMin, tenth);
    for (const config of configs) {
      if (config.stage === 'stable') continue;
      this.#moves -= 1;
      for (const node of joiners(config)) this.#incoming.set(node, this.#into(node) + 1);
    }
  }

  hasRoom(targets: readonly NodeId[]): boolean {
    return this.#moves > 0 && targets.every((node) => this.#into(node) < PLANNER.incomingMax);
  }

  take(targets: readonly NodeId[]): boolean {
    if (!this.hasRoom(targets)) return false;
    this.#moves -= 1;
    for (const node of targets) this.#incoming.set(node, this.#into(node) + 1);
    return true;
  }

  #into(node: NodeId): number {
    return this.#incoming.get(node) ?? 0;
  }
}
