import type { MemberBody, StatusBody } from '@memgrid/node';
import { setTimeout as wait } from 'node:timers/promises';
import { AdminClient } from '../cluster/admin-client.ts';
import { CommandError } from '../command-error.ts';
import type { LocalNode } from './local-cluster.ts';

/** What all nodes of a local cluster agree on. */
export interface Agreement {
  readonly clusterId: string;
  readonly coordinator: string;
  readonly term: number;
}

/** Something worth telling the person who watches. */
export type ClusterChange =
  | { readonly event: 'coordinator.lost'; readonly coordinator: string }
  | {
      readonly event: 'coordinator.changed';
      readonly coordinator: string;
      readonly before: string | undefined;
      readonly term: number;
    }
  | {
      readonly event: 'member.changed';
      readonly nodeId: string;
      readonly liveness: string;
      readonly before: string | undefined;
    };

interface WatchedNode {
  readonly node: LocalNode;
  readonly client: AdminClient;
}

const FORMING_POLL_MS = 50;
const WATCHING_POLL_MS = 250;
/** On this machine an answer takes a millisecond; a node that is paused takes for ever. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Looks at a local cluster through its admin HTTP, as any operator could. */
export class ClusterWatch {
  readonly #watched: readonly WatchedNode[];
  #coordinator: string | undefined;
  #liveness = new Map<string, string>();

  constructor(nodes: readonly LocalNode[], token: string) {
    this.#watched = nodes.map((node) => ({
      node,
      client: new AdminClient({ url: node.httpUrl, timeoutMs: ANSWER_TIMEOUT_MS, token }),
    }));
  }

  /**
   * Waits until every node names the same cluster and coordinator and sees all the others alive.
   *
   * @throws CommandError after `timeoutMs`, saying what each node waits for.
   */
  async agreement(timeoutMs: number, signal: AbortSignal): Promise<Agreement> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const bodies = await this.#statuses();
      const agreement = agreementOf(bodies, this.#watched.length);
      if (agreement !== undefined) {
        this.#coordinator = agreement.coordinator;
        for (const { node } of this.#watched) this.#liveness.set(node.nodeId, 'alive');
        return agreement;
      }
      const dead = this.#watched.find(({ node }) => node.process.ending !== undefined);
      if (dead !== undefined) throw diedWhileForming(dead.node);
      if (performance.now() > deadline) throw notFormed(this.#watched, bodies, timeoutMs);
      await wait(FORMING_POLL_MS, undefined, { signal });
    }
  }

  /** The node that coordinates as far as is known. */
  get coordinator(): LocalNode | undefined {
    return this.#watched.find(({ node }) => node.nodeId === this.#coordinator)?.node;
  }

  /** Yields every change from now on until `signal` is aborted. */
  async *changes(signal: AbortSignal): AsyncGenerator<ClusterChange> {
    while (!signal.aborted) {
      yield* this.#coordinatorChanges(await this.#statuses());
      yield* this.#memberChanges(await this.#view());
      await wait(WATCHING_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  *#coordinatorChanges(answers: readonly (StatusBody | undefined)[]): Generator<ClusterChange> {
    const bodies = answers.filter((body) => body !== undefined);
    const term = Math.max(0, ...bodies.map(({ raft }) => raft?.term ?? 0));
    const newest = bodies.filter(({ raft }) => raft?.term === term);
    // One node may be late; the others of the newest term must agree before it is news.
    const named = new Set(newest.map(({ coordinator }) => coordinator));
    const [only] = named;
    if (named.size !== 1 || only === undefined) return;
    const before = this.#coordinator;
    if (only === before) return;
    if (only === null) {
      if (before === undefined) return;
      this.#coordinator = undefined;
      yield { event: 'coordinator.lost', coordinator: before };
      return;
    }
    this.#coordinator = only;
    yield { event: 'coordinator.changed', coordinator: only, before, term };
  }

  *#memberChanges(members: readonly MemberBody[]): Generator<ClusterChange> {
    for (const { nodeId, liveness } of members) {
      const [before, now] = [this.#liveness.get(nodeId), liveness ?? 'unknown'];
      if (before === now) continue;
      this.#liveness.set(nodeId, now);
      yield { event: 'member.changed', nodeId, liveness: now, before };
    }
  }

  /** The members as the coordinator sees them, or else any node that answers. */
  async #view(): Promise<readonly MemberBody[]> {
    const running = this.#watched.filter(({ node }) => node.process.ending === undefined);
    const first = running.find(({ node }) => node.nodeId === this.#coordinator);
    for (const { client } of first === undefined ? running : [first, ...running]) {
      const body = await answerOf<{ members: readonly MemberBody[] }>(client, '/cluster/members');
      if (body !== undefined) return body.members;
    }
    return [];
  }

  #statuses(): Promise<readonly (StatusBody | undefined)[]> {
    return Promise.all(
      this.#watched.map(async ({ node, client }) =>
        node.process.ending === undefined
          ? await answerOf<StatusBody>(client, '/cluster/status')
          : undefined,
      ),
    );
  }
}

async function answerOf<Body>(client: AdminClient, path: string): Promise<Body | undefined> {
  try {
    return (await client.get(path)) as Body;
  } catch (error) {
    // Starting, paused or dead: each is what is being watched for.
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

function agreementOf(
  answers: readonly (StatusBody | undefined)[],
  count: number,
): Agreement | undefined {
  const [first] = answers;
  if (first === undefined || first.clusterId === null || first.coordinator === null)
    return undefined;
  const { clusterId, coordinator } = first;
  const agreed = answers.every(
    (body) =>
      body?.phase === 'member' &&
      body.clusterId === clusterId &&
      body.coordinator === coordinator &&
      body.members.alive === count,
  );
  const term = Math.max(...answers.map((body) => body?.raft?.term ?? 0));
  return agreed ? { clusterId, coordinator, term } : undefined;
}

function diedWhileForming(node: LocalNode): CommandError {
  const tail = node.process.logTail(20).join('\n');
  return new CommandError(
    'NODE_DIED',
    `${node.label} (pid ${node.process.pid}) ended before the cluster had formed.\n${tail}`,
  );
}

function notFormed(
  watched: readonly WatchedNode[],
  bodies: readonly (StatusBody | undefined)[],
  timeoutMs: number,
): CommandError {
  const waiting = watched.map(({ node }, at) => {
    const body = bodies[at];
    const what = body === undefined ? 'does not answer' : (body.waitingFor ?? `is ${body.phase}`);
    return `${node.label} ${node.address}: ${what}`;
  });
  return new CommandError(
    'NOT_FORMED',
    `There is no cluster after ${timeoutMs} ms.\n${waiting.join('\n')}`,
    { hint: 'Give it longer with --timeout, or read the logs in --data.' },
  );
}
