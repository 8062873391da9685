import type { LogIndex, NodeId, Placement, PlacementShard, ShardId } from '@memgrid/protocol';

/** A node by its place in the table: arrays are looked up faster than ids. Never used again. */
export type NodeSlot = number;

export const NO_SLOT = -1;

/** A node as the placement describes it. */
export interface RoutedNode {
  readonly nodeId: NodeId;
  address: string;
  zone: string;
  alive: boolean;
}

const NO_REPLICAS: readonly NodeSlot[] = [];

/**
 * Who holds which shard, as far as some node has told.
 *
 * Nodes tell at different times, so an older message may arrive after a newer one: for each shard
 * the highest epoch wins, and for the rest the highest control index. See DESIGN.md, Q5.
 */
export class PlacementTable {
  readonly shardCount: number;
  readonly #slots = new Map<NodeId, NodeSlot>();
  readonly #nodes: RoutedNode[] = [];
  readonly #primary: Int32Array;
  readonly #epoch: Float64Array;
  readonly #replicas: (readonly NodeSlot[])[];
  #controlIndex = -1;
  #coordinator: NodeId | undefined;

  constructor(shardCount: number) {
    this.shardCount = shardCount;
    this.#primary = new Int32Array(shardCount).fill(NO_SLOT);
    this.#epoch = new Float64Array(shardCount);
    this.#replicas = Array.from({ length: shardCount }, () => NO_REPLICAS);
  }

  /** Some node has told who holds what. */
  get isKnown(): boolean {
    return this.#controlIndex >= 0;
  }

  get coordinator(): NodeId | undefined {
    return this.#coordinator;
  }

  get nodes(): readonly RoutedNode[] {
    return this.#nodes;
  }

  node(slot: NodeSlot): RoutedNode | undefined {
    return this.#nodes[slot];
  }

  slotOf(nodeId: NodeId): NodeSlot {
    return this.#slots.get(nodeId) ?? NO_SLOT;
  }

  /** `NO_SLOT` while nobody has told. */
  primaryOf(shard: ShardId): NodeSlot {
    return this.#primary[shard] ?? NO_SLOT;
  }

  replicasOf(shard: ShardId): readonly NodeSlot[] {
    return this.#replicas[shard] ?? NO_REPLICAS;
  }

  /** 0 while nobody has told. */
  epochOf(shard: ShardId): number {
    return this.#epoch[shard] ?? 0;
  }

  /** A node that said hello, known to the placement or not. */
  meet(nodeId: NodeId, address: string): NodeSlot {
    const known = this.#slots.get(nodeId);
    if (known !== undefined) return known;
    const slot = this.#nodes.length;
    this.#nodes.push({ nodeId, address, zone: '', alive: true });
    this.#slots.set(nodeId, slot);
    return slot;
  }

  /** @returns the shards whose owners are others than before. */
  apply(placement: Placement): readonly ShardId[] {
    const slots = placement.nodes.map((node) => {
      const slot = this.meet(node.nodeId, node.address);
      const known = this.#nodes[slot] as RoutedNode;
      if (placement.controlIndex >= this.#controlIndex) {
        known.address = node.address;
        known.zone = node.zone;
        known.alive = node.alive;
      }
      return slot;
    });
    if (placement.controlIndex >= this.#controlIndex) this.#applyNewest(placement);
    const changed: ShardId[] = [];
    for (const shard of placement.shards)
      if (this.#applyShard(shard, slots)) changed.push(shard.shard);
    return changed;
  }

  #applyNewest(placement: Placement): void {
    this.#controlIndex = placement.controlIndex as LogIndex;
    this.#coordinator = placement.coordinator;
    if (!placement.whole) return;
    const named = new Set(placement.nodes.map((node) => node.nodeId));
    for (const node of this.#nodes) if (!named.has(node.nodeId)) node.alive = false;
  }

  #applyShard(shard: PlacementShard, slots: readonly NodeSlot[]): boolean {
    const at = shard.shard;
    if (at >= this.shardCount || shard.epoch <= (this.#epoch[at] as number)) return false;
    this.#epoch[at] = shard.epoch;
    this.#primary[at] = slots[shard.primary] ?? NO_SLOT;
    // In `switch` the next set is the one that answers majorities.
    const places = shard.stage === 'switch' ? shard.next : shard.replicas;
    this.#replicas[at] = places.flatMap((place) => slots[place] ?? []);
    return true;
  }
}
