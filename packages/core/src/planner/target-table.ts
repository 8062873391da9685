import { placeShards, type PlacementMember, type ShardReplicas } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { ControlView } from '../node-status.ts';
import type { Census } from './census.ts';
import { PLANNER } from './planner-config.ts';

/** Pairs of shard and member that placement can order: see its DESIGN.md. */
const PAIRS_MAX = 2 ** 22;

/**
 * Where the shards should live, computed once for each set of members.
 *
 * A new set has to hold still first: five nodes that join together are one plan, and a member that
 * is only suspected is worth waiting for.
 */
export class TargetTable {
  #key: string | undefined;
  #table: readonly ShardReplicas[] | undefined;
  /** Another set of members than the table's, and since when it has held still. */
  #wanted: { readonly key: string; readonly since: Instant; quietSince: Instant } | undefined;

  /** Undefined until there is a plan. */
  get table(): readonly ShardReplicas[] | undefined {
    return this.#table;
  }

  forget(): void {
    this.#key = undefined;
    this.#table = undefined;
    this.#wanted = undefined;
  }

  /** @returns when a plan that waits may be made. */
  update(now: Instant, census: Census, control: ControlView): Instant | undefined {
    const { replicationFactor, shardCount } = control;
    const members = census.eligible(replicationFactor);
    const key = keyOf(members);
    if (key === this.#key || members.length === 0) {
      this.#wanted = undefined;
      return undefined;
    }
    if (this.#wanted?.key !== key) this.#wanted = { key, since: now, quietSince: now };
    if (!census.isQuiet) this.#wanted.quietSince = now;
    const { quietSince, since } = this.#wanted;
    const patienceMs = isDraining(control) ? PLANNER.drainQuietMsMax : PLANNER.quietMsMax;
    const due = Math.min(quietSince + PLANNER.quietMs, since + patienceMs) as Instant;
    if (now < due) return due;
    this.#key = key;
    this.#table = placement(members, shardCount, replicationFactor);
    this.#wanted = undefined;
    return undefined;
  }
}

/** An operator waits, and has said which set of members is meant to stay. */
function isDraining(control: ControlView): boolean {
  return control.members.some((member) => member.status === 'draining');
}

/** Where new shards begin their life. */
export function placement(
  members: readonly PlacementMember[],
  shardCount: number,
  replicationFactor: number,
): readonly ShardReplicas[] {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const fitting = sorted.slice(0, Math.floor(PAIRS_MAX / shardCount));
  return placeShards(fitting, { shardCount, replicationFactor });
}

function keyOf(members: readonly PlacementMember[]): string {
  return members
    .map(({ id, weight, zone }) => `${id}\0${weight}\0${zone}`)
    .sort()
    .join('\n');
}
