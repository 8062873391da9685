import type { OrphanRefusal, OrphanReply, OrphanRequest } from '@memgrid/core';
import { formatVersion } from '@memgrid/protocol';
import type { FastifyInstance } from 'fastify';
import type { AdminSource } from './admin-source.ts';
import { HttpError } from './http-error.ts';
import { orphansBody } from './orphans-body.ts';

/** A decision is told when it is on disk. */
const TIMEOUT_MS = 5_000;
const LISTED_DEFAULT = 1_000;
const LISTED_MAX = 10_000;

/** What operators see of the writes that no log has, on this node, and decide about them. */
export function orphanRoutes(server: FastifyInstance, source: AdminSource): void {
  server.get('/orphans', async (request) => {
    const reply = await ask(source, { kind: 'listOrphans', limit: limitOf(request.query) });
    if (reply.kind === 'orphans') return orphansBody(nodeIdOf(source), reply);
    throw unexpected(reply);
  });
  server.post('/orphans/merge', async (request) => {
    const orphan = orphanOf(request.body);
    const reply = await ask(source, { kind: 'mergeOrphan', orphan });
    if (reply.kind !== 'orphanMerging') throw unexpected(reply);
    return { orphan: reply.orphan, version: formatVersion(reply.version) };
  });
  server.post('/orphans/drop', async (request) => {
    const orphan = orphanOf(request.body);
    const reply = await ask(source, { kind: 'dropOrphan', orphan });
    if (reply.kind !== 'orphanDropped') throw unexpected(reply);
    return { orphan };
  });
}

async function ask(source: AdminSource, request: OrphanRequest): Promise<OrphanReply> {
  const reply = await source.request({ kind: 'orphans', ask: request }, TIMEOUT_MS);
  if (reply.kind === 'orphans') return reply.reply;
  const detail = reply.kind === 'failed' ? `${reply.reason}: ${reply.detail}` : reply.kind;
  throw new HttpError(
    'NOT_READY',
    `This node does not say (${detail}).`,
    'Look with GET /orphans whether it was done, and ask again.',
  );
}

function nodeIdOf(source: AdminSource): string {
  return source.status()?.nodeId ?? '';
}

const REFUSED: Readonly<Record<OrphanRefusal, readonly ['NOT_FOUND' | 'CONFLICT', string]>> = {
  absent: ['NOT_FOUND', 'This node keeps no such write: it was merged or dropped before.'],
  waiting: ['CONFLICT', 'It is not parked: its primary will merge it.'],
  expired: ['CONFLICT', 'It has expired: nobody could read it. It can only be dropped.'],
};

function unexpected(reply: OrphanReply): HttpError {
  if (reply.kind !== 'orphanRefused') {
    return new HttpError('INTERNAL', `The shards answered ${reply.kind}.`, 'Report this.');
  }
  const [code, message] = REFUSED[reply.reason];
  return new HttpError(code, message, 'GET /orphans lists them.');
}

function orphanOf(body: unknown): number {
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const [only] = fields;
  const isNumber = only?.[0] === 'orphan' && Number.isSafeInteger(only[1]) && Number(only[1]) > 0;
  if (fields.length === 1 && isNumber) return Number(only?.[1]);
  throw badRequest('The body must be {"orphan": number}.');
}

function limitOf(query: unknown): number {
  const { limit } = query as { limit?: unknown };
  if (limit === undefined) return LISTED_DEFAULT;
  const value = typeof limit === 'string' && /^\d{1,5}$/.test(limit) ? Number(limit) : 0;
  if (value >= 1 && value <= LISTED_MAX) return value;
  throw badRequest(`limit must be a whole number from 1 to ${LISTED_MAX}.`);
}

function badRequest(message: string): HttpError {
  return new HttpError('BAD_REQUEST', message, 'GET /orphans lists them.');
}
