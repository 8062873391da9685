import type {
  LogIndex,
  NodeId,
  Placement,
  PlacementShard,
  ShardConfig,
  ShardId,
} from '@memgrid/protocol';
import type { RouteNode } from './gateway-io.ts';

/** Who owns which shard, and who is up: what operations are routed by and clients are told. */
export class PlacementTable {
  #index = 0 as LogIndex;
  #shardCount = 0;
  /** By shard: looked at for every operation. */
  readonly #configs: (ShardConfig | undefined)[] = [];
  #nodes = new Map<NodeId, RouteNode>();
  /** Peers, so as many as there are links at most. */
  readonly #connected = new Set<NodeId>();
  #coordinator: NodeId | undefined;
  #whole: Placement | undefined;

  /** 0 until the shards are created. */
  get shardCount(): number {
    return this.#shardCount;
  }

  config(shard: ShardId): ShardConfig | undefined {
    return this.#configs[shard];
  }

  /** Alive by gossip, and there is a link: what is sent there now may be answered. */
  isReachable(node: NodeId): boolean {
    return this.#connected.has(node) && this.#nodes.get(node)?.alive === true;
  }

  connected(node: NodeId, isUp: boolean): void {
    if (isUp) this.#connected.add(node);
    else this.#connected.delete(node);
  }

  apply(index: LogIndex, shardCount: number, changed: readonly ShardConfig[]): void {
    this.#whole = undefined;
    this.#index = index;
    this.#shardCount = shardCount;
    // Without holes, whichever shard is told of first.
    while (this.#configs.length < shardCount) this.#configs.push(undefined);
    for (const config of changed) this.#configs[config.shard] = config;
  }

  /** False when nothing is different. */
  setNodes(nodes: readonly RouteNode[], coordinator: NodeId | undefined): boolean {
    const next = new Map(nodes.map((node) => [node.nodeId, node]));
    const same =
      coordinator === this.#coordinator &&
      next.size === this.#nodes.size &&
      nodes.every((node) => isSame(node, this.#nodes.get(node.nodeId)));
    if (!same) this.#whole = undefined;
    this.#nodes = next;
    this.#coordinator = coordinator;
    return !same;
  }

  /** The same object until something changes: after a restart every client asks for it at once. */
  whole(): Placement {
    this.#whole ??= this.#message(
      this.#configs.filter((config) => config !== undefined),
      true,
    );
    return this.#whole;
  }

  /** Only these shards; the nodes always all, because shards name them by their place. */
  changed(configs: readonly ShardConfig[]): Placement {
    return this.#message(configs, false);
  }

  #message(configs: readonly ShardConfig[], whole: boolean): Placement {
    const nodes = new Map(this.#nodes);
    for (const { primary, replicas, next } of configs) {
      // Committed before gossip told: without an address, but it must have a place.
      for (const nodeId of [primary, ...replicas, ...next]) {
        if (nodes.has(nodeId)) continue;
        nodes.set(nodeId, { nodeId, address: '', zone: '', alive: false });
      }
    }
    const places = new Map([...nodes.keys()].map((node, place) => [node, place]));
    return {
      type: 'placement',
      controlIndex: this.#index,
      coordinator: this.#coordinator,
      nodes: [...nodes.values()],
      shards: configs.map((config) => placementOf(config, places)),
      whole,
    };
  }
}

function placementOf(config: ShardConfig, places: ReadonlyMap<NodeId, number>): PlacementShard {
  const placeOf = (node: NodeId): number => places.get(node) ?? 0;
  return {
    shard: config.shard,
    epoch: config.epoch,
    stage: config.stage,
    primary: placeOf(config.primary),
    replicas: config.replicas.map(placeOf),
    next: config.next.map(placeOf),
  };
}

function isSame(a: RouteNode, b: RouteNode | undefined): boolean {
  return a.address === b?.address && a.zone === b.zone && a.alive === b.alive;
}
