import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { showsToken } from '../bearer-token.ts';
import type { TlsMaterial } from '../tls-files.ts';
import type { AdminSource } from './admin-source.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { HttpError } from './http-error.ts';
import { operatorRoutes } from './operator-routes.ts';
import { orphanRoutes } from './orphan-routes.ts';

/** An admin request names a node at most; a large body is a mistake or an attack. */
const BODY_BYTES_MAX = 16 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/** Probed by machines that hold no secret, and telling nothing but yes or no. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** What the index at `/` lists. */
export const ADMIN_PATHS = {
  '/livez': 'Does this process turn its event loop? Checks nothing else.',
  '/readyz': 'Do the control group and the shards of this node answer? A round trip through both.',
  '/safe': 'May this node stop? Every shard and the control group would keep a majority.',
  '/metrics': 'Everything measured, in Prometheus text format.',
  '/cluster/status': 'What this node knows of its cluster.',
  '/cluster/members': 'Every member: registry and gossip side by side.',
  '/cluster/shards':
    'Who owns which shard, and how the copies of this node are; ?summary leaves the list out.',
  '/cluster/members/drain': 'POST {"node": nodeId} moves the shards of a node to others.',
  '/cluster/members/undrain': 'POST {"node": nodeId} lets it hold shards again.',
  '/cluster/members/expel': 'POST {"node": nodeId} gives up a dead node: it can never come back.',
  '/cluster/shards/revive': 'POST lets shards go on without a majority that was expelled.',
  '/orphans': 'Writes at `one` that this node keeps because no log has them; ?limit=number.',
  '/orphans/merge': 'POST {"orphan": number} writes a parked one again, now.',
  '/orphans/drop': 'POST {"orphan": number} forgets a parked one for good.',
  '/cluster/schemas': 'The schemas of entries; POST a definition adds a version.',
  '/cluster/schemas/commit': 'POST {"name", "version"} says which version writers write.',
  '/cluster/schemas/bind': 'POST {"namespace", "name"} lets a namespace follow a schema.',
  '/cluster/coordinator/handover': 'POST {"to": nodeId?} hands the coordinator role over.',
} as const;

/** Builds the admin surface; the caller listens, or injects requests in a test. */
export function adminSurface(source: AdminSource, tls?: TlsMaterial): FastifyInstance {
  const server: FastifyInstance = fastify({
    https: tls === undefined ? null : { cert: tls.cert, key: tls.key },
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    // On close, idle keep-alive connections end at once instead of holding the process.
    forceCloseConnections: 'idle',
    // What the router refuses before any hook or handler: a path that can not be decoded.
    frameworkErrors: (error, _request, reply) => void answer(reply, shownError(error)),
  });
  server.addHook('onRequest', async (request) => checkCaller(request, source.token));
  server.setErrorHandler((error: FastifyError | HttpError, request, reply) => {
    const shown = shownError(error);
    if (shown.statusCode === 500) source.onDefect(routeOf(request), error.message);
    return answer(reply, shown);
  });
  server.setNotFoundHandler((request, reply) => {
    const { upgrade } = request.headers;
    if (upgrade?.toLowerCase() === 'websocket') return answer(reply, wrongPort(source));
    return answer(reply, notFound(server, request));
  });
  server.get('/', async () => ({ name: 'memgrid', version: source.version, paths: ADMIN_PATHS }));
  healthRoutes(server, source);
  clusterRoutes(server, source);
  operatorRoutes(server, source);
  orphanRoutes(server, source);
  return server;
}

async function checkCaller(request: FastifyRequest, token: string): Promise<void> {
  // A page in somebody's browser must not steer the node on their laptop. Programs send no Origin.
  if (request.headers.origin !== undefined) {
    throw new HttpError(
      'FORBIDDEN',
      'Requests from web pages are refused.',
      'Use the command line or curl; this surface is for operators and probes.',
    );
  }
  if (OPEN_PATHS.has(routeOf(request))) return;
  if (showsToken(request.headers.authorization, token)) return;
  throw new HttpError(
    'UNAUTHORISED',
    'This request does not show the token of the cluster.',
    'Send "Authorization: Bearer <token>", or set MEMGRID_TOKEN for the command line.',
  );
}

function routeOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** A client or a peer took one address of this node for the other. */
function wrongPort(source: AdminSource): HttpError {
  const address = source.status()?.address;
  const where = address === undefined ? 'another port (--listen)' : address;
  return new HttpError(
    'NOT_FOUND',
    `This is the admin port of a node; clients and peers use ${where}.`,
    'Clients take the addresses of --listen, the commands that look take those of --http.',
  );
}

function notFound(server: FastifyInstance, request: FastifyRequest): HttpError {
  const path = routeOf(request);
  const allowed = (['GET', 'POST'] as const).filter((method) =>
    server.hasRoute({ method, url: path }),
  );
  if (allowed.length === 0) {
    return new HttpError('NOT_FOUND', `There is nothing at ${path}.`, 'GET / lists every path.');
  }
  return new HttpError(
    'METHOD_NOT_ALLOWED',
    `${path} does not answer ${request.method}.`,
    `Use ${allowed.join(' or ')}.`,
  );
}

function shownError(error: FastifyError | HttpError): HttpError {
  if (error instanceof HttpError) return error;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpError(
        'BODY_TOO_LARGE',
        `A body may have ${BODY_BYTES_MAX} bytes.`,
        'Send only the fields of the request.',
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpError(
        'UNSUPPORTED_MEDIA_TYPE',
        'A body must be JSON.',
        'Send "Content-Type: application/json".',
      );
    default:
      break;
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return new HttpError('BAD_REQUEST', `${error.message}.`, 'GET / lists every path.');
  }
  return new HttpError('INTERNAL', 'This node met a defect.', 'Its log names it (http.failed).');
}

function answer(reply: FastifyReply, error: HttpError): FastifyReply {
  return reply.status(error.statusCode).send(error.body);
}
