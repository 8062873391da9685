import type { ShardId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { NO_SLOT } from './placement-table.ts';
import type { NodeSlot, PlacementTable } from './placement-table.ts';

/** A node with an open connection, as routing looks at it. */
export interface Reachable {
  readonly slot: NodeSlot;
  /** It takes new operations: it has not said goodbye. */
  readonly usable: boolean;
  /** It owes an answer for longer than it should, and nothing has been heard of it since. */
  readonly suspect: boolean;
  /** The smaller the better: how long an answer takes, times how many it owes already. */
  readonly cost: number;
  /** The highest place in this shard that an answer of this node has shown. */
  seen(shard: ShardId): number;
}

/** Connections, as routing needs them. */
export interface Reach<Node extends Reachable> {
  /** Undefined while there is no connection to this node. */
  at(slot: NodeSlot): Node | undefined;
  /** All connections, in an order that stays. */
  readonly all: readonly Node[];
  /** A connection to this node would have been of use. */
  want(slot: NodeSlot): void;
}

/** Where one operation wants to go. */
export interface RouteRequest {
  readonly shard: ShardId;
  /** Writes and strong reads: another node would only forward them. */
  readonly toPrimary: boolean;
  /** Has just failed or is being asked already; taken only when nobody else is there. */
  readonly avoid: NodeSlot;
  /** Named by a node that does not hold the shard; `NO_SLOT` for none. */
  readonly hint: NodeSlot;
  /** A read at `one` waits at a replica that has not come so far. 0 for anything. */
  readonly atLeast: number;
  /** When the session learned of `atLeast`. */
  readonly atLeastSince: Instant;
}

/**
 * Which node to ask. See DESIGN.md of `session/`, Q6.
 *
 * Only nodes with an open connection are chosen: another one is asked to forward while the right
 * one is being dialled, because a hop is shorter than a handshake.
 */
export class Router<Node extends Reachable> {
  readonly #placement: PlacementTable;
  readonly #reach: Reach<Node>;
  readonly #freshMs: number;

  constructor(placement: PlacementTable, reach: Reach<Node>, freshMs: number) {
    this.#placement = placement;
    this.#reach = reach;
    this.#freshMs = freshMs;
  }

  pick(request: RouteRequest, now: Instant): Node | undefined {
    const hinted = request.hint === NO_SLOT ? undefined : this.#at(request.hint);
    if (hinted !== undefined && isGood(hinted)) return hinted;
    const best = request.toPrimary ? this.#primary(request) : this.#replica(request, now);
    return best ?? this.#any(request);
  }

  /** Another replica than the one that is being asked; undefined when there is none. */
  pickSecond(request: RouteRequest, now: Instant): Node | undefined {
    const second = this.#replica(request, now);
    return second === undefined || second.slot === request.avoid ? undefined : second;
  }

  #primary(request: RouteRequest): Node | undefined {
    const slot = this.#placement.primaryOf(request.shard);
    if (slot === NO_SLOT || slot === request.avoid) return undefined;
    const node = this.#at(slot);
    return node !== undefined && isGood(node) ? node : undefined;
  }

  #replica(request: RouteRequest, now: Instant): Node | undefined {
    const { shard, atLeast } = request;
    const mustHaveShown = atLeast > 0 && now - request.atLeastSince < this.#freshMs;
    let best: Node | undefined;
    let bestHasShown = false;
    for (const slot of this.#placement.replicasOf(shard)) {
      if (slot === request.avoid) continue;
      const node = this.#at(slot);
      if (node === undefined || !isGood(node)) continue;
      // The primary has every write that it answered, whatever it has shown of late.
      const hasShown =
        !mustHaveShown || node.seen(shard) >= atLeast || slot === this.#placement.primaryOf(shard);
      if (best !== undefined && (hasShown === bestHasShown ? node.cost >= best.cost : !hasShown)) {
        continue;
      }
      best = node;
      bestHasShown = hasShown;
    }
    return best;
  }

  /** Whoever is there and can pass it on: a replica if possible, for a shorter way. */
  #any(request: RouteRequest): Node | undefined {
    for (const slot of this.#placement.replicasOf(request.shard)) {
      const node = slot === request.avoid ? undefined : this.#reach.at(slot);
      if (node !== undefined && isGood(node)) return node;
    }
    let best: Node | undefined;
    for (const node of this.#reach.all) {
      if (!node.usable) continue;
      if (best === undefined || isBetter(node, best, request.avoid)) best = node;
    }
    return best;
  }

  #at(slot: NodeSlot): Node | undefined {
    const node = this.#reach.at(slot);
    if (node === undefined) this.#reach.want(slot);
    return node;
  }
}

function isGood(node: Reachable): boolean {
  return node.usable && !node.suspect;
}

function isBetter(a: Reachable, b: Reachable, avoid: NodeSlot): boolean {
  if ((a.slot === avoid) !== (b.slot === avoid)) return b.slot === avoid;
  if (a.suspect !== b.suspect) return b.suspect;
  return a.cost < b.cost;
}
