import type { CallOptions as SessionCallOptions } from '@memgrid/core';
import {
  ClusterError,
  entryIdProblem,
  isPlainName,
  LIMITS,
  parseVersion,
  scopeField,
  WireError,
} from '@memgrid/protocol';
import type { Condition, Durability, ReadLevel, Scope, SyncClass } from '@memgrid/protocol';
import type {
  CallOptions,
  ChangeOptions,
  GetOptions,
  PutOptions,
  ReadOptions,
} from './call-options.ts';
import type { ClientConfig } from './client-config.ts';
import type { EntryRef, Owner } from './entry.ts';

const READS: ReadonlySet<ReadLevel> = new Set(['one', 'quorum', 'strong']);
const DURABILITIES: ReadonlySet<Durability> = new Set(['one', 'quorum']);
const SYNCS: ReadonlySet<SyncClass> = new Set(['memory', 'os', 'disk']);

/** What an application gave, as what a session takes. Throws `ClusterError` where it is not valid. */
export class CallShape {
  readonly #defaults: SessionCallOptions;

  constructor(config: ClientConfig) {
    this.#defaults = {
      read: config.read,
      durability: config.durability,
      sync: config.sync,
      timeoutMs: config.timeoutMs,
      noAutonomous: false,
      operationId: '',
      maxStalenessMs: config.session.nearStalenessMs,
    };
  }

  /**
   * Most calls name no options: they all share one object.
   *
   * @param madeId the operation id of a write that was given none; '' lets the session make one.
   */
  options(
    given: CallOptions & Partial<ReadOptions & GetOptions & ChangeOptions> = NONE,
    madeId = '',
  ): SessionCallOptions {
    if (given === NONE && madeId === '') return this.#defaults;
    const defaults = this.#defaults;
    const { schemaVersion, operationId = '' } = given;
    const options: SessionCallOptions = {
      read: given.read ?? defaults.read,
      durability: given.durability ?? defaults.durability,
      sync: given.sync ?? defaults.sync,
      timeoutMs: given.timeoutMs ?? defaults.timeoutMs,
      noAutonomous: given.noAutonomous ?? false,
      operationId: operationId === '' ? madeId : operationId,
      // The near cache keeps the committed version, and no other.
      maxStalenessMs:
        schemaVersion === undefined ? (given.maxStalenessMs ?? defaults.maxStalenessMs) : 0,
      schemaVersion,
    };
    const problem = problemWith(options, operationId);
    if (problem !== undefined) throw badRequest(problem);
    return options;
  }
}

const NONE: Readonly<Record<never, never>> = {};

/** @param operationId the one that was given; '' for none. */
function problemWith(options: SessionCallOptions, operationId: string): string | undefined {
  const { read, durability, sync, timeoutMs, maxStalenessMs } = options;
  if (!READS.has(read)) return `read: expected one, quorum or strong, got ${String(read)}.`;
  if (!DURABILITIES.has(durability)) {
    return `durability: expected one or quorum, got ${String(durability)}.`;
  }
  if (!SYNCS.has(sync)) return `sync: expected memory, os or disk, got ${String(sync)}.`;
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    return `timeoutMs: expected a number above 0, got ${timeoutMs}.`;
  }
  const { schemaVersion = 1 } = options;
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1) {
    return `schemaVersion: expected a whole number from 1, got ${schemaVersion}.`;
  }
  if (!(maxStalenessMs >= 0)) return `maxStalenessMs: expected 0 or more, got ${maxStalenessMs}.`;
  if (operationId !== '' && !OPERATION_ID.test(operationId)) {
    return `operationId: expected a UUID of version 7 (it carries the time), got "${operationId}".`;
  }
  return undefined;
}

/** RFC 9562: shards forget operations by the time in their ids, so it has to be there. */
const OPERATION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What must hold of the stored entry. */
export function conditionOf({ ifVersion, ifAbsent }: PutOptions & ChangeOptions = {}): Condition {
  if (ifVersion !== undefined && ifAbsent === true) {
    throw badRequest('ifVersion and ifAbsent cannot both hold.');
  }
  if (ifAbsent === true) return { kind: 'absent' };
  if (ifVersion === undefined) return { kind: 'always' };
  const version = parseVersion(ifVersion);
  if (version === undefined) {
    throw badRequest(`ifVersion: expected a version as an answer carried it, got "${ifVersion}".`);
  }
  return { kind: 'version', dot: version.dot };
}

/** An entry's id, and the scope that says where it is when the id does not. */
export function addressOf(
  namespace: string,
  ref: EntryRef,
): { readonly key: string; readonly scope: Scope | undefined } {
  if (typeof ref === 'string') return { key: checkedId(ref), scope: undefined };
  return { key: checkedId(ref.id), scope: scopeOf(namespace, ref) };
}

function isPlain(part: string): boolean {
  return part === '' || isPlainName(part, 1, LIMITS.scopePartBytesMax);
}

function checkedId(id: string): string {
  if (isPlainName(id, 1, LIMITS.entryIdBytesMax)) return id;
  const problem = entryIdProblem(id);
  if (problem !== undefined) throw badRequest(`id: ${problem}.`);
  return id;
}

export function scopeOf(namespace: string, owner: Owner): Scope {
  const { userId = '', agentId = '', appId = '', runId = '' } = owner;
  const scope = { namespace, userId, agentId, appId, runId };
  // Almost all of them are; the namespace was looked at when it was made.
  if (isPlain(userId) && isPlain(agentId) && isPlain(appId) && isPlain(runId)) return scope;
  try {
    scopeField.toWire(scope);
  } catch (error) {
    if (error instanceof WireError) throw badRequest(error.message, error);
    throw error;
  }
  return scope;
}

export function badRequest(problem: string, cause?: unknown): ClusterError<'BAD_REQUEST'> {
  return new ClusterError('BAD_REQUEST', { problem }, { cause });
}
