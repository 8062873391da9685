import type {
  Instant,
  LocalOperation,
  ShardsEffect,
  ShardsInput,
  ShardsOptions,
  ShardStatus,
} from '@memgrid/core';
import { decodeValue, entryBodyField, failedResult } from '@memgrid/protocol';
import type {
  Answer,
  Condition,
  EntryVersion,
  FoundEntry,
  NodeId,
  OperationBody,
  OperationResult,
  ShardConfig,
  ShardId,
} from '@memgrid/protocol';
import type { ShardsFactory, SimulatedShards } from './shard-host.ts';
import { entryOf } from './shard-keys.ts';

interface StoredCopy {
  readonly entry: Uint8Array | undefined;
  readonly version: EntryVersion;
  readonly expiresAt: number;
}

/** What a world of `OneCopyShards` has between its nodes: one memory that nothing can harm. */
export interface OneCopy {
  readonly entries: Map<string, StoredCopy>;
  readonly outcomes: Map<string, OperationResult>;
  counter: number;
}

export interface OneCopyOptions {
  readonly expiryOf: (entry: Uint8Array) => number;
  /** A mistake that is built in, so that a test can see the world notice it. */
  readonly mistake?: 'forgets' | 'resurrects' | 'reissues' | 'tramples' | 'skips';
}

/**
 * A perfect implementation, by cheating: all nodes share one memory. The world of shards has to
 * find nothing wrong with it, and something with each of its mistakes.
 */
export function oneCopyShards(options: OneCopyOptions): ShardsFactory {
  const copy: OneCopy = { entries: new Map(), outcomes: new Map(), counter: 0 };
  return (start) => new OneCopyShards(copy, start, options);
}

class OneCopyShards implements SimulatedShards {
  readonly #copy: OneCopy;
  readonly #self: NodeId;
  readonly #start: Omit<ShardsOptions, 'config'>;
  readonly #options: OneCopyOptions;
  readonly #configs = new Map<ShardId, ShardConfig>();

  constructor(copy: OneCopy, start: Omit<ShardsOptions, 'config'>, options: OneCopyOptions) {
    this.#copy = copy;
    this.#start = start;
    this.#self = start.self;
    this.#options = options;
  }

  get wakeAt(): Instant | undefined {
    return undefined;
  }

  wake(): readonly ShardsEffect[] {
    return [];
  }

  step(_now: Instant, input: ShardsInput): readonly ShardsEffect[] {
    if (input.kind === 'operations') {
      return input.operations.map((local) => ({
        kind: 'answer',
        token: local.token,
        answer: this.#answer(local),
      }));
    }
    if (input.kind !== 'configs') return [];
    return input.configs.flatMap((config) => this.#configured(config));
  }

  status(): readonly ShardStatus[] {
    return [...this.#configs.values()].map((config) => ({
      shard: config.shard,
      config,
      promised: config.epoch,
      role: config.primary === this.#self ? 'primary' : 'replica',
      active: config.primary === this.#self,
      complete: true,
      slot: 0,
      last: { epoch: config.epoch, index: 0 },
      commit: 0,
      applied: 0,
      entries: this.#copy.entries.size,
    }));
  }

  #configured(config: ShardConfig): readonly ShardsEffect[] {
    this.#configs.set(config.shard, config);
    const { epoch, generation, shard } = { ...config, generation: config.primaryGeneration };
    if (config.primary !== this.#self || generation !== this.#start.generation) return [];
    const all = [...config.replicas, ...config.next];
    const report = { shard, epoch, active: true, promised: all, caughtUp: all };
    return [
      { kind: 'event', event: { name: 'shard.activated', shard, epoch } },
      { kind: 'report', reports: [{ ...report, entries: 0, bytes: 0 }] },
    ];
  }

  #answer({ operation }: LocalOperation): Answer {
    const { id, operationId, shard } = operation;
    const remembered = this.#copy.outcomes.get(operationId);
    const result = remembered ?? this.#carryOut(operation);
    if (operationId !== '') this.#copy.outcomes.set(operationId, result);
    const epoch = this.#configs.get(shard)?.epoch ?? 1;
    return { id, shard, position: { epoch, index: 0 }, result };
  }

  #carryOut({ body, shard }: LocalOperation['operation']): OperationResult {
    if (body.kind === 'history') throw new RangeError('One copy remembers no history.');
    if (body.kind === 'list') return this.#list(shard, body);
    const name = `${shard}/${body.key}`;
    const stored = this.#copy.entries.get(name);
    const { ms } = this.#start.tick();
    const isThere =
      stored?.entry !== undefined && (stored.expiresAt === 0 || ms < stored.expiresAt);
    if (body.kind === 'get') {
      if (!isThere || stored?.entry === undefined) {
        return { kind: 'absent', source: 'primary', stalenessMs: 0 };
      }
      const found = { key: body.key, entry: stored.entry, version: stored.version };
      return { kind: 'found', found, source: 'primary', stalenessMs: 0 };
    }
    if (!holds(body.condition, isThere ? stored : undefined)) {
      return failedResult('VERSION_CONFLICT', { current: undefined });
    }
    if (body.kind !== 'update')
      return this.#write(name, body.kind === 'put' ? body.entry : undefined);
    if (!isThere || stored?.entry === undefined) return failedResult('NOT_FOUND', { id: body.key });
    const tramples = this.#options.mistake === 'tramples' && this.#start.random.chance(0.1);
    const base = tramples ? entryOf('', 0) : stored.entry;
    const patched = this.#start.rules.patched(base, body.patch, ms);
    if (patched.kind === 'problems') throw new RangeError(patched.problems.join(' '));
    return this.#write(name, patched.entry);
  }

  #list(shard: ShardId, body: Extract<OperationBody, { kind: 'list' }>): OperationResult {
    const prefix = `${shard}/`;
    const { ms } = this.#start.tick();
    const all = [...this.#copy.entries].flatMap(([name, stored]): readonly FoundEntry[] => {
      const { entry, expiresAt, version } = stored;
      if (!name.startsWith(prefix) || entry === undefined) return [];
      if (expiresAt !== 0 && expiresAt <= ms) return [];
      const { runId } = decodeValue(entryBodyField, entry);
      if (body.scope.runId !== '' && runId !== body.scope.runId) return [];
      return [{ key: name.slice(prefix.length), entry, version }];
    });
    const sorted = all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const rest = sorted.filter(({ key }) => key > body.after);
    // As if the place of a page were counted, and something before it had gone meanwhile.
    const skipped = this.#options.mistake === 'skips' && body.after !== '' ? 1 : 0;
    const entries = rest.slice(skipped, skipped + body.limit);
    const more = rest.length > skipped + body.limit;
    return { kind: 'listed', entries, count: 0, more, source: 'primary', stalenessMs: 0 };
  }

  #write(name: string, entry: Uint8Array | undefined): OperationResult {
    const { mistake } = this.#options;
    const luck = this.#start.random.chance(0.02);
    if (!(mistake === 'reissues' && luck)) this.#copy.counter += 1;
    const dot = {
      actor: `${this.#self}.1` as EntryVersion['dot']['actor'],
      counter: this.#copy.counter,
    };
    const version = { dot, timestamp: this.#start.tick() };
    const forgotten = mistake === 'forgets' && luck;
    const undone = mistake === 'resurrects' && entry === undefined && luck;
    if (!forgotten && !undone) {
      const expiresAt = entry === undefined ? 0 : this.#options.expiryOf(entry);
      this.#copy.entries.set(name, { entry, version, expiresAt });
    }
    return {
      kind: 'written',
      version,
      acknowledged: 'quorum',
      sync: 'disk',
      autonomous: false,
      repeated: false,
    };
  }
}

function holds(condition: Condition, stored: StoredCopy | undefined): boolean {
  switch (condition.kind) {
    case 'always':
      return true;
    case 'absent':
      return stored === undefined;
    case 'present':
      return stored !== undefined;
    case 'version':
      return (
        stored !== undefined &&
        stored.version.dot.actor === condition.dot.actor &&
        stored.version.dot.counter === condition.dot.counter
      );
  }
}
