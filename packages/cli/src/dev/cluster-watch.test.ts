import type { MemberBody, StatusBody } from '@memgrid/node';
import { expect, test } from 'vitest';
import { ID, memberOf, stagedNode, statusOf } from '../testing/staged-node.ts';
import type { StagedNode } from '../testing/staged-node.ts';
import { ClusterWatch } from './cluster-watch.ts';
import type { ClusterChange } from './cluster-watch.ts';
import type { LocalNode } from './local-cluster.ts';
import type { Ending } from './node-process.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

/** Three nodes that say what they are told to say; change it and see what the watch reports. */
class StagedCluster implements AsyncDisposable {
  readonly nodes: LocalNode[] = [];
  coordinator: string | null = ID.a;
  term = 2;
  readonly liveness: Record<Name, MemberBody['liveness']> = { a: 'alive', b: 'alive', c: 'alive' };
  /** What one node says differently from the others. */
  readonly different: Partial<Record<Name, Partial<StatusBody>>> = {};
  readonly ended = new Set<Name>();
  readonly #servers: StagedNode[] = [];

  static async open(): Promise<StagedCluster> {
    const cluster = new StagedCluster();
    for (const name of NAMES) await cluster.#add(name);
    return cluster;
  }

  async #add(name: Name): Promise<void> {
    const server = await stagedNode((_, path) => ({
      body: path === '/cluster/status' ? this.#status(name) : { members: this.#members() },
    }));
    this.#servers.push(server);
    const { ended } = this;
    this.nodes.push({
      label: name,
      nodeId: ID[name],
      generation: 1,
      address: '127.0.0.1:7700',
      httpUrl: server.url,
      data: `/nowhere/${name}`,
      process: {
        pid: 1,
        get ending(): Ending | undefined {
          return ended.has(name) ? { exitCode: null, signal: 'SIGKILL' } : undefined;
        },
        ended: Promise.withResolvers<Ending>().promise,
        logTail: () => ['last words'],
      },
    });
  }

  #status(name: Name): StatusBody {
    const raft = statusOf().raft as NonNullable<StatusBody['raft']>;
    return statusOf({
      nodeId: ID[name],
      coordinator: this.coordinator,
      raft: { ...raft, term: this.term },
      ...this.different[name],
    });
  }

  #members(): readonly MemberBody[] {
    return NAMES.map((name) => memberOf({ nodeId: ID[name], liveness: this.liveness[name] }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }
}

const FOREVER = new AbortController().signal;

async function watched(cluster: StagedCluster): Promise<ClusterWatch> {
  const watch = new ClusterWatch(cluster.nodes, '');
  await watch.agreement(5_000, FOREVER);
  return watch;
}

async function firstChange(watch: ClusterWatch): Promise<ClusterChange | undefined> {
  const controller = new AbortController();
  for await (const change of watch.changes(controller.signal)) return change;
  return undefined;
}

test('agreement needs every node to name the same cluster and coordinator', async () => {
  await using cluster = await StagedCluster.open();
  const watch = new ClusterWatch(cluster.nodes, '');
  expect(await watch.agreement(5_000, FOREVER)).toEqual({
    clusterId: 'f'.repeat(32),
    coordinator: ID.a,
    term: 2,
  });
  expect(watch.coordinator?.label).toBe('a');
});

test.each([
  { what: 'another coordinator', said: { coordinator: ID.b } },
  { what: 'another cluster', said: { clusterId: 'e'.repeat(32) } },
  { what: 'a node that is still joining', said: { phase: 'joining' as const } },
  {
    what: 'a member that is not seen',
    said: { members: { alive: 2, suspect: 1, dead: 0, left: 0 } },
  },
])('$what is no agreement, and the error says what each node waits for', async ({ said }) => {
  await using cluster = await StagedCluster.open();
  cluster.different.c = { ...said, waitingFor: 'Waiting for the others.' };
  const watch = new ClusterWatch(cluster.nodes, '');
  await expect(watch.agreement(1, FOREVER)).rejects.toMatchObject({
    code: 'NOT_FORMED',
    message: expect.stringContaining('Waiting for the others.') as string,
  });
});

test('a node that dies while the cluster forms ends the wait with its last words', async () => {
  await using cluster = await StagedCluster.open();
  cluster.ended.add('b');
  const watch = new ClusterWatch(cluster.nodes, '');
  await expect(watch.agreement(5_000, FOREVER)).rejects.toMatchObject({
    code: 'NODE_DIED',
    message: expect.stringContaining('last words') as string,
  });
});

test('a new coordinator is reported with the one before it', async () => {
  await using cluster = await StagedCluster.open();
  const watch = await watched(cluster);
  cluster.ended.add('a');
  Object.assign(cluster, { coordinator: ID.b, term: 3 });
  expect(await firstChange(watch)).toEqual({
    event: 'coordinator.changed',
    coordinator: ID.b,
    before: ID.a,
    term: 3,
  });
});

test('a late node is not news; nobody naming a coordinator is', async () => {
  await using cluster = await StagedCluster.open();
  const watch = await watched(cluster);
  cluster.different.b = { coordinator: null };
  cluster.liveness.c = 'suspect';
  // The one that differs alone is passed over: the next thing reported is the suspicion.
  expect(await firstChange(watch)).toMatchObject({ event: 'member.changed', liveness: 'suspect' });
  cluster.coordinator = null;
  expect(await firstChange(watch)).toEqual({ event: 'coordinator.lost', coordinator: ID.a });
});
