/** May `node` get `shard`, once `leaving` (another holder) has given it up? */
export type Admits = (shard: number, node: number, leaving?: number) => boolean;

/** Node `from` can hand `shard` to the node that this step leads to. */
interface Step {
  readonly from: number;
  readonly shard: number;
}

/**
 * Who holds what while a placement is made: each node up to its capacity, each shard as often as
 * it needs. Shards and nodes are numbers here, counted from 0.
 */
export class BoundedAssignment {
  readonly #capacities: readonly number[];
  /** Shards by node. Sets keep the order of insertion, so walking over them is deterministic. */
  readonly #held: readonly Set<number>[];
  readonly #holders: readonly number[][];
  readonly #needed: number;

  /** @param needed holders for each shard. */
  constructor(capacities: readonly number[], shardCount: number, needed: number) {
    this.#capacities = capacities;
    this.#held = capacities.map(() => new Set());
    this.#holders = Array.from({ length: shardCount }, () => []);
    this.#needed = needed;
  }

  /** In the order in which they got it. */
  holdersOf(shard: number): readonly number[] {
    return this.#holders[shard] as number[];
  }

  holds(shard: number, node: number): boolean {
    return this.#heldBy(node).has(shard);
  }

  missing(shard: number): number {
    return this.#needed - this.holdersOf(shard).length;
  }

  /** Gives a shard to a node where both have room and the rule allows it. */
  offer(shard: number, node: number, admits: Admits): void {
    if (this.missing(shard) === 0 || !this.#hasRoom(node)) return;
    if (!this.holds(shard, node) && admits(shard, node)) this.#give(shard, node);
  }

  /**
   * Finds holders for the shards that are left over when everybody with room holds them already
   * or may not: a full node takes the shard and hands one of its own on, if need be along a chain.
   *
   * Without a rule this finds a complete assignment whenever there is one, because it is the
   * augmenting path of bipartite matching. With a rule it may give up on a shard.
   *
   * @returns how many holders are still missing.
   */
  complete(admits: Admits): number {
    // No room can be reached from these, and none will be: handing on along a chain makes no room.
    const hopeless = new Set<number>();
    let missing = 0;
    for (let shard = 0; shard < this.#holders.length; shard++) {
      while (this.missing(shard) > 0 && this.#squeezeIn(shard, admits, hopeless));
      missing += this.missing(shard);
    }
    return missing;
  }

  #squeezeIn(shard: number, admits: Admits, hopeless: Set<number>): boolean {
    const steps = new Map<number, Step | undefined>();
    for (let node = 0; node < this.#held.length; node++) {
      if (hopeless.has(node) || this.holds(shard, node) || !admits(shard, node)) continue;
      steps.set(node, undefined);
    }
    // A map can grow while it is walked, so this is a breadth-first search.
    for (const node of steps.keys()) {
      if (this.#hasRoom(node)) {
        this.#shift(shard, node, steps);
        return true;
      }
      for (let next = 0; next < this.#held.length; next++) {
        if (steps.has(next) || hopeless.has(next)) continue;
        const handed = this.#handOn(node, next, admits, usedBefore(shard, node, steps));
        if (handed !== undefined) steps.set(next, { from: node, shard: handed });
      }
    }
    for (const node of steps.keys()) hopeless.add(node);
    return false;
  }

  /** A shard that `from` can hand to `to`, other than those that the chain moves already. */
  #handOn(from: number, to: number, admits: Admits, used: ReadonlySet<number>): number | undefined {
    for (const shard of this.#heldBy(from)) {
      if (!this.holds(shard, to) && !used.has(shard) && admits(shard, to, from)) return shard;
    }
    return undefined;
  }

  /** Carries out a chain, from the node with room back to the one that takes `shard`. */
  #shift(shard: number, last: number, steps: ReadonlyMap<number, Step | undefined>): void {
    let node = last;
    for (let step = steps.get(node); step !== undefined; step = steps.get(node)) {
      this.#take(step.shard, step.from);
      this.#give(step.shard, node);
      node = step.from;
    }
    this.#give(shard, node);
  }

  #give(shard: number, node: number): void {
    this.#heldBy(node).add(shard);
    (this.#holders[shard] as number[]).push(node);
  }

  #take(shard: number, node: number): void {
    this.#heldBy(node).delete(shard);
    const holders = this.#holders[shard] as number[];
    holders.splice(holders.indexOf(node), 1);
  }

  #hasRoom(node: number): boolean {
    return this.#heldBy(node).size < (this.#capacities[node] as number);
  }

  #heldBy(node: number): Set<number> {
    return this.#held[node] as Set<number>;
  }
}

/** A rule sees the state before a chain, so a chain must not move one shard twice. */
function usedBefore(
  shard: number,
  node: number,
  steps: ReadonlyMap<number, Step | undefined>,
): ReadonlySet<number> {
  const used = new Set([shard]);
  for (let step = steps.get(node); step !== undefined; step = steps.get(step.from)) {
    used.add(step.shard);
  }
  return used;
}
