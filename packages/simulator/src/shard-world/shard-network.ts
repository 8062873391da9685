import type { Random } from '@memgrid/core';
import type { EventQueue } from '../event-queue.ts';
import type { ShardTuning } from './shard-tuning.ts';

/** How a message finds its receiver, and what a broken connection says to its two ends. */
export interface ShardNetworkEnds {
  readonly deliver: (from: number, to: number, message: unknown) => void;
  readonly reset: (at: number, peer: number) => void;
  /** Changes with each start of a process: what was sent to or by an earlier one is gone. */
  readonly lifeOf: (node: number) => number;
}

interface Direction {
  /** Raised by each reset: what was under way before it never arrives. */
  connection: number;
  lastArrivalUs: number;
  cuts: number;
}

const SHORTEST_MS = 0.1;

/**
 * The network among the nodes of a `ShardWorld`, in one of two characters: connections that keep
 * the order and break, or single messages that are lost, doubled and reordered. Production speaks
 * over the first; the second asks whether the protocol needs more than it should.
 */
export class ShardNetwork {
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #ends: ShardNetworkEnds;
  readonly #directions = new Map<number, Direction>();
  #tuning: ShardTuning;

  constructor(
    queue: EventQueue,
    random: Random,
    options: { readonly tuning: ShardTuning; readonly ends: ShardNetworkEnds },
  ) {
    this.#queue = queue;
    this.#random = random;
    this.#tuning = options.tuning;
    this.#ends = options.ends;
  }

  send(from: number, to: number, message: unknown): void {
    const { ordered, lossShare, duplicateShare } = this.#tuning;
    const direction = this.#direction(from, to);
    if (direction.cuts > 0) return;
    if (this.#random.chance(lossShare)) {
      if (ordered) this.reset(from, to);
      return;
    }
    this.#transmit(from, to, message);
    if (duplicateShare > 0 && this.#random.chance(duplicateShare)) {
      this.#transmit(from, to, message);
    }
  }

  /** A connection breaks: what is under way in both directions is lost, and both ends hear of it. */
  reset(a: number, b: number): void {
    this.#direction(a, b).connection += 1;
    this.#direction(b, a).connection += 1;
    this.#queue.after(this.#latencyUs(), () => this.#ends.reset(a, b));
    this.#queue.after(this.#latencyUs(), () => this.#ends.reset(b, a));
  }

  cut(from: number, to: number): void {
    this.#direction(from, to).cuts += 1;
  }

  /** Ends one `cut` of this direction. What was sent meanwhile is lost. */
  mend(from: number, to: number): void {
    const direction = this.#direction(from, to);
    direction.cuts = Math.max(0, direction.cuts - 1);
    if (direction.cuts === 0 && this.#tuning.ordered) this.reset(from, to);
  }

  /** From now on nothing is lost, late or overtaken; connections begin anew where they were cut. */
  heal(): void {
    const calm = { lossShare: 0, duplicateShare: 0, tailShare: 0, ordered: true };
    this.#tuning = { ...this.#tuning, ...calm };
    for (const [name, direction] of this.#directions) {
      if (direction.cuts === 0) continue;
      direction.cuts = 0;
      this.reset(Math.floor(name / NODES_MAX), name % NODES_MAX);
    }
  }

  #transmit(from: number, to: number, message: unknown): void {
    const direction = this.#direction(from, to);
    const { connection } = direction;
    const fromLife = this.#ends.lifeOf(from);
    const toLife = this.#ends.lifeOf(to);
    let arrivalUs = this.#queue.nowUs + this.#latencyUs();
    if (this.#tuning.ordered) {
      arrivalUs = Math.max(arrivalUs, direction.lastArrivalUs + 1);
      direction.lastArrivalUs = arrivalUs;
    }
    this.#queue.at(arrivalUs, () => {
      if (direction.connection !== connection || direction.cuts > 0) return;
      // A peer's new life closes the connections of the old one before it says anything.
      if (this.#ends.lifeOf(from) !== fromLife || this.#ends.lifeOf(to) !== toLife) return;
      this.#ends.deliver(from, to, message);
    });
  }

  #latencyUs(): number {
    const { latencyMsMax, tailShare, tailMs } = this.#tuning;
    const slow = tailShare > 0 && this.#random.chance(tailShare);
    return Math.round(this.#random.between(SHORTEST_MS, slow ? tailMs : latencyMsMax) * 1000);
  }

  #direction(from: number, to: number): Direction {
    const name = from * NODES_MAX + to;
    let found = this.#directions.get(name);
    if (found === undefined) {
      found = { connection: 0, lastArrivalUs: 0, cuts: 0 };
      this.#directions.set(name, found);
    }
    return found;
  }
}

const NODES_MAX = 1_024;
