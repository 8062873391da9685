import { rmSync } from 'node:fs';
import path from 'node:path';
import { MemgridProcess, memgrid } from './memgrid-process.ts';
import { isRunning, until } from './until.ts';

export interface DevNode {
  readonly label: string;
  readonly pid: number;
  readonly nodeId: string;
  readonly generation: number;
  readonly address: string;
  readonly httpUrl: string;
}

export interface ReadyLine {
  readonly clusterId: string;
  readonly coordinator: string;
  readonly term: number;
  readonly data: string;
  readonly nodes: readonly DevNode[];
}

/** What `memgrid status --json` says in `data`, as far as these tests look. */
export interface StatusData {
  readonly clusterId: string;
  readonly coordinator: string | null;
  readonly term: number;
  readonly agreed: boolean;
  readonly members: Readonly<Record<'alive' | 'suspect' | 'dead' | 'left', number>>;
  readonly nodes: readonly {
    readonly nodeId: string;
    readonly liveness: string;
    readonly generation: number;
  }[];
}

/** A running `memgrid dev --json` that has formed its cluster. */
export class DevCluster implements AsyncDisposable {
  readonly dev: MemgridProcess;
  readonly ready: ReadyLine;

  private constructor(dev: MemgridProcess, ready: ReadyLine) {
    this.dev = dev;
    this.ready = ready;
  }

  static async start(...argv: readonly string[]): Promise<DevCluster> {
    const dev = new MemgridProcess(['dev', '--json', ...argv]);
    try {
      const ready = await dev.line('cluster.ready');
      return new DevCluster(dev, ready as unknown as ReadyLine);
    } catch (error) {
      await dev[Symbol.asyncDispose]();
      throw error;
    }
  }

  get nodes(): readonly DevNode[] {
    return this.ready.nodes;
  }

  get coordinator(): DevNode {
    return this.node(({ nodeId }) => nodeId === this.ready.coordinator);
  }

  /** The nodes that did not coordinate when the cluster had formed. */
  get others(): readonly DevNode[] {
    return this.nodes.filter(({ nodeId }) => nodeId !== this.ready.coordinator);
  }

  node(matches: (node: DevNode) => boolean): DevNode {
    const found = this.nodes.find(matches);
    if (found === undefined) throw new Error('There is no such node.');
    return found;
  }

  /** Waits until `memgrid status`, asked of one node, shows what is wanted. */
  async status(
    of: DevNode,
    what: string,
    wanted: (data: StatusData) => boolean,
  ): Promise<StatusData> {
    return await until(what, async () => {
      const { envelope } = await memgrid('status', '--node', of.httpUrl, '--timeout', '1s');
      const data = envelope.data as unknown as StatusData | undefined;
      return data !== undefined && wanted(data) ? data : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A paused node would make the others wait for it.
    for (const { pid } of this.nodes) if (isRunning(pid)) process.kill(pid, 'SIGCONT');
    await this.dev[Symbol.asyncDispose]();
    for (const { pid } of this.nodes) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    // A dev that was killed could not tidy up after itself.
    const { data } = this.ready;
    if (path.basename(data).startsWith('memgrid-dev-'))
      rmSync(data, { recursive: true, force: true });
  }
}
