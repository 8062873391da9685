import type { NodeId } from '@memgrid/protocol';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

type Standing = 'draining' | 'normal';

/** Beyond the numbers of every workload. */
const OPERATOR_REQUEST = 1_000_000_000;
/** How long an operator waits before looking whether a command had its effect. */
const LOOK_AFTER_MS = 1_000;

/**
 * Operators who drain nodes, and take that back. A command can get lost with the node that took it,
 * and an older one may still be committed after a newer one: so they look, and ask another node,
 * for as long as the registry does not say what they want.
 */
export class Drains {
  readonly #world: World;
  readonly #wanted = new Map<NodeId, Standing>();
  #askedCount = 0;
  #looking = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Drains whoever `node` is at the moment; undefined while it is nobody. */
  begin(node: SimNode): NodeId | undefined {
    const nodeId = node.process?.label.nodeId;
    if (nodeId !== undefined) this.#want(nodeId, 'draining');
    return nodeId;
  }

  end(nodeId: NodeId): void {
    this.#want(nodeId, 'normal');
  }

  /** No operator wants anything to be drained any more. */
  endAll(): void {
    for (const nodeId of this.#wanted.keys()) this.end(nodeId);
  }

  #want(nodeId: NodeId, standing: Standing): void {
    this.#wanted.set(nodeId, standing);
    this.#ask(nodeId, standing);
    if (this.#looking) return;
    this.#looking = true;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#world.queue.after(LOOK_AFTER_MS * 1000, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const views = this.#running.map(({ process }) => process?.status().control);
    const newest = views.reduce((a, b) => ((b?.index ?? -1) > (a?.index ?? -1) ? b : a), undefined);
    for (const { nodeId, status } of newest?.members ?? []) {
      const wanted = this.#wanted.get(nodeId);
      if (wanted === undefined || wanted === status) continue;
      // Whoever joins, left or was expelled is not drained, and not brought back either.
      if (status === 'normal' || status === 'draining') this.#ask(nodeId, wanted);
    }
  }

  /** Any node takes a command to the control group; each time it is another one's turn. */
  #ask(nodeId: NodeId, status: Standing): void {
    const running = this.#running;
    if (running.length === 0) return;
    const asked = running[this.#askedCount % running.length];
    this.#askedCount += 1;
    asked?.process?.request(OPERATOR_REQUEST + this.#askedCount, {
      kind: 'propose',
      command: { kind: 'setStatus', nodeId, status },
    });
  }

  get #running(): readonly SimNode[] {
    return this.#world.nodes.filter(({ process }) => process?.isStopped === false);
  }
}
