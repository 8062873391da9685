import type { NodeReply } from '@memgrid/core';
import type { Operation } from '@memgrid/protocol';
import type { FastifyInstance } from 'fastify';
import type { AdminSource } from './admin-source.ts';
import { HttpError } from './http-error.ts';

/** A majority answers within milliseconds; a prober gives up after a few seconds. */
const READY_TIMEOUT_MS = 1_000;

/** What probes and scrapers ask. */
export function healthRoutes(server: FastifyInstance, source: AdminSource): void {
  server.get('/livez', async (request, reply) => {
    // That this line runs is the whole check: no dependency, or a slow disk restarts the process.
    if (isVerbose(request.query)) return await reply.type('text/plain').send('alive\n');
    return { status: 'alive', phase: source.status()?.phase ?? 'starting' };
  });
  server.get('/readyz', async (request, reply) => {
    const index = await readIndex(source);
    const shard = await readShard(source);
    if (!isVerbose(request.query)) return { status: 'ready', controlIndex: index, shard };
    const data = shard === null ? 'this node holds no shard' : `shard ${shard} answered`;
    return await reply
      .type('text/plain')
      .send(`ready: a majority answered at index ${index}, ${data}\n`);
  });
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await source.metrics();
    return await reply.type(contentType).send(text);
  });
}

/** Whether a person asks: `?verbose`, with or without a value. */
export function isVerbose(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'verbose' in query;
}

async function readIndex(source: AdminSource): Promise<number> {
  const status = source.status();
  if (status === undefined) {
    throw new HttpError('STARTING', 'This node is reading its disk.', 'Ask again in a second.');
  }
  const reply = await source.request({ kind: 'readIndex' }, READY_TIMEOUT_MS);
  if (reply.kind === 'readable') return reply.index;
  const detail = reply.kind === 'failed' ? `${reply.reason}: ${reply.detail}` : reply.kind;
  throw new HttpError(
    'NOT_READY',
    `The control group does not answer through this node (${detail}).`,
    status.waitingFor ?? '/cluster/status tells what this node waits for.',
  );
}

/**
 * Reads through a shard of this node, as a client would: through one that it is the primary of, or
 * else from a replica. One that does not serve says nothing against the others.
 *
 * @returns the shard; null when this node holds none.
 */
async function readShard(source: AdminSource): Promise<number | null> {
  const shards = source.status()?.shards ?? [];
  const held = shards.filter(({ role }) => role !== 'none');
  const active = held.find((shard) => shard.active);
  const chosen = active ?? held.find((shard) => shard.complete);
  if (held.length === 0) return null;
  const hint = '/cluster/shards tells what each of them waits for.';
  if (chosen === undefined) {
    throw new HttpError('NOT_READY', `None of ${held.length} shards of this node serves.`, hint);
  }
  const { shard } = chosen;
  const operation = readinessProbe(shard, active === undefined ? 'one' : 'strong');
  const reply = await source.request({ kind: 'operation', operation }, 2 * READY_TIMEOUT_MS);
  if (reply.kind === 'answered' && reply.answer.result.kind !== 'failed') return shard;
  throw new HttpError('NOT_READY', `Shard ${shard} does not answer (${detailOf(reply)}).`, hint);
}

function readinessProbe(shard: Operation['shard'], read: Operation['read']): Operation {
  return {
    id: 0,
    shard,
    operationId: '',
    body: { kind: 'get', namespace: 'memgrid', key: 'readiness' },
    read,
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: READY_TIMEOUT_MS,
    noAutonomous: true,
    atLeast: 0,
  };
}

function detailOf(reply: NodeReply): string {
  if (reply.kind === 'failed') return `${reply.reason}: ${reply.detail}`;
  if (reply.kind !== 'answered') return reply.kind;
  const { result } = reply.answer;
  return result.kind === 'failed' ? `${result.code}: ${result.message}` : result.kind;
}
