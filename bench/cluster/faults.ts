import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterNode, NodeCluster } from './node-cluster.ts';

/** What was done to a cluster. */
export interface FaultCounts {
  /** Times that a minority was killed, and how many nodes that were. */
  killRounds: number;
  killed: number;
  /** Nodes that were stopped in good order and started again, one after the other. */
  rolled: number;
  joined: number;
  drained: number;
}

export interface FaultOptions {
  readonly cluster: NodeCluster;
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

const KILL_EVERY_MS = 5_000;
const DOWN_MS_MIN = 500;
const DOWN_MS_MAX = 2_500;
const BETWEEN_MS = 1_000;
const LOOK_MS = 500;
/** Clients were told of the first nodes, so these are killed and restarted but not taken away. */
const SEEDS = 3;
/** One joins only when there are no more than these. */
const NODES_MAX = 6;
const ORDER_MS_MAX = 30_000;
/** A drain that takes longer than this once nobody is killed any more is a failure. */
const DRAIN_MS_MAX = 180_000;

/**
 * Kills a random minority every five seconds and brings it back, and meanwhile does what operators
 * do, without end: add a node, drain one and take it away, restart every one in turn.
 *
 * Never are more nodes down at once than a minority of the cluster: those that an operator has
 * stopped count.
 */
export class Faults {
  readonly counts: FaultCounts = { killRounds: 0, killed: 0, rolled: 0, joined: 0, drained: 0 };
  readonly #options: FaultOptions;
  /** Labels of nodes that somebody is stopping or starting. */
  readonly #busy = new Set<string>();
  #draining:
    | { readonly label: string; readonly nodeId: string; readonly sinceMs: number }
    | undefined;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  /** Resolves when the time is over, every node runs that should, and the last drain is done. */
  async run(): Promise<void> {
    const until = performance.now() + this.#options.seconds * 1_000;
    await Promise.all([this.#kills(until), this.#operations(until)]);
    const startedMs = performance.now();
    while (this.#draining !== undefined) {
      if (performance.now() - startedMs > DRAIN_MS_MAX) {
        throw new Error(`${this.#draining.label} was not empty after ${DRAIN_MS_MAX} ms in peace.`);
      }
      await pause(LOOK_MS);
      await this.#takeAwayDrained();
    }
  }

  async #kills(until: number): Promise<void> {
    for (let at = performance.now() + KILL_EVERY_MS; at < until; at += KILL_EVERY_MS) {
      await pause(Math.max(0, at - performance.now()));
      const victims = this.#victims();
      if (victims.length === 0) continue;
      this.counts.killRounds += 1;
      this.counts.killed += victims.length;
      for (const { label } of victims) this.#busy.add(label);
      const { cluster, progress } = this.#options;
      progress(`kill -9 ${victims.map(({ label }) => label).join(', ')}`);
      await Promise.all(victims.map((node) => cluster.kill(node)));
      await pause(DOWN_MS_MIN + Math.random() * (DOWN_MS_MAX - DOWN_MS_MIN));
      await Promise.all(victims.map((node) => cluster.restart(node)));
      for (const { label } of victims) this.#busy.delete(label);
    }
  }

  #victims(): readonly ClusterNode[] {
    const { members } = this;
    const minority = Math.floor((members.length - 1) / 2);
    const room = minority - this.#busy.size;
    if (room < 1) return [];
    const count = 1 + Math.floor(Math.random() * room);
    return shuffled(members.filter(({ label }) => !this.#busy.has(label))).slice(0, count);
  }

  /** Every node that belongs to the cluster, whether or not it runs. */
  get members(): readonly ClusterNode[] {
    return this.#options.cluster.members;
  }

  async #operations(until: number): Promise<void> {
    const steps = [
      () => this.#join(),
      () => this.#drainOldest(),
      () => this.#rollingRestart(until),
      () => this.#takeAwayDrained(),
    ];
    for (let step = 0; performance.now() < until; step += 1) {
      await pause(BETWEEN_MS);
      await steps[step % steps.length]?.();
    }
  }

  async #join(): Promise<void> {
    const { cluster, progress } = this.#options;
    // A drain may take longer than a round of all this.
    if (this.members.length > NODES_MAX) return;
    const { label } = await cluster.join();
    this.counts.joined += 1;
    progress(`${label} joins`);
  }

  async #rollingRestart(until: number): Promise<void> {
    const { cluster, progress } = this.#options;
    for (const { label } of this.members) {
      if (performance.now() > until) return;
      const node = await this.#take(label);
      progress(`${label} is restarted`);
      await cluster.stop(node);
      await cluster.restart(node);
      this.#busy.delete(label);
      this.counts.rolled += 1;
      await pause(BETWEEN_MS);
    }
  }

  async #drainOldest(): Promise<void> {
    const { progress } = this.#options;
    const oldest = this.members[SEEDS];
    if (oldest === undefined || this.#draining !== undefined) return;
    const { label, nodeId } = oldest;
    progress(`${label} is drained`);
    await this.#order('/cluster/members/drain', { node: nodeId });
    this.#draining = { label, nodeId, sinceMs: performance.now() };
  }

  /** Once nothing is left on it. */
  async #takeAwayDrained(): Promise<void> {
    if (this.#draining === undefined) return;
    const { label, nodeId, sinceMs } = this.#draining;
    if (await this.#holdsCopies(nodeId)) return;
    const { cluster, progress } = this.#options;
    const node = await this.#take(label);
    await cluster.stop(node);
    cluster.forget(node);
    this.#busy.delete(label);
    this.#draining = undefined;
    this.counts.drained += 1;
    progress(`${label} is gone after ${Math.round((performance.now() - sinceMs) / 1_000)} s`);
  }

  /** Waits until nobody else has it in hand, and keeps the others from it. */
  async #take(label: string): Promise<ClusterNode> {
    for (;;) {
      const node = this.members.find((one) => one.label === label);
      if (node === undefined) throw new Error(`${label} is gone.`);
      if (this.#busy.size === 0) {
        this.#busy.add(label);
        return node;
      }
      await pause(LOOK_MS / 5);
    }
  }

  /** Whether any node says that it holds, or is about to hold, a copy; nobody's silence is a no. */
  async #holdsCopies(nodeId: string): Promise<boolean> {
    const { cluster } = this.#options;
    const bodies = await Promise.all(cluster.nodes.map((node) => cluster.shards(node)));
    const best = bodies
      .flatMap((body) => body ?? [])
      .toSorted((a, b) => (b.controlIndex ?? 0) - (a.controlIndex ?? 0))[0];
    if (best === undefined || best.shards.length === 0) return true;
    return best.shards.some(
      ({ replicas, next }) => replicas.includes(nodeId) || next.includes(nodeId),
    );
  }

  /** Asks one node after another, as long as the cluster has no coordinator. */
  async #order(path: string, body: unknown): Promise<void> {
    const { cluster } = this.#options;
    const startedMs = performance.now();
    for (;;) {
      for (const node of cluster.nodes) {
        try {
          await cluster.post(node, path, body);
          return;
        } catch (error) {
          if (performance.now() - startedMs > ORDER_MS_MAX) throw error;
        }
      }
      await pause(LOOK_MS);
    }
  }
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
