import type { NodeId, ShardConfig } from '@memgrid/protocol';

/** How many shards each node leads, decisions of this round included. */
export class PrimaryTally {
  readonly #counts = new Map<NodeId, number>();

  constructor(configs: readonly ShardConfig[]) {
    for (const { primary } of configs) this.#add(primary, 1);
  }

  count(node: NodeId): number {
    return this.#counts.get(node) ?? 0;
  }

  move(from: NodeId, to: NodeId): void {
    this.#add(from, -1);
    this.#add(to, 1);
  }

  #add(node: NodeId, by: number): void {
    this.#counts.set(node, this.count(node) + by);
  }
}
