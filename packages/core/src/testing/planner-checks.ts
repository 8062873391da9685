import type { ControlCommand, NodeId, ShardConfig, ShardId } from '@memgrid/protocol';
import { InvariantError } from '../assert.ts';
import type { ControlState } from '../control/control-state.ts';
import { servingSet, writeSets } from '../control/shard-sets.ts';
import { shardTransition } from '../control/shard-transition.ts';
import type { ControlEvent } from '../node-event.ts';
import { PLANNER } from '../planner/planner-config.ts';
import type { PlannerFacts } from '../planner/planner-io.ts';

/** What must hold of everything that a planner proposes and a control group applies. */
export class PlannerChecks {
  readonly #proposedUntil = new Map<ShardId, { epoch: number; until: number }>();
  readonly #epochs = new Map<ShardId, Map<number, string>>();

  /** Another coordinator may decide again on what its predecessor decided. */
  forgetProposals(): void {
    this.#proposedUntil.clear();
  }

  proposed(
    now: number,
    command: ControlCommand,
    facts: PlannerFacts,
    wasActivated: (config: ShardConfig) => boolean,
  ): void {
    if (command.kind !== 'assignShards') return;
    const alive = new Set(
      facts.members.filter((view) => view.liveness === 'alive').map((view) => view.nodeId),
    );
    for (const change of command.changes) {
      const before = facts.control.shards[change.shard];
      const problem = shardTransition(before, change);
      if (problem !== undefined) fail(change, problem);
      this.#checkAlone(now, change, before);
      if (before !== undefined) {
        checkMajorities(before, change, alive);
        if (before.stage === 'switch' && change.stage === 'stable' && !wasActivated(before)) {
          fail(change, 'the switch ends before it is active');
        }
      }
    }
  }

  applied(
    events: readonly ControlEvent[],
    before: readonly ShardConfig[],
    control: ControlState,
  ): void {
    for (const event of events) {
      // Status changes of members overlap with what was decided before; anything else is a defect.
      if (event.name === 'command.ignored' && event.command === 'createShards') continue;
      if (event.name === 'command.ignored' && !/ is (left|expelled)/.test(event.detail)) {
        throw new InvariantError(`${event.command} was ignored: ${event.detail}`);
      }
    }
    control.view().shards.forEach((config, shard) => {
      const old = before[shard];
      if (old === config) return;
      if (old !== undefined && config.epoch <= old.epoch) fail(config, 'the epoch went back');
      this.#checkOneOfItsEpoch(config);
    });
  }

  /** Whatever a majority of those who serve answers, one of them knows everything. */
  copies(
    configs: readonly ShardConfig[],
    isComplete: (config: ShardConfig, node: NodeId) => boolean,
  ): void {
    for (const config of configs) {
      const set = servingSet(config);
      const complete = set.filter((node) => isComplete(config, node)).length;
      if (complete <= set.length / 2)
        fail(config, `only ${complete} of ${set.length} are complete`);
    }
  }

  /** Never two changes of one shard at a time. */
  #checkAlone(now: number, change: ShardConfig, before: ShardConfig | undefined): void {
    const open = this.#proposedUntil.get(change.shard);
    const applied = (before?.epoch ?? 0) >= (open?.epoch ?? 0);
    if (open !== undefined && !applied && now < open.until) fail(change, 'two changes at a time');
    const until = now + PLANNER.proposalMs;
    this.#proposedUntil.set(change.shard, { epoch: change.epoch, until });
  }

  #checkOneOfItsEpoch(config: ShardConfig): void {
    const epochs = this.#epochs.get(config.shard) ?? new Map<number, string>();
    this.#epochs.set(config.shard, epochs);
    const text = JSON.stringify(config);
    const known = epochs.get(config.epoch);
    if (known !== undefined && known !== text) fail(config, 'the epoch has two configurations');
    epochs.set(config.epoch, text);
  }
}

/** No shard loses the majority that it needs by a decision. */
function checkMajorities(
  before: ShardConfig,
  after: ShardConfig,
  alive: ReadonlySet<NodeId>,
): void {
  const hasMajority = (set: readonly NodeId[]): boolean => {
    return set.filter((node) => alive.has(node)).length > set.length / 2;
  };
  const could = writeSets(before).every(hasMajority);
  if (!writeSets(after).every(hasMajority)) {
    if (could) fail(after, 'the decision takes away a living majority');
    const isRename = before.primary === after.primary;
    if (!isRename) fail(after, 'a new primary without a living majority');
  }
  if (!alive.has(after.primary) && after.primary !== before.primary) {
    fail(after, 'the new primary is not alive');
  }
}

function fail(config: ShardConfig, problem: string): never {
  throw new InvariantError(`Shard ${config.shard}: ${problem}: ${JSON.stringify(config)}`);
}
