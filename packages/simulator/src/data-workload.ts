import type { CallOptions, CallOutcome } from '@memgrid/core';
import type { ReadLevel, ShardId, SyncClass } from '@memgrid/protocol';
import type { Expectation } from './checker.ts';
import type { HistoryEvent } from './history/history-event.ts';
import { HistoryRecorder } from './history/history-recorder.ts';
import type { CalledOperation, CallEnd } from './shard-world/shard-call.ts';
import { ListClient, listEverySet } from './shard-world/list-client.ts';
import { ShardClient } from './shard-world/shard-client.ts';
import type { ClientSurroundings, FinishedCall, HistoryName } from './shard-world/shard-client.ts';
import { NAMESPACE, ownersByShard, textsOf } from './shard-world/shard-keys.ts';
import type { EntryTexts, WorldKey } from './shard-world/shard-keys.ts';
import { SimClient } from './sim-client.ts';
import type { SessionStart, SimulatedSession } from './sim-client.ts';
import type { World } from './world.ts';

export interface DataWorkloadOptions {
  /** Applications, each with one session. */
  readonly clients: number;
  /** What each of them does at the same time. */
  readonly processes: number;
  /** Further processes that add to sets, remove from them and list them; spread over the applications. */
  readonly listers: number;
  /** Average pause of a process between two operations. */
  readonly thinkMs: number;
  readonly shards: number;
  readonly sync: SyncClass;
  readonly timeoutMs: number;
}

export const ORDINARY_DATA: DataWorkloadOptions = {
  clients: 2,
  processes: 3,
  listers: 1,
  thinkMs: 250,
  shards: 8,
  sync: 'disk',
  timeoutMs: 2_000,
};

/** Makes production's session for the addresses of a cluster. */
export type SessionFactory = (
  start: SessionStart & { readonly addresses: readonly string[] },
) => SimulatedSession;

/** A retry of a last read: nothing else is under way then, and the cluster is whole. */
const LAST_READ_TIMEOUT_MS = 10_000;

/**
 * Applications with real sessions on hosts of their own: registers, sets and their lists, sessions,
 * expiries, deletes. Writes down what they saw, and reads everything once more at the end.
 */
export class DataWorkload {
  readonly histories: Readonly<Record<HistoryName, HistoryRecorder>>;
  /** How many calls ended how: `answered`, `failed NOT_PRIMARY`, `unknown TIMEOUT`, … */
  readonly calls = new Map<string, number>();
  readonly #world: World;
  readonly #options: DataWorkloadOptions;
  readonly #sims: readonly SimClient[];
  readonly #clients: readonly (ListClient | ShardClient)[];
  readonly #keys = new Map<string, WorldKey>();
  /** What was written once and acknowledged, by key. */
  readonly #acknowledged = new Map<string, FinishedCall>();
  readonly #lost: string[] = [];
  readonly #ownerOf: (shard: ShardId) => string;
  readonly #sessionKeys: ClientSurroundings['sessionKeys'] = new Map();
  #processes = 0;
  #openReads = 0;

  constructor(world: World, options: DataWorkloadOptions, session: SessionFactory) {
    this.#world = world;
    this.#options = options;
    this.#ownerOf = ownersByShard(options.shards);
    const nowNs = (): number => world.queue.nowUs * 1000;
    this.histories = {
      register: new HistoryRecorder(nowNs),
      session: new HistoryRecorder(nowNs),
      list: new HistoryRecorder(nowNs),
    };
    const addresses = world.nodes.slice(0, 3).map(({ settings }) => settings.address);
    const random = world.random.split('data');
    this.#sims = Array.from(
      { length: options.clients },
      (_, at) =>
        new SimClient({
          name: `c${at + 1}`,
          queue: world.queue,
          network: world.network,
          random: random.split(`client/${at}`),
          session: (start) => session({ ...start, addresses }),
          sent: (bytes) => world.hash.bytes(bytes),
          event: (event) => world.observe({ kind: 'sessionEvent', client: `c${at + 1}`, event }),
          faulted: (error) => world.observe({ kind: 'clientFaulted', client: `c${at + 1}`, error }),
        }),
    );
    const clients = this.#sims.flatMap((sim, at) =>
      Array.from({ length: options.processes }, (_, process) => {
        const name = at * options.processes + process;
        const own = world.random.split(`data/process/${name}`);
        return new ShardClient(name, this.#surroundings(sim, options.timeoutMs), own);
      }),
    );
    const listers = Array.from({ length: options.listers }, (_, name) => {
      const own = world.random.split(`data/lister/${name}`);
      return new ListClient(name, this.#surroundings(this.#simOf(name), options.timeoutMs), own);
    });
    this.#clients = [...clients, ...listers];
  }

  /** Nothing new begins; what is under way ends. */
  stop(): void {
    for (const client of this.#clients) client.stop();
  }

  /** Lists every set, and reads every other key that was ever used: that completes the histories. */
  readEverything(): void {
    const { histories } = this;
    this.#listEverything();
    for (const [name, key] of this.#keys) {
      const process = this.#newProcess();
      const level: ReadLevel = process % 2 === 0 ? 'quorum' : 'strong';
      const isRegister = key.keyClass === 'register';
      const begun = isRegister
        ? histories.register.begin({ process, f: 'read', key: name, level })
        : undefined;
      const beganMs = this.#world.nowMs;
      const operation = lastRead(key, level);
      this.#openReads += 1;
      this.#execute(this.#simOf(process), operation, LAST_READ_TIMEOUT_MS, (end) => {
        this.#openReads -= 1;
        const texts = textsOfEnd(end);
        if (begun !== undefined && texts !== undefined) {
          const value = texts === null ? null : { ...texts };
          histories.register.end(begun, 'ok', { value });
        }
        const times = { beganMs, endedMs: this.#world.nowMs };
        const call = { key, operation, content: undefined, expiresAt: 0, ...times, end };
        this.#world.observe({ kind: 'called', call });
        this.#compare(name, texts === null ? null : texts?.content);
      });
    }
  }

  /** What was acknowledged and is gone, a sentence each. */
  get lost(): readonly string[] {
    return this.#lost;
  }

  get registerHistory(): readonly HistoryEvent[] {
    return this.histories.register.events;
  }

  /** Every call that was begun ends. */
  callsEnd(withinMs: number): Expectation {
    return {
      name: 'calls-end',
      withinMs,
      missing: () => {
        const busy = this.#clients.filter(({ isBusy }) => isBusy).length;
        if (busy > 0) return `${busy} calls of clients are still under way.`;
        return this.#openReads === 0 ? undefined : `${this.#openReads} last reads are under way.`;
      },
    };
  }

  #simOf(number: number): SimClient {
    return this.#sims[number % this.#sims.length] as SimClient;
  }

  #surroundings(sim: SimClient, timeoutMs: number): ClientSurroundings {
    return {
      queue: this.#world.queue,
      tuning: this.#options,
      histories: this.histories,
      ownerOf: this.#ownerOf,
      sessionKeys: this.#sessionKeys,
      newProcess: () => this.#newProcess(),
      execute: (operation: CalledOperation, ended: (end: CallEnd) => void) =>
        this.#execute(sim, operation, timeoutMs, ended),
      finished: (call: FinishedCall) => this.#finished(call),
    };
  }

  #listEverything(): void {
    const { listers, shards } = this.#options;
    if (listers === 0) return;
    this.#openReads += shards;
    const random = this.#world.random.split('data/last-lists');
    const client = this.#surroundings(this.#simOf(0), LAST_READ_TIMEOUT_MS);
    listEverySet({ ...client, random, shards }, (shard, isComplete) => {
      this.#openReads -= 1;
      if (!isComplete) this.#lost.push(`Shard ${shard} cannot be listed after healing.`);
    });
  }

  #newProcess(): number {
    this.#processes += 1;
    return this.#processes - 1;
  }

  #finished(call: FinishedCall): void {
    const { end } = call;
    const how = end.kind === 'answered' ? end.kind : `${end.kind} ${end.code ?? 'unanswered'}`;
    this.calls.set(how, (this.calls.get(how) ?? 0) + 1);
    const name = `${call.key.shard}/${call.key.key}`;
    if (call.key.keyClass !== 'element') this.#keys.set(name, call.key);
    if (call.key.keyClass === 'ledger' && call.end.kind === 'answered') {
      this.#acknowledged.set(name, call);
    }
    this.#world.observe({ kind: 'called', call });
  }

  #compare(name: string, content: string | null | undefined): void {
    const written = this.#acknowledged.get(name);
    if (content === undefined) this.#lost.push(`${name} cannot be read after healing.`);
    else if (written !== undefined && written.content !== content) {
      const { endedMs } = written;
      this.#lost.push(
        `${name}: ${written.content} was acknowledged at ${endedMs} ms and is now ${content}.`,
      );
    }
  }

  #execute(
    sim: SimClient,
    operation: CalledOperation,
    timeoutMs: number,
    ended: (end: CallEnd) => void,
  ): void {
    const { body, durability, noAutonomous, operationId, read, shard, sync } = operation;
    const options: CallOptions = {
      read,
      durability,
      sync,
      timeoutMs,
      noAutonomous,
      operationId,
      maxStalenessMs: 0,
    };
    // A list finds its shard by itself, from whose entries it asks for.
    const given = body.kind === 'list' ? undefined : shard;
    sim.call({ body, scope: undefined, shard: given, options }, (outcome) => ended(endOf(outcome)));
  }
}

function endOf(outcome: CallOutcome): CallEnd {
  switch (outcome.kind) {
    case 'answered':
      return { kind: 'answered', answer: outcome.answer, node: outcome.node };
    case 'near':
      throw new Error('A call that forbids the near cache was answered from it.');
    case 'failed':
      return { kind: outcome.applied === 'no' ? 'failed' : 'unknown', code: outcome.code };
  }
}

function lastRead(key: WorldKey, read: ReadLevel): CalledOperation {
  return {
    shard: key.shard,
    operationId: '',
    body: { kind: 'get', namespace: NAMESPACE, key: key.key },
    read,
    durability: 'quorum',
    sync: 'disk',
    noAutonomous: false,
    atLeast: 0,
  };
}

/** Null: certainly not there. Undefined: there was no answer. */
function textsOfEnd(end: CallEnd): EntryTexts | null | undefined {
  if (end.kind !== 'answered') return undefined;
  const { result } = end.answer;
  return result.kind === 'found' ? textsOf(result.found.entry) : null;
}
