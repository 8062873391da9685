import type { NodeId, PlacementMember } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { RegisteredMember } from '../node-status.ts';
import { PLANNER } from './planner-config.ts';
import type { PlannerFacts } from './planner-io.ts';

/** How a member counts in one round. */
interface Standing {
  readonly member: RegisteredMember;
  readonly view: MemberView | undefined;
  /** May be counted on: gossip holds it for alive. */
  readonly alive: boolean;
  /** May become a primary: alive in the very generation that is registered. */
  readonly present: boolean;
  /** Since when it is away for good or for now; undefined while it may be there. */
  readonly lostSince: number | undefined;
}

/** Who is there in one round: gossip's view and the registry, taken together. */
export class Census {
  readonly #now: Instant;
  readonly #standings = new Map<NodeId, Standing>();

  /** @param leadingSince whom gossip does not know by then has not been met yet. */
  constructor(now: Instant, facts: PlannerFacts, leadingSince: Instant) {
    this.#now = now;
    const views = new Map(facts.members.map((view) => [view.nodeId, view]));
    for (const member of facts.control.members) {
      const standing = standingOf(member, views.get(member.nodeId), leadingSince);
      this.#standings.set(member.nodeId, standing);
    }
  }

  registered(node: NodeId): RegisteredMember | undefined {
    return this.#standings.get(node)?.member;
  }

  isAlive(node: NodeId): boolean {
    return this.#standings.get(node)?.alive ?? false;
  }

  isPresent(node: NodeId): boolean {
    return this.#standings.get(node)?.present ?? false;
  }

  /** Alive, and neither flapping nor with a clock that nobody trusts. */
  isSteady(node: NodeId): boolean {
    const view = this.#standings.get(node)?.view;
    return this.isPresent(node) && view?.unstable === false && !view.meta.clockSuspect;
  }

  isDraining(node: NodeId): boolean {
    return this.#standings.get(node)?.member.status === 'draining';
  }

  /** It left or was expelled, or nobody knows it. */
  isGone(node: NodeId): boolean {
    return hasGone(this.#standings.get(node)?.member);
  }

  /** Gossip's word is final for now: suspected members may still be there. */
  isLost(node: NodeId): boolean {
    return this.lostForMs(node) > 0;
  }

  /** 0 while it may be there; infinite when it is gone for good. */
  lostForMs(node: NodeId): number {
    if (this.isGone(node)) return Number.POSITIVE_INFINITY;
    const since = this.#standings.get(node)?.lostSince;
    if (since === undefined || this.#now < since) return 0;
    return Math.max(1, this.#now - since);
  }

  hasLiveMajority(set: readonly NodeId[]): boolean {
    return this.liveCount(set) > set.length / 2;
  }

  liveCount(set: readonly NodeId[]): number {
    let count = 0;
    for (const node of set) if (this.isAlive(node)) count += 1;
    return count;
  }

  /** Could it come back without anybody being brought back from the dead? */
  mayHaveMajority(set: readonly NodeId[]): boolean {
    let count = 0;
    for (const node of set) if (!this.isLost(node)) count += 1;
    return count > set.length / 2;
  }

  /** Copies that count for the future: not those that are on their way out. */
  lastingCount(set: readonly NodeId[]): number {
    return set.filter((node) => this.isAlive(node) && !this.isDraining(node)).length;
  }

  /** Nobody whose fate is open. */
  get isQuiet(): boolean {
    return [...this.#standings.values()].every(({ view }) => view?.liveness !== 'suspect');
  }

  /** Everybody who should be there is, and nobody is on the way out. */
  get isHealthy(): boolean {
    return [...this.#standings.values()].every(
      ({ member, present }) => present || hasGone(member) || member.status === 'joining',
    );
  }

  get draining(): readonly NodeId[] {
    return this.members('draining').map((member) => member.nodeId);
  }

  members(...statuses: readonly RegisteredMember['status'][]): readonly RegisteredMember[] {
    return [...this.#standings.values()]
      .map(({ member }) => member)
      .filter(({ status }) => statuses.includes(status));
  }

  /**
   * Who should hold shards: normal members, except those that are lost for longer than a restart
   * takes, unless there would be too few of them. A set without a dead member and without another in
   * its place needs just as many of the living for a write, and gains nothing when the dead returns.
   */
  eligible(replicationFactor: number): readonly PlacementMember[] {
    const normal = this.members('normal').filter(({ weight }) => weight > 0);
    const lostForMs = ({ nodeId }: RegisteredMember): number => this.lostForMs(nodeId);
    const there = normal.filter((member) => lostForMs(member) < PLANNER.replaceAfterMs);
    const missing = Math.max(0, replicationFactor - there.length);
    const latestLost = normal
      .filter((member) => !there.includes(member))
      .toSorted((a, b) => lostForMs(a) - lostForMs(b) || (a.nodeId < b.nodeId ? -1 : 1));
    return [...there, ...latestLost.slice(0, missing)].map(placed);
  }
}

export function placed({ nodeId, weight, zone }: RegisteredMember): PlacementMember {
  return { id: nodeId, weight, zone };
}

function standingOf(
  member: RegisteredMember,
  view: MemberView | undefined,
  leadingSince: Instant,
): Standing {
  const alive = view?.liveness === 'alive' && !hasGone(member);
  const present = alive && view.generation === member.generation;
  const away = view?.liveness === 'dead' || view?.liveness === 'left';
  // A new coordinator may not have met everybody, which says nothing about them yet.
  const lostSince = view === undefined ? leadingSince + PLANNER.foundersMs : view.sinceMs;
  const lost = away || view === undefined;
  return { member, view, alive, present, lostSince: lost ? lostSince : undefined };
}

function hasGone(member: RegisteredMember | undefined): boolean {
  return member === undefined || member.status === 'left' || member.status === 'expelled';
}
