import type { NodeReply, NodeStatus } from '@memgrid/core';
import { nodeId } from '@memgrid/protocol';
import type { NodeId } from '@memgrid/protocol';
import type { FastifyInstance } from 'fastify';
import type { AdminSource } from './admin-source.ts';
import { isVerbose } from './health-routes.ts';
import { HttpError } from './http-error.ts';
import { membersBody, statusBody } from './status-body.ts';
import { shardsBody, shardsSummaryBody } from './shards-body.ts';
import { stopProblems } from './stop-problems.ts';
import { membersText, shardsText, statusText } from './verbose-text.ts';

/** Two election timeouts at most: a handover that takes longer has failed. */
const HANDOVER_TIMEOUT_MS = 5_000;

/** What operators ask of the cluster. */
export function clusterRoutes(server: FastifyInstance, source: AdminSource): void {
  server.get('/cluster/status', async (request, reply) => {
    const body = statusBody(startedStatus(source), source.version);
    if (!isVerbose(request.query)) return body;
    return await reply.type('text/plain').send(statusText(body));
  });
  server.get('/cluster/members', async (request, reply) => {
    const status = startedStatus(source);
    const members = membersBody(status);
    if (!isVerbose(request.query)) return { answeredBy: status.nodeId, members };
    return await reply.type('text/plain').send(membersText(members));
  });
  server.get('/cluster/shards', async (request, reply) => {
    const status = startedStatus(source);
    if (isSummary(request.query)) return shardsSummaryBody(status);
    const body = shardsBody(status);
    if (!isVerbose(request.query)) return body;
    return await reply.type('text/plain').send(shardsText(body));
  });
  server.get('/safe', async () => {
    const status = startedStatus(source);
    const [problem, ...more] = stopProblems(status);
    if (problem === undefined) return { status: 'safe', nodeId: status.nodeId };
    throw new HttpError(
      'NOT_SAFE',
      [problem, ...more].join(' '),
      'Wait until it is repaired, or drain this node first: `memgrid drain`.',
    );
  });
  server.post('/cluster/coordinator/handover', async (request) => {
    const status = startedStatus(source);
    const to = targetOf(request.body, status);
    const reply = await source.request({ kind: 'handover', to }, HANDOVER_TIMEOUT_MS);
    if (reply.kind === 'handedOver') {
      return { coordinator: reply.leader, before: status.coordinator ?? null };
    }
    throw handoverError(reply, status);
  });
}

/** A list of 1,024 shards is 250 kB: too much for a progress bar that asks every second. */
function isSummary(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'summary' in query;
}

function startedStatus(source: AdminSource): NodeStatus {
  const status = source.status();
  if (status !== undefined) return status;
  throw new HttpError('STARTING', 'This node is reading its disk.', 'Ask again in a second.');
}

function handoverError(reply: NodeReply, status: NodeStatus): HttpError {
  const detail = reply.kind === 'failed' ? `${reply.reason}: ${reply.detail}` : reply.kind;
  const message = `The coordinator role was not handed over (${detail}).`;
  if (reply.kind === 'failed' && reply.reason === 'notLeader') {
    const leader = membersBody(status).find((member) => member.role === 'coordinator');
    const where = leader === undefined ? 'the coordinator' : `http://${leader.httpAddress}`;
    return new HttpError('NOT_COORDINATOR', message, `Ask ${where}: only it can hand over.`);
  }
  return new HttpError(
    'CONFLICT',
    message,
    'Choose a voter that is alive: `memgrid members`, or GET /cluster/members, lists them.',
  );
}

/** A whole node id, or a beginning of one that only one member has. */
function targetOf(body: unknown, status: NodeStatus): NodeId | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw badTarget('The body must be {"to": nodeId} or empty.');
  }
  const { to, ...rest } = body as { to?: unknown };
  const [unknown] = Object.keys(rest);
  // A misspelt "to" must not mean "to anybody".
  if (unknown !== undefined)
    throw badTarget(`The body may have "to" and nothing else: ${unknown}.`);
  if (to === undefined || to === null) return undefined;
  if (typeof to !== 'string' || !/^[0-9a-f]{4,32}$/.test(to)) {
    throw badTarget(`"to" must be 4 to 32 hex digits of a node id, not ${JSON.stringify(to)}.`);
  }
  const known = membersBody(status).filter((member) => member.nodeId.startsWith(to));
  const [only] = known;
  if (only !== undefined && known.length === 1) return nodeId(only.nodeId);
  throw badTarget(`${known.length} members have an id that begins with "${to}".`);
}

function badTarget(message: string): HttpError {
  return new HttpError('BAD_REQUEST', message, '/cluster/members lists the node ids.');
}
