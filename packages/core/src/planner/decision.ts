import {
  LIMITS,
  shardTableField,
  type ControlCommand,
  type ShardConfig,
  type ShardId,
} from '@memgrid/protocol';
import { PLANNER } from './planner-config.ts';
import type {
  FailOverReason,
  MoveReason,
  PlannerEvent,
  PlannerProposal,
  RollBackReason,
} from './planner-io.ts';

export type Cause =
  | { readonly name: 'shard.failedOver'; readonly reason: FailOverReason }
  | { readonly name: 'move.planned'; readonly reason: MoveReason }
  | { readonly name: 'move.advanced'; readonly stage: 'dual' | 'switch' }
  | { readonly name: 'move.rolledBack'; readonly reason: RollBackReason }
  | { readonly name: 'move.finished' };

/** One shard's next configuration, and why. */
export interface Decision {
  readonly config: ShardConfig;
  readonly cause: Cause;
}

/** Room for the command around the table. */
const COMMAND_OVERHEAD_BYTES = 64;

/** As few commands as hold all decisions, each with its own events. */
export function proposalsOf(decisions: readonly Decision[]): readonly PlannerProposal[] {
  if (decisions.length === 0) return [];
  const sorted = decisions.toSorted((a, b) => a.config.shard - b.config.shard);
  return commandsFor(sorted.map(({ config }) => config)).map((command) => {
    const inside = new Set(command.changes.map(({ shard }) => shard));
    const events = eventsOf(sorted.filter(({ config }) => inside.has(config.shard)));
    return { command, events };
  });
}

type AssignShards = Extract<ControlCommand, { readonly kind: 'assignShards' }>;

/** @param changes in ascending order of shard. */
export function commandsFor(changes: readonly ShardConfig[]): readonly AssignShards[] {
  const fits = shardTableField.bytes(changes) <= LIMITS.commandBytesMax - COMMAND_OVERHEAD_BYTES;
  if (fits) return [{ kind: 'assignShards', changes }];
  const middle = changes.length >>> 1;
  return [...commandsFor(changes.slice(0, middle)), ...commandsFor(changes.slice(middle))];
}

function eventsOf(decisions: readonly Decision[]): readonly PlannerEvent[] {
  const groups = new Map<string, { readonly cause: Cause; readonly shards: ShardId[] }>();
  for (const { cause, config } of decisions) {
    const key = keyOf(cause);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { cause, shards: [config.shard] });
    else group.shards.push(config.shard);
  }
  return [...groups.values()].map(({ cause, shards }) => ({ ...cause, ...batch(shards) }));
}

function keyOf(cause: Cause): string {
  if ('reason' in cause) return `${cause.name} ${cause.reason}`;
  return 'stage' in cause ? `${cause.name} ${cause.stage}` : cause.name;
}

/** How many, and the first few by name. */
export function batch(shards: readonly ShardId[]): { count: number; shards: readonly ShardId[] } {
  return { count: shards.length, shards: shards.slice(0, PLANNER.examplesMax) };
}
