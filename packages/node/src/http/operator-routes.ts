import type { NodeReply, NodeStatus } from '@memgrid/core';
import {
  nodeId,
  parseSchema,
  SCHEMA_LIMITS,
  schemaFingerprint,
  schemaProblemText,
  type ControlCommand,
  type EntrySchema,
  type JsonObject,
} from '@memgrid/protocol';
import type { FastifyInstance } from 'fastify';
import { compileSchema } from '../schema/compile-schema.ts';
import type { AdminSource } from './admin-source.ts';
import { HttpError } from './http-error.ts';
import { membersBody } from './status-body.ts';

/** Time for a command to reach the coordinator and a majority, through an election if need be. */
const PROPOSE_TIMEOUT_MS = 8_000;

/** What operators decide for the whole cluster: each becomes a command of the control group. */
export function operatorRoutes(server: FastifyInstance, source: AdminSource): void {
  server.post('/cluster/members/drain', async (request) => {
    const member = memberOf(request.body, source);
    if (member.status !== 'draining') {
      await propose(source, { kind: 'setStatus', nodeId: member.nodeId, status: 'draining' });
    }
    return { nodeId: member.nodeId, status: 'draining' };
  });
  server.post('/cluster/members/undrain', async (request) => {
    const member = memberOf(request.body, source);
    if (member.status !== 'normal') {
      await propose(source, { kind: 'setStatus', nodeId: member.nodeId, status: 'normal' });
    }
    return { nodeId: member.nodeId, status: 'normal' };
  });
  server.post('/cluster/members/expel', async (request) => {
    const member = memberOf(request.body, source);
    if (member.liveness === 'alive' || member.liveness === 'suspect') {
      throw new HttpError('CONFLICT', 'This node is not dead.', 'Stop its process first.');
    }
    if (member.status !== 'expelled') {
      await propose(source, { kind: 'setStatus', nodeId: member.nodeId, status: 'expelled' });
    }
    return { nodeId: member.nodeId, status: 'expelled' };
  });
  server.post('/cluster/shards/revive', async () => {
    await propose(source, { kind: 'reviveShards' });
    return { status: 'revived' };
  });
  server.get('/cluster/schemas', async () => startedStatus(source).control?.schemas ?? NO_SCHEMAS);
  // A schema may be larger than any other request; JSON may be spread over lines.
  const bodyLimit = 4 * SCHEMA_LIMITS.schemaBytesMax;
  server.post('/cluster/schemas', { bodyLimit }, async (request) => {
    const schema = schemaOf(request.body);
    await propose(source, { kind: 'defineSchema', definition: request.body as JsonObject });
    const { name, version } = schema;
    return { name, version, fingerprint: schemaFingerprint(schema) };
  });
  server.post('/cluster/schemas/commit', async (request) => {
    const { name, version } = fieldsOf(request.body, ['name', 'version']);
    if (typeof name !== 'string' || !Number.isSafeInteger(version)) {
      throw badRequest('The body must be {"name": schema, "version": number}.');
    }
    await propose(source, { kind: 'commitSchema', schema: name, version: version as number });
    return { name, version };
  });
  server.post('/cluster/schemas/bind', async (request) => {
    const { namespace, name } = fieldsOf(request.body, ['namespace', 'name']);
    if (typeof namespace !== 'string' || typeof name !== 'string') {
      throw badRequest('The body must be {"namespace": name, "name": schema}.');
    }
    await propose(source, { kind: 'bindNamespace', namespace, schema: name });
    return { namespace, name };
  });
}

const NO_SCHEMAS = { schemas: [], namespaces: [] };

function startedStatus(source: AdminSource): NodeStatus {
  const status = source.status();
  if (status !== undefined) return status;
  throw new HttpError('STARTING', 'This node is reading its disk.', 'Ask again in a second.');
}

async function propose(source: AdminSource, command: ControlCommand): Promise<void> {
  const reply = await source.request({ kind: 'propose', command }, PROPOSE_TIMEOUT_MS);
  if (reply.kind === 'proposed' && reply.outcome.kind === 'committed') return;
  throw proposeError(reply);
}

function proposeError(reply: NodeReply): HttpError {
  if (reply.kind === 'failed' && reply.reason === 'invalid') {
    return new HttpError('CONFLICT', reply.detail, 'Nothing was changed.');
  }
  if (reply.kind === 'proposed' && reply.outcome.kind === 'unknown') {
    return new HttpError(
      'NOT_READY',
      'The coordinator changed meanwhile: the command may have been carried out.',
      'Ask again; repeating it changes nothing more.',
    );
  }
  const detail =
    reply.kind === 'failed'
      ? `${reply.reason}: ${reply.detail}`
      : reply.kind === 'proposed'
        ? reply.outcome.kind
        : reply.kind;
  return new HttpError(
    'NOT_READY',
    `The control group did not take the command (${detail}).`,
    'Look at /cluster/status for the coordinator, and ask again.',
  );
}

function schemaOf(body: unknown): EntrySchema {
  const parsed = parseSchema(body);
  if (parsed.kind === 'problems') {
    throw badRequest(parsed.problems.map(schemaProblemText).join(' '), SCHEMAS);
  }
  try {
    // What nobody can compile would refuse every entry of its namespace later.
    compileSchema(parsed.schema.body);
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message, SCHEMAS);
    throw error;
  }
  return parsed.schema;
}

function memberOf(body: unknown, source: AdminSource) {
  const { node } = fieldsOf(body, ['node']);
  if (typeof node !== 'string' || !/^[0-9a-f]{4,32}$/.test(node)) {
    const wanted = 'The body must be {"node": id}, with at least 4 hex digits of a node id.';
    throw badRequest(wanted, MEMBERS);
  }
  const known = membersBody(startedStatus(source)).filter((one) => one.nodeId.startsWith(node));
  const [only] = known;
  if (only === undefined) {
    throw new HttpError('NOT_FOUND', `No member has an id that begins with "${node}".`, MEMBERS);
  }
  if (known.length === 1) {
    const { liveness, status } = only;
    return { nodeId: nodeId(only.nodeId), status, liveness };
  }
  throw badRequest(`${known.length} members have an id that begins with "${node}".`);
}

const MEMBERS = '/cluster/members lists the node ids.';

/** A misspelt name must not be overlooked. */
function fieldsOf(body: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(`The body must be an object with ${names.join(' and ')}.`);
  }
  const unknown = Object.keys(body).filter((name) => !names.includes(name));
  if (unknown.length === 0) return body as Readonly<Record<string, unknown>>;
  throw badRequest(`The body may have ${names.join(' and ')} and nothing else: ${unknown.join()}.`);
}

const SCHEMAS = 'docs/schemas.md tells what a schema may hold.';

function badRequest(message: string, hint = 'GET / lists every path.'): HttpError {
  return new HttpError('BAD_REQUEST', message, hint);
}
