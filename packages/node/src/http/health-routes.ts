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
    if (!isVerbose(request.query)) return { status: 'ready', controlIndex: index };
    return await reply.type('text/plain').send(`ready: a majority answered at index ${index}\n`);
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
