import type { NodeId, ShardConfig, ShardId, ShardReports } from '@memgrid/protocol';
import { holders } from '../control/shard-sets.ts';
import { after, type Instant } from '../machine.ts';
import type { ControlView } from '../node-status.ts';
import { Census } from './census.ts';
import { firstAssignments } from './first-assignments.ts';
import { proposalsOf, type Decision } from './decision.ts';
import { rescue } from './fail-over.ts';
import { handovers } from './handovers.ts';
import { movesToBegin, waitingMoves } from './move-starts.ts';
import { nextStep } from './move-steps.ts';
import { PLANNER } from './planner-config.ts';
import type { PlannerEvent, PlannerFacts, PlannerRound, StuckReason } from './planner-io.ts';
import { PrimaryTally } from './primary-tally.ts';
import { moveProgress, type MoveProgress } from './progress.ts';
import { ReportBook } from './report-book.ts';
import type { RoundContext } from './round-context.ts';
import { ShardTracks } from './shard-tracks.ts';
import { StuckNotice } from './stuck-notice.ts';
import { TargetTable } from './target-table.ts';

const NOTHING: PlannerRound = { proposals: [], events: [] };

/** The decisions of one round, each shard at most once. */
interface Draft {
  readonly decisions: Decision[];
  readonly stuck: Map<StuckReason, ShardId[]>;
  /** Moves taken a step further. */
  steps: number;
  /** Shards that are decided, under way, or better left alone. */
  readonly taken: Set<ShardId>;
}

/**
 * Decides who owns which shard: fail-over, moves, and the way back to balance.
 *
 * Runs at the coordinator only, and proposes; the control state applies a change only to the very
 * configuration that it was decided on. Everything that this machine remembers can be lost with
 * the coordinator: a successor starts from the committed table and from what primaries report.
 * See DESIGN.md.
 */
export class Planner {
  #leadingSince: Instant | undefined;
  #roundAt: Instant | undefined;
  #lastRoundAt = Number.NEGATIVE_INFINITY as Instant;
  #healthySince: Instant | undefined;
  #createAgainAt: Instant | undefined;
  readonly #drained = new Set<NodeId>();
  readonly #reports = new ReportBook();
  readonly #tracks = new ShardTracks();
  readonly #target = new TargetTable();
  readonly #stuckNotice = new StuckNotice();

  /** The next round; undefined while this node does not lead. */
  get wakeAt(): Instant | undefined {
    return this.#roundAt;
  }

  /** Leadership began or ended. */
  setLeading(now: Instant, leading: boolean): void {
    if (leading === (this.#leadingSince !== undefined)) return;
    this.#leadingSince = leading ? now : undefined;
    this.#roundAt = leading ? now : undefined;
    this.#healthySince = undefined;
    this.#createAgainAt = undefined;
    this.#drained.clear();
    this.#reports.forget();
    this.#tracks.forget();
    this.#target.forget();
    this.#stuckNotice.forget();
  }

  /** A primary tells how far its shards are. Without effect while this node does not lead. */
  heard(now: Instant, from: NodeId, { generation, reports }: ShardReports): void {
    if (this.#leadingSince === undefined) return;
    let news = false;
    for (const report of reports) {
      if (this.#reports.note(now, { from, generation }, report)) news = true;
    }
    if (news) this.hurry(now);
  }

  /** Something happened: the next round comes soon, but not one for each of many such calls. */
  hurry(now: Instant): void {
    if (this.#roundAt === undefined) return;
    const soon = Math.max(now, after(this.#lastRoundAt, PLANNER.busyRoundMs)) as Instant;
    if (soon < this.#roundAt) this.#roundAt = soon;
  }

  /** The moves under way, and how many shards wait for theirs. For people. */
  progress(control: ControlView): MoveProgress & { readonly waiting: number } {
    const reports = this.#reports.all(control.shards);
    const waiting = waitingMoves(control.shards, this.#target.table);
    return { ...moveProgress(control, reports), waiting };
  }

  /** Looks at the cluster and decides. May be called at any time: a death should not wait. */
  round(now: Instant, facts: PlannerFacts): PlannerRound {
    if (this.#leadingSince === undefined) return NOTHING;
    this.#lastRoundAt = now;
    this.#roundAt = after(now, PLANNER.roundMs);
    const census = new Census(now, facts, this.#leadingSince);
    if (facts.control.shards.length === 0) return this.#create(now, census, facts);
    const round = this.#decide(this.#contextOf(now, census, facts.control), facts.control);
    if (round.proposals.length > 0) this.hurry(now);
    return round;
  }

  #create(now: Instant, census: Census, facts: PlannerFacts): PlannerRound {
    const { control, founding } = facts;
    const founders = census.members('normal', 'joining').filter(({ weight }) => weight > 0);
    const present = founders.filter(({ nodeId }) => census.isPresent(nodeId));
    const ledMs = now - (this.#leadingSince ?? now);
    const complete = present.length === founders.length || ledMs >= PLANNER.foundersMs;
    if (present.length === 0 || !complete || now < (this.#createAgainAt ?? now)) return NOTHING;
    this.#createAgainAt = after(now, PLANNER.proposalMs);
    const commands = firstAssignments(present, control, founding);
    return { proposals: commands.map((command) => ({ command, events: [] })), events: [] };
  }

  #contextOf(now: Instant, census: Census, control: ControlView): RoundContext {
    const configs = control.shards;
    this.#tracks.observe(now, configs);
    this.#target.update(now, census, control);
    return {
      now,
      census,
      configs,
      reports: this.#reports,
      tracks: this.#tracks,
      tally: new PrimaryTally(configs),
      target: this.#target.table,
    };
  }

  #decide(context: RoundContext, control: ControlView): PlannerRound {
    const { now } = context;
    const draft: Draft = { decisions: [], stuck: new Map(), steps: 0, taken: new Set() };
    for (const config of context.configs) this.#decideOn(context, config, draft);
    const isTaken = ({ shard }: ShardConfig): boolean => draft.taken.has(shard);
    const settled = this.#isSettled(context);
    // First off the draining ones: a primary that stops without notice costs a fail-over.
    for (const decision of handovers(context, { settled, isTaken })) take(draft, decision);
    const room = PLANNER.stepsMax - draft.steps;
    for (const decision of movesToBegin(context, isTaken).slice(0, room)) take(draft, decision);
    for (const decision of draft.decisions) this.#tracks.proposed(now, decision);
    return {
      proposals: proposalsOf(draft.decisions),
      events: [
        ...this.#stuckNotice.events(now, draft.stuck),
        ...this.#drainedEvents(context, control),
      ],
    };
  }

  /** What this shard needs by itself, whatever the others do. */
  #decideOn(context: RoundContext, config: ShardConfig, draft: Draft): void {
    const { shard } = config;
    if (this.#tracks.underWay(context.now, shard) !== undefined) {
      draft.taken.add(shard);
      return;
    }
    const help = rescue(context, config);
    if (help === undefined) {
      const step = draft.steps < PLANNER.stepsMax ? nextStep(context, config) : undefined;
      if (step === undefined) return;
      draft.steps += 1;
      take(draft, step);
      return;
    }
    draft.taken.add(shard);
    if (help.kind === 'decision') take(draft, help.decision);
    if (help.kind !== 'stuck') return;
    const others = draft.stuck.get(help.reason);
    if (others === undefined) draft.stuck.set(help.reason, [shard]);
    else others.push(shard);
  }

  #isSettled({ census, configs, now, target }: RoundContext): boolean {
    const healthy =
      census.isHealthy &&
      target !== undefined &&
      configs.every(({ stage }) => stage === 'stable') &&
      waitingMoves(configs, target) === 0;
    if (!healthy) this.#healthySince = undefined;
    else this.#healthySince ??= now;
    return this.#healthySince !== undefined && now - this.#healthySince >= PLANNER.settledMs;
  }

  #drainedEvents({ census, configs }: RoundContext, control: ControlView): readonly PlannerEvent[] {
    const { draining } = census;
    for (const node of this.#drained) if (!draining.includes(node)) this.#drained.delete(node);
    const waiting = draining.filter((node) => !this.#drained.has(node));
    if (waiting.length === 0 || control.shards.length === 0) return [];
    const holding = new Set(configs.flatMap((config) => holders(config)));
    const empty = waiting.filter((node) => !holding.has(node));
    for (const node of empty) this.#drained.add(node);
    return empty.map((member) => ({ name: 'member.drained', member }));
  }
}

function take(draft: Draft, decision: Decision): void {
  draft.decisions.push(decision);
  draft.taken.add(decision.config.shard);
}
