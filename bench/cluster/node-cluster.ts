import type { ShardsBody, ShardsSummaryBody } from '@memgrid/node';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TemporaryDirectory } from '../temporary-directory.ts';
import { NodeFailedError, NodeProcess } from './node-process.ts';

export interface ClusterNode {
  /** `n1`, `n2`, …, in the order in which they came. */
  readonly label: string;
  readonly process: NodeProcess;
  readonly nodeId: string;
  /** Peers and clients: `host:port`. */
  readonly address: string;
  /** Admin: `host:port`. */
  readonly httpAddress: string;
}

export interface NodeClusterOptions {
  readonly nodes: number;
  /** More flags of `memgrid start`, for every node. */
  readonly flags?: readonly string[];
  /** More flags of Node itself, for every node. */
  readonly execArgv?: readonly string[];
}

interface Place {
  readonly label: string;
  readonly listen: string;
  readonly http: string;
}

const ANY_PORT = '127.0.0.1:0';
const LOOK_MS = 250;
const LOOK_TIMEOUT_MS = 2_000;
const STOP_GRACE_MS = 20_000;

/** Real node processes with data in a directory of their own, which is gone afterwards. */
export class NodeCluster implements AsyncDisposable {
  readonly #directory = new TemporaryDirectory();
  readonly #flags: readonly string[];
  readonly #execArgv: readonly string[];
  readonly #processes: NodeProcess[] = [];
  readonly #nodes = new Map<string, ClusterNode>();
  #count = 0;
  #isDisposed = false;

  private constructor({ flags = [], execArgv = [] }: NodeClusterOptions) {
    this.#flags = flags;
    this.#execArgv = execArgv;
  }

  /** Starts nodes that found a cluster; resolves when every shard is served by all its replicas. */
  static async start(options: NodeClusterOptions): Promise<NodeCluster> {
    const { nodes } = options;
    const cluster = new NodeCluster(options);
    try {
      const places = Array.from({ length: nodes }, () => cluster.#newPlace());
      const begun = await Promise.all(places.map((place) => cluster.#listen(place)));
      const seeds = begun.map(({ address }) => address);
      for (const { process } of begun) process.introduce(seeds, nodes);
      await Promise.all(begun.map((one) => cluster.#started(one)));
      await cluster.atRest();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Every node that belongs to the cluster, whether or not it runs. */
  get members(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /** Those that run. */
  get nodes(): readonly ClusterNode[] {
    return this.members.filter(({ process }) => !process.hasEnded);
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The end of every node's log, for whoever has to find out why. */
  get logs(): string {
    return this.members
      .map(({ label, process }) => `--- ${label}\n${process.logTail(40)}`)
      .join('\n');
  }

  /** A node that nobody has seen before. */
  async join(): Promise<ClusterNode> {
    return await this.#launch(this.#newPlace());
  }

  /** At once, as a crash does it. */
  async kill({ process }: ClusterNode): Promise<void> {
    process.signal('SIGKILL');
    await process.ended;
  }

  /** In good order, as an upgrade does it. */
  async stop({ label, process }: ClusterNode): Promise<void> {
    process.signal('SIGTERM');
    let isStuck = false;
    const patience = setTimeout(() => {
      isStuck = true;
      process.signal('SIGKILL');
    }, STOP_GRACE_MS);
    await process.ended;
    clearTimeout(patience);
    if (isStuck) throw new Error(`${label} did not stop in ${STOP_GRACE_MS} ms.`);
  }

  /** The same node again, at its former addresses, with the data it had. */
  async restart({ label, address, httpAddress }: ClusterNode): Promise<ClusterNode> {
    return await this.#launch({ label, listen: address, http: httpAddress });
  }

  /** A node that is not to come back. */
  forget({ label }: ClusterNode): void {
    this.#nodes.delete(label);
  }

  /** What one node says about who holds which shard; undefined when it does not answer. */
  async shards(node: ClusterNode): Promise<ShardsBody | undefined> {
    return await this.#look<ShardsBody>(node, '/cluster/shards');
  }

  /** The same without the list of shards, which would be work that a measurement sees. */
  async summary(node: ClusterNode): Promise<ShardsSummaryBody | undefined> {
    return await this.#look<ShardsSummaryBody>(node, '/cluster/shards?summary');
  }

  async #look<Body>({ httpAddress }: ClusterNode, path: string): Promise<Body | undefined> {
    try {
      const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
      const response = await fetch(`http://${httpAddress}${path}`, { signal });
      return response.ok ? ((await response.json()) as Body) : undefined;
    } catch {
      // A node that is killed meanwhile: whoever asks looks again or gives up.
      return undefined;
    }
  }

  /** What `path` answers at one node. */
  async post({ httpAddress }: ClusterNode, path: string, body: unknown): Promise<void> {
    const response = await fetch(`http://${httpAddress}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok)
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }

  /**
   * Resolves when no shard is on the move, each is served, and each copy is whole and has applied
   * what its primary has.
   *
   * @throws Error after `timeoutMs`, with what is not at rest.
   */
  async atRest(timeoutMs = 90_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const bodies = await Promise.all(this.nodes.map((node) => this.shards(node)));
      const problem = unrest(bodies);
      if (problem === undefined) return;
      if (performance.now() > until)
        throw new Error(`Not at rest after ${timeoutMs} ms: ${problem}.`);
      await pause(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const process of this.#processes) process.signal('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
    this.#directory[Symbol.dispose]();
  }

  #newPlace(): Place {
    this.#count += 1;
    return { label: `n${this.#count}`, listen: ANY_PORT, http: ANY_PORT };
  }

  async #launch(place: Place): Promise<ClusterNode> {
    const seeds = this.addresses;
    const begun = await this.#listen(place);
    begun.process.introduce(seeds, seeds.length + 1);
    return await this.#started(begun);
  }

  async #listen(place: Place): Promise<Omit<ClusterNode, 'nodeId'>> {
    if (this.#isDisposed) throw new Error('The cluster is gone.');
    const { label, listen, http } = place;
    const data = path.join(this.#directory.path, label);
    mkdirSync(data, { recursive: true });
    const process = new NodeProcess({
      logFile: `${data}.log`,
      flags: ['--data', data, '--listen', listen, '--http', http, ...this.#flags],
      execArgv: this.#execArgv,
    });
    this.#processes.push(process);
    try {
      const { address, httpAddress } = await process.report('listening');
      return { label, process, address, httpAddress };
    } catch (error) {
      const isTaken = error instanceof NodeFailedError && error.code === 'ADDRESS_IN_USE';
      if (!isTaken || listen === ANY_PORT) throw error;
      await process.ended;
      return await this.#listen({ label, listen: ANY_PORT, http: ANY_PORT });
    }
  }

  async #started(begun: Omit<ClusterNode, 'nodeId'>): Promise<ClusterNode> {
    const { nodeId } = await begun.process.report('started');
    const node = { ...begun, nodeId };
    this.#nodes.set(node.label, node);
    return node;
  }
}

/** What is not at rest, or undefined. */
function unrest(bodies: readonly (ShardsBody | undefined)[]): string | undefined {
  const answers = bodies.flatMap((body) => body ?? []);
  if (answers.length < bodies.length) return 'a node does not answer';
  const best = answers.toSorted((a, b) => (b.controlIndex ?? 0) - (a.controlIndex ?? 0))[0];
  if (best === undefined || best.shardCount === 0 || best.shards.length < best.shardCount) {
    return 'there are shards without an owner';
  }
  const copies = new Map(
    answers.map((body) => [
      body.answeredBy,
      new Map(body.shards.map(({ shard, local }) => [shard, local])),
    ]),
  );
  for (const { shard, stage, primary, replicas } of best.shards) {
    if (stage !== 'stable') return `shard ${shard} is in stage ${stage}`;
    const measure = copies.get(primary)?.get(shard);
    if (measure?.active !== true) return `shard ${shard} is not served`;
    for (const replica of replicas) {
      const copy = copies.get(replica)?.get(shard);
      if (copy?.complete !== true) return `shard ${shard} has a copy that is not whole`;
      if (copy.applied !== measure.last) return `shard ${shard} has a copy that is behind`;
    }
  }
  return undefined;
}
