import {
  ClusterError,
  entryIdOfOperation,
  formatVersion,
  isClusterError,
  operationIdMs,
  problemText,
  shardKeyOf,
  sliceOf,
  validateEntry,
  validatePatch,
  writeUsualEntry,
} from '@memgrid/protocol';
import type {
  EntryProblem,
  FoundEntry,
  OperationBody,
  OperationResult,
  Scope,
  WrittenEntry,
} from '@memgrid/protocol';
import type { BatchItem, BatchResult } from './batch.ts';
import type {
  ChangeOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  ReadOptions,
  WatchOptions,
} from './call-options.ts';
import { addressOf, badRequest, conditionOf, scopeOf } from './call-shape.ts';
import type { CallShape } from './call-shape.ts';
import type {
  Count,
  EntryPatch,
  EntryRef,
  EntryShape,
  Found,
  History,
  NewEntry,
  Owner,
  Page,
  Saved,
} from './entry.ts';
import { entryOf, foundOf } from './entry-view.ts';
import type { Namespace, Watch, WatchFilter } from './grid.ts';
import type { ListPages } from './list-pages.ts';
import { NearReader } from './near-reader.ts';
import type { NearSource } from './near-reader.ts';
import { UNNUMBERED } from './pending-answers.ts';
import type { Answered, Near, PendingAnswers, Request } from './pending-answers.ts';

/** What a namespace needs of its client. */
export interface NamespaceParts {
  readonly shape: CallShape;
  readonly answers: PendingAnswers;
  readonly pages: ListPages;
  /** The cluster's time. */
  readonly wallMs: () => number;
  /** @param wallMs the cluster's time. */
  readonly newOperationId: (wallMs: number) => string;
  /** Undefined without a near cache. */
  readonly near: NearSource | undefined;
  readonly atLeast: (token: string) => void;
  readonly watch: (scope: Scope, key: string, options: WatchOptions) => Watch<EntryShape>;
}

/** One tenant's entries: checks what the application gives, and shows what the nodes answer. */
export class GridNamespace<Shape extends EntryShape> implements Namespace<Shape> {
  readonly name: string;
  readonly #parts: NamespaceParts;
  readonly #near: NearReader | undefined;
  /** A read that says nothing about it may be answered from this process. */
  readonly #readsNear: boolean;

  constructor(name: string, parts: NamespaceParts) {
    this.name = name;
    this.#parts = parts;
    this.#near = parts.near === undefined ? undefined : new NearReader(name, parts.near);
    this.#readsNear = parts.near !== undefined && parts.shape.options().read === 'one';
  }

  put(entry: NewEntry<Shape>, options?: PutOptions): Promise<Saved> {
    try {
      return this.#put(entry, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @throws whatever is wrong with what was given. */
  #put(entry: NewEntry<Shape>, options: PutOptions | undefined): Promise<Saved> {
    const { shape, wallMs, newOperationId } = this.#parts;
    const condition = conditionOf(options);
    const now = wallMs();
    // What the entry does not say comes from the operation's id, its own and the moment from which a
    // time to live counts: asking again with that id is the same request.
    const givenId = options?.operationId ?? '';
    const operationId = givenId === '' ? newOperationId(now) : givenId;
    const all = shape.options(options, operationId);
    const nowMs = givenId === '' ? now : (operationIdMs(givenId) ?? now);
    const { id, userId, agentId, appId, runId, bytes } = written(entry, this.name, nowMs);
    const scope = { namespace: this.name, userId, agentId, appId, runId };
    const key = id ?? entryIdOfOperation(operationId, sliceOfOwner(scope));
    const body: OperationBody = {
      kind: 'put',
      namespace: this.name,
      key,
      entry: bytes,
      condition,
    };
    const request = requestOf({ body, scope }, all, options?.signal);
    return this.#parts.answers.ask(request, showSaved);
  }

  get(ref: EntryRef, options?: GetOptions): Promise<Found<Shape> | undefined> {
    if (options === undefined && this.#readsNear) {
      const hit = this.#near?.get<Shape>(ref);
      if (hit !== undefined) return hit;
    }
    try {
      return this.#get(ref, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @throws whatever is wrong with what was given. */
  #get(ref: EntryRef, options: GetOptions | undefined): Promise<Found<Shape> | undefined> {
    const { shape } = this.#parts;
    const { key, scope } = addressOf(this.name, ref);
    const all = shape.options(options);
    if (options?.atLeast !== undefined) this.#parts.atLeast(options.atLeast);
    if (options !== undefined && all.read === 'one' && all.maxStalenessMs > 0) {
      const hit = this.#near?.getWithin<Shape>(ref, all.maxStalenessMs);
      if (hit !== undefined) return Promise.resolve(hit);
    }
    const body: OperationBody = { kind: 'get', namespace: this.name, key };
    const request = requestOf({ body, scope }, all, options?.signal);
    return this.#parts.answers.ask(request, this.#showFound);
  }

  readonly #showFound = (outcome: Answered | Near): Found<Shape> | undefined => {
    if (outcome.kind === 'near') return this.#shown(outcome.found, 'near', outcome.stalenessMs);
    const { result } = outcome.answer;
    if (result.kind === 'absent') return undefined;
    if (result.kind !== 'found') throw unexpected('get', result);
    return this.#shown(result.found, result.source, result.stalenessMs);
  };

  async update(ref: EntryRef, patch: EntryPatch<Shape>, options?: ChangeOptions): Promise<Saved> {
    const { shape, wallMs } = this.#parts;
    const { key, scope } = addressOf(this.name, ref);
    const condition = conditionOf(options);
    const all = shape.options(options);
    // As in `put`: asked again with its id it is the same request, also when its date has passed.
    const nowMs = operationIdMs(all.operationId) ?? wallMs();
    const valid = validatePatch(patch, { nowMs, categories: 'any' });
    if (valid.kind === 'invalid') throw invalidEntry(valid.problems);
    const body: OperationBody = {
      kind: 'update',
      namespace: this.name,
      key,
      patch: valid.bytes,
      condition,
    };
    const request = requestOf({ body, scope }, all, options?.signal);
    return this.#parts.answers.ask(request, showSaved);
  }

  async delete(ref: EntryRef, options?: ChangeOptions): Promise<Saved> {
    const { shape } = this.#parts;
    const { key, scope } = addressOf(this.name, ref);
    const condition = conditionOf(options);
    const body: OperationBody = { kind: 'delete', namespace: this.name, key, condition };
    const request = requestOf({ body, scope }, shape.options(options), options?.signal);
    return this.#parts.answers.ask(request, showSaved);
  }

  async list(owner: Owner = {}, options: ListOptions = {}): Promise<Page<Shape>> {
    const { shape, pages } = this.#parts;
    if (options.atLeast !== undefined) this.#parts.atLeast(options.atLeast);
    const { cursor, signal } = options;
    const page = await pages.page({
      scope: scopeOf(this.name, owner),
      limit: options.limit,
      cursor,
      options: shape.options(options),
      signal,
    });
    return {
      items: page.items.map(({ key, entry, version }) => ({
        entry: entryOf<Shape>(this.name, key, entry),
        version: formatVersion(version),
      })),
      cursor: page.cursor,
      complete: page.cursor === undefined,
      stalenessMs: page.stalenessMs,
    };
  }

  count(owner: Owner = {}, options: ReadOptions = {}): Promise<Count> {
    const { shape, pages } = this.#parts;
    if (options.atLeast !== undefined) this.#parts.atLeast(options.atLeast);
    const { signal } = options;
    const scope = scopeOf(this.name, owner);
    return pages.count({ scope, options: shape.options(options), signal });
  }

  async history(ref: EntryRef, options: ReadOptions = {}): Promise<History<Shape>> {
    const { shape } = this.#parts;
    const { key, scope } = addressOf(this.name, ref);
    if (options.atLeast !== undefined) this.#parts.atLeast(options.atLeast);
    const body: OperationBody = { kind: 'history', namespace: this.name, key };
    const request = requestOf({ body, scope }, shape.options(options), options.signal);
    const result = await this.#parts.answers.ask(request, resultOf);
    if (result?.kind !== 'history') throw unexpected('history', result);
    return {
      steps: result.steps.map(({ kind, version, entry }) => ({
        kind,
        version: formatVersion(version),
        at: version.timestamp.ms,
        entry: entry.length === 0 ? undefined : entryOf<Shape>(this.name, key, entry),
      })),
      complete: result.complete,
    };
  }

  batch(items: readonly BatchItem<Shape>[]): Promise<readonly BatchResult<Shape>[]> {
    return Promise.all(items.map((item) => this.#batchItem(item)));
  }

  watch(filter: WatchFilter = {}, options: WatchOptions = {}): Watch<Shape> {
    const { id, ...owner } = filter;
    const scope = scopeOf(this.name, owner);
    const key = id === undefined ? '' : addressOf(this.name, id).key;
    // The shape is the application's own claim, as everywhere else.
    return this.#parts.watch(scope, key, options) as unknown as Watch<Shape>;
  }

  peek(ref: EntryRef): Found<Shape> | undefined {
    return this.#near?.peek<Shape>(ref);
  }

  async #batchItem(item: BatchItem<Shape>): Promise<BatchResult<Shape>> {
    // JavaScript callers have no types: null is an item that is wrong, not a batch that fails.
    const { kind, options } = (item ?? {}) as BatchItem<Shape>;
    try {
      switch (item?.kind) {
        case 'get':
          return { ok: true, kind: 'get', found: await this.get(item.ref, item.options) };
        case 'put':
          return { ok: true, kind: 'put', saved: await this.put(item.entry, item.options) };
        case 'update': {
          const saved = await this.update(item.ref, item.patch, item.options);
          return { ok: true, kind: 'update', saved };
        }
        case 'delete':
          return { ok: true, kind: 'delete', saved: await this.delete(item.ref, item.options) };
        default:
          // A misspelt kind must not pass for done either.
          throw badRequest(`kind: expected put, update, delete or get, got ${String(kind)}`);
      }
    } catch (error) {
      if (isClusterError(error)) return { ok: false, kind, error };
      // Whatever a signal was aborted with is no error of ours. Anything else has something to do with
      // the item: the others have their outcomes all the same, and the cause is there to be read.
      const isAborted = options?.signal?.aborted === true;
      const other = isAborted
        ? new ClusterError('ABORTED', {}, { cause: error })
        : badRequest(`the item cannot be carried out: ${String(error)}`, error);
      return { ok: false, kind, error: other };
    }
  }

  #shown(found: FoundEntry, source: Found['source'], stalenessMs: number): Found<Shape> {
    const { entry, version, upstream } = foundOf<Shape>(this.name, found);
    return { entry, version, source, stalenessMs, upstream };
  }
}

/** Of one shape whatever is asked, for those who carry it. */
function requestOf(
  { body, scope }: Pick<Request, 'body' | 'scope'>,
  options: Request['options'],
  signal: AbortSignal | undefined,
): Request {
  return { call: UNNUMBERED, body, scope, shard: undefined, options, signal };
}

/**
 * An entry as it is sent.
 *
 * @throws ClusterError INVALID_ENTRY, with everything that is wrong.
 */
function written(entry: unknown, namespace: string, nowMs: number): WrittenEntry {
  const usual = writeUsualEntry(entry, { namespace, nowMs });
  if (usual !== undefined) return usual;
  const valid = validateEntry(entry, { namespace, nowMs, categories: 'any' });
  if (valid.kind === 'invalid') throw invalidEntry(valid.problems);
  const { id, body, bytes } = valid;
  const { userId, agentId, appId, runId } = body;
  return { id, userId, agentId, appId, runId, bytes };
}

function showSaved(outcome: Answered | Near, id: string): Saved {
  const result = resultOf(outcome);
  if (outcome.kind !== 'answered' || result?.kind !== 'written') {
    const operationId = outcome.kind === 'answered' ? outcome.operationId : undefined;
    throw unexpected('write', result, operationId);
  }
  const { version, acknowledged, sync, autonomous, repeated, existed } = result;
  const { operationId } = outcome;
  return {
    id,
    version: formatVersion(version),
    acknowledged,
    sync,
    autonomous,
    repeated,
    existed,
    operationId,
  };
}

/** All entries of an owner are together; an entry of nobody is anywhere. */
function sliceOfOwner(scope: Scope): number | undefined {
  const { userId, agentId, appId, runId } = scope;
  const hasOwner = userId !== '' || agentId !== '' || appId !== '' || runId !== '';
  return hasOwner ? sliceOf(shardKeyOf({ ...scope, key: '' })) : undefined;
}

function resultOf(outcome: Answered | Near): OperationResult | undefined {
  return outcome.kind === 'answered' ? outcome.answer.result : undefined;
}

function invalidEntry(problems: readonly EntryProblem[]): ClusterError<'INVALID_ENTRY'> {
  return new ClusterError('INVALID_ENTRY', { problems: problems.map(problemText) });
}

/** A node answered something else than it was asked: another version's mistake, or a broken one. */
function unexpected(
  asked: string,
  result: OperationResult | undefined,
  operationId?: string,
): ClusterError {
  const problem = `The answer to a ${asked} was "${result?.kind ?? 'near'}".`;
  return new ClusterError('BAD_MESSAGE', { problem }, { applied: 'unknown', operationId });
}
