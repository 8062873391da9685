import type { Random } from '@memgrid/core';
import type { Condition, Dot, OperationBody, ReadLevel, ShardId } from '@memgrid/protocol';
import type { HistoryValue } from '../history/history-event.ts';
import type { HistoryRecorder } from '../history/history-recorder.ts';
import { ClientPace } from './client-pace.ts';
import { operationIdAt } from './operation-id-at.ts';
import { WORLD_EPOCH_MS } from '../sim-clock.ts';
import type { EventQueue } from '../event-queue.ts';
import type { CalledOperation, CallEnd } from './shard-call.ts';
import { entryOf, NAMESPACE, patchOf, textsOf } from './shard-keys.ts';
import type { EntryTexts, WorldKey } from './shard-keys.ts';
import type { ShardTuning } from './shard-tuning.ts';

/** One finished call, for checkers. Times are the world's. */
export interface FinishedCall {
  readonly key: WorldKey;
  readonly operation: CalledOperation;
  /** Of a put, or of an update that replaces it. */
  readonly content: string | undefined;
  readonly expiresAt: number;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly end: CallEnd;
}

/** What is written down, by the checker that judges it. */
export type HistoryName = 'register' | 'session' | 'list';

export interface ClientSurroundings {
  readonly queue: EventQueue;
  readonly tuning: Pick<ShardTuning, 'shards' | 'thinkMs' | 'sync'>;
  /** Carries a call out: over a simulated network, by a session, or directly. */
  readonly execute: (operation: CalledOperation, ended: (end: CallEnd) => void) => void;
  readonly histories: Readonly<Record<HistoryName, HistoryRecorder>>;
  /** Whose entries are in a shard. */
  readonly ownerOf: (shard: ShardId) => string;
  /** The key that each client writes for sessions at the moment: only it does. */
  readonly sessionKeys: Map<number, WorldKey>;
  /** Histories need a process that was never used. */
  readonly newProcess: () => number;
  readonly finished: (call: FinishedCall) => void;
}

interface Known {
  readonly texts: EntryTexts | null;
  readonly dot: Dot | undefined;
}

interface Intent {
  readonly key: WorldKey;
  readonly f: 'read' | 'write' | 'cas' | 'patch' | 'delete';
  readonly body: OperationBody;
  readonly read: ReadLevel;
  readonly durability: 'one' | 'quorum';
  readonly content: string | undefined;
  readonly expiresAt: number;
  /** What is there after it, where that can be known. */
  readonly leaves: EntryTexts | null | undefined;
  /** What the history says was asked. */
  readonly value: HistoryValue | undefined;
}

const KEYS_PER_CLASS = 2;

/** One client: does one thing at a time, over every kind of key, and writes down what it saw. */
export class ShardClient {
  readonly #name: number;
  readonly #world: ClientSurroundings;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  /** Of the session: how much of each shard's log it has seen. */
  readonly #token = new Map<ShardId, number>();
  readonly #process = { register: 0, session: 0 };
  #writes = 0;
  readonly #pace: ClientPace;

  constructor(name: number, world: ClientSurroundings, random: Random) {
    this.#name = name;
    this.#world = world;
    this.#random = random;
    this.#process.register = world.newProcess();
    this.#process.session = world.newProcess();
    const { queue, tuning } = world;
    const perform = (): void => this.#perform(this.#draw());
    this.#pace = new ClientPace({ queue, random, thinkMs: tuning.thinkMs, perform });
    this.#pace.pause();
  }

  get isBusy(): boolean {
    return this.#pace.isBusy;
  }

  /** Begins nothing new; what is under way ends. */
  stop(): void {
    this.#pace.stop();
  }

  #perform(intent: Intent): void {
    const { histories, queue, tuning } = this.#world;
    const { key } = intent;
    const isWrite = intent.f !== 'read';
    const withToken = key.keyClass === 'session' && !isWrite;
    const operation: CalledOperation = {
      shard: key.shard,
      operationId: isWrite ? operationIdAt(queue.nowUs, this.#random) : '',
      body: intent.body,
      read: intent.read,
      durability: intent.durability,
      sync: tuning.sync,
      noAutonomous: false,
      atLeast: withToken ? (this.#token.get(key.shard) ?? 0) : 0,
    };
    const { keyClass } = key;
    const recorded = keyClass === 'register' || keyClass === 'session' ? keyClass : undefined;
    const begun =
      recorded === undefined
        ? undefined
        : histories[recorded].begin({
            process: this.#process[recorded],
            f: intent.f,
            key: `${key.shard}/${key.key}`,
            level: isWrite ? intent.durability : intent.read,
            ...(intent.value === undefined ? {} : { value: intent.value }),
          });
    const beganMs = queue.nowUs / 1000;
    const ended = (end: CallEnd): void => {
      const { content, expiresAt } = intent;
      const endedMs = queue.nowUs / 1000;
      this.#world.finished({ key, operation, content, expiresAt, beganMs, endedMs, end });
      if (recorded !== undefined && begun !== undefined) {
        this.#record(recorded, begun, { intent, end });
      }
      this.#pace.pause();
    };
    this.#world.execute(operation, ended);
  }

  #record(
    history: 'register' | 'session',
    begun: Parameters<HistoryRecorder['end']>[0],
    { intent, end }: { readonly intent: Intent; readonly end: CallEnd },
  ): void {
    const recorder = this.#world.histories[history];
    if (end.kind === 'failed' && intent.f === 'patch' && end.code === 'NOT_FOUND') {
      recorder.end(begun, 'ok', { value: null });
      return;
    }
    if (end.kind === 'failed' || (end.kind === 'unknown' && intent.f === 'read')) {
      recorder.end(begun, 'fail');
      return;
    }
    if (end.kind === 'unknown') {
      recorder.end(begun, 'info');
      this.#process[history] = this.#world.newProcess();
      // That write may still take effect, after later ones: no order of the key is promised.
      if (history === 'session') this.#world.sessionKeys.delete(this.#name);
      return;
    }
    const { answer, node } = end;
    const { shard, key } = intent.key;
    const seen = Math.max(this.#token.get(shard) ?? 0, answer.position.index);
    this.#token.set(shard, seen);
    const { result } = answer;
    const name = `${shard}/${key}`;
    if (result.kind === 'written') {
      const { content, leaves } = intent;
      if (leaves === undefined) this.#known.delete(name);
      else
        this.#known.set(name, {
          texts: leaves,
          dot: leaves === null ? undefined : result.version.dot,
        });
      const version = content === undefined ? {} : { version: versionOf(content) };
      recorder.end(begun, 'ok', { node, ...version });
    } else if (result.kind === 'found') {
      const texts = textsOf(result.found.entry);
      this.#known.set(name, { texts, dot: result.found.version.dot });
      const version = versionOf(texts.content);
      recorder.end(begun, 'ok', { node, value: { ...texts }, version });
    } else {
      this.#known.set(name, { texts: null, dot: undefined });
      recorder.end(begun, 'ok', { node, value: null, version: [] });
    }
  }

  #draw(): Intent {
    const { shards, sync } = this.#world.tuning;
    const shard = this.#random.below(shards) as ShardId;
    const luck = this.#random.unit();
    const number = this.#random.below(KEYS_PER_CLASS);
    // What a node forgets with its memory is no promise to a session either.
    if (luck < 0.5) return this.#onRegister({ shard, keyClass: 'register', key: `r${number}` });
    if (luck < 0.65) {
      const key = `u${this.#name}-${this.#writes + 1}`;
      return this.#put({ shard, keyClass: 'ledger', key });
    }
    if (luck < 0.82) return this.#onSession(shard);
    if (luck < 0.94 || sync === 'memory') {
      return this.#onMixed({ shard, keyClass: 'mixed', key: `o${number}` });
    }
    return this.#onExpiring({ shard, keyClass: 'expiring', key: `t${number}` });
  }

  #onRegister(key: WorldKey): Intent {
    const luck = this.#random.unit();
    if (luck < 0.38) return this.#get(key, this.#random.chance(0.5) ? 'quorum' : 'strong');
    if (luck < 0.58) return this.#put(key);
    if (luck < 0.67) return this.#delete(key);
    if (luck < 0.77) return this.#update(key);
    const known = this.#known.get(`${key.shard}/${key.key}`);
    if (known === undefined) return this.#get(key, 'strong');
    return this.#random.chance(0.3) ? this.#updateIf(key, known) : this.#putIf(key, known);
  }

  #putIf(key: WorldKey, { dot, texts }: Known): Intent {
    const condition: Condition = dot === undefined ? { kind: 'absent' } : { kind: 'version', dot };
    const put = this.#put(key, { condition });
    return { ...put, f: 'cas', value: [valueOf(texts), put.value ?? null] };
  }

  /** Patches one of the texts, whatever the other is by then. */
  #update(key: WorldKey): Intent {
    const text = this.#newContent();
    const patch = this.#random.chance(0.5) ? { content: text } : { category: text };
    return {
      ...this.#get(key, 'quorum'),
      f: 'patch',
      body: {
        kind: 'update',
        namespace: NAMESPACE,
        key: key.key,
        patch: patchOf(patch),
        condition: { kind: 'always' },
      },
      content: patch.content,
      leaves: undefined,
      value: patch,
    };
  }

  /** The same of a version: then the whole outcome is known beforehand. */
  #updateIf(key: WorldKey, { dot, texts }: Known): Intent {
    const update = this.#update(key);
    if (update.body.kind !== 'update' || texts === null || dot === undefined) return update;
    const leaves: EntryTexts = { ...texts, ...(update.value as Partial<EntryTexts>) };
    return {
      ...update,
      f: 'cas',
      body: { ...update.body, condition: { kind: 'version', dot } },
      leaves,
      value: [valueOf(texts), valueOf(leaves)],
    };
  }

  /** Each key has one writer, so that the order of its values is known. */
  #onSession(shard: ShardId): Intent {
    const { sessionKeys } = this.#world;
    const own = sessionKeys.get(this.#name);
    if (own === undefined || this.#random.chance(0.35)) {
      const fresh = { shard, keyClass: 'session', key: `s${this.#name}-${this.#writes}` } as const;
      sessionKeys.set(this.#name, own ?? fresh);
      return this.#put(own ?? fresh);
    }
    const key = this.#random.pick([...sessionKeys.values()]) ?? own;
    return this.#get(key, 'one');
  }

  #onMixed(key: WorldKey): Intent {
    const durability = this.#random.chance(0.5) ? 'one' : 'quorum';
    const luck = this.#random.unit();
    if (luck < 0.45) return { ...this.#put(key), durability };
    if (luck < 0.65) return this.#delete(key);
    return this.#get(key, this.#random.pick<ReadLevel>(['one', 'quorum', 'strong']) ?? 'one');
  }

  #onExpiring(key: WorldKey): Intent {
    if (this.#random.chance(0.5)) return this.#get(key, 'strong');
    const nowMs = WORLD_EPOCH_MS + this.#world.queue.nowUs / 1000;
    const expiresAt = Math.round(nowMs + this.#random.between(200, 2_500));
    return this.#put(key, { expiresAt });
  }

  #get(key: WorldKey, read: ReadLevel): Intent {
    return {
      key,
      f: 'read',
      body: { kind: 'get', namespace: NAMESPACE, key: key.key },
      read,
      durability: 'quorum',
      content: undefined,
      expiresAt: 0,
      leaves: undefined,
      value: undefined,
    };
  }

  #delete(key: WorldKey): Intent {
    const condition: Condition = { kind: 'always' };
    const body = { kind: 'delete', namespace: NAMESPACE, key: key.key, condition } as const;
    return { ...this.#get(key, 'quorum'), f: 'delete', body, leaves: null };
  }

  #put(
    key: WorldKey,
    {
      content = this.#newContent(),
      condition = { kind: 'always' } as Condition,
      expiresAt = 0,
    }: { content?: string; condition?: Condition; expiresAt?: number } = {},
  ): Intent {
    const entry = entryOf(content, expiresAt, { userId: this.#world.ownerOf(key.shard) });
    const leaves: EntryTexts = { content, category: content };
    const body = { kind: 'put', namespace: NAMESPACE, key: key.key, entry, condition } as const;
    const value = valueOf(leaves);
    return { ...this.#get(key, 'quorum'), f: 'write', body, content, expiresAt, leaves, value };
  }

  #newContent(): string {
    this.#writes += 1;
    return `c${this.#name}-${this.#writes}`;
  }
}

function valueOf(texts: EntryTexts | null): HistoryValue {
  return texts === null ? null : { ...texts };
}

/** Contents of one client are numbered in the order in which it began to write them. */
function versionOf(content: string): readonly number[] {
  return [Number(content.slice(content.indexOf('-') + 1))];
}
