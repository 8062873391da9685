import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MemberBody, StatusBody } from '@memgrid/node';

export const ID = {
  a: 'a'.repeat(32),
  b: 'b'.repeat(32),
  c: 'c'.repeat(32),
} as const;

/** What a healthy node says about itself; override the interesting part. */
export function statusOf(overrides: Partial<StatusBody> = {}): StatusBody {
  return {
    nodeId: ID.a,
    generation: 1,
    version: '0.1.0',
    phase: 'member',
    clusterId: 'f'.repeat(32),
    address: '127.0.0.1:7700',
    httpAddress: '127.0.0.1:7780',
    waitingFor: null,
    coordinator: ID.a,
    level: 'normal',
    controlIndex: 7,
    targetVoters: 3,
    features: {},
    raft: {
      role: 'leader',
      term: 2,
      commit: 7,
      applied: 7,
      lastIndex: 7,
      voters: [ID.a, ID.b, ID.c],
      learners: [],
    },
    members: { alive: 3, suspect: 0, dead: 0, left: 0 },
    healthScore: 0,
    connectedPeers: [ID.b, ID.c],
    clock: { suspect: false, remoteAheadCount: 0 },
    ...overrides,
  };
}

/** A healthy voter; override the interesting part. */
export function memberOf(overrides: Partial<MemberBody> = {}): MemberBody {
  return {
    nodeId: ID.a,
    address: '127.0.0.1:7700',
    httpAddress: '127.0.0.1:7780',
    zone: 'default',
    weight: 100,
    generation: 1,
    liveness: 'alive',
    status: 'normal',
    role: 'voter',
    unstable: false,
    self: false,
    loopLagP99Ms: 1,
    heapPercent: 10,
    ...overrides,
  };
}

/** What a staged node answers to one request. */
export type Answer = { readonly status?: number; readonly body: unknown } | 'silence';

export interface StagedNode extends AsyncDisposable {
  readonly httpAddress: string;
  readonly url: string;
  /** `METHOD /path authorization body` of every request. */
  readonly asked: readonly string[];
}

/** A real HTTP server on a port of the system's choosing that answers as it is told. */
export async function stagedNode(
  answerTo: (method: string, path: string) => Answer,
): Promise<StagedNode> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push([method, url, headers.authorization ?? '', text].join(' ').trim());
      const answer = answerTo(method, url);
      if (answer === 'silence') return;
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const httpAddress = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    httpAddress,
    url: `http://${httpAddress}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
