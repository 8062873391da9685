import type { Random } from '@memgrid/core';
import type { ReadLevel, ShardId } from '@memgrid/protocol';
import type { HistoryRecorder } from '../history/history-recorder.ts';
import { ClientPace } from './client-pace.ts';
import { ListRun } from './list-run.ts';
import type { ListRequest } from './list-run.ts';
import { operationIdAt } from './operation-id-at.ts';
import type { CalledOperation, CallEnd } from './shard-call.ts';
import type { ClientSurroundings } from './shard-client.ts';
import { ELEMENTS, elementsAmong, entryOf, NAMESPACE, scopeOf } from './shard-keys.ts';
import type { WorldKey } from './shard-keys.ts';

const LIMITS: readonly number[] = [1, 2, 5, 50];
const LEVELS: readonly ReadLevel[] = ['strong', 'strong', 'quorum', 'one'];

/**
 * One client of the sets, one in each shard: adds an element that nobody has added before, removes
 * one of its own for good, or lists all of them page by page.
 */
export class ListClient {
  readonly #name: number;
  readonly #world: ClientSurroundings;
  readonly #random: Random;
  readonly #history: HistoryRecorder;
  /** Own elements that are acknowledged and not removed. */
  readonly #own: WorldKey[] = [];
  #process: number;
  #adds = 0;
  readonly #pace: ClientPace;

  constructor(name: number, world: ClientSurroundings, random: Random) {
    this.#name = name;
    this.#world = world;
    this.#random = random;
    this.#history = world.histories.list;
    this.#process = world.newProcess();
    const { queue, tuning } = world;
    const perform = (): void => this.#perform();
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

  #perform(): void {
    const luck = this.#random.unit();
    const shard = this.#random.below(this.#world.tuning.shards) as ShardId;
    const place = this.#random.below(Math.max(1, this.#own.length));
    const [removed] = luck < 0.25 ? this.#own.splice(place, 1) : [];
    if (removed !== undefined) this.#remove(removed);
    else if (luck < 0.55) this.#add(shard);
    else this.#list(shard);
  }

  #add(shard: ShardId): void {
    this.#adds += 1;
    const element = `e${this.#name}-${this.#adds}`;
    const key: WorldKey = { shard, keyClass: 'element', key: element };
    const owner = { userId: this.#world.ownerOf(shard), runId: ELEMENTS };
    const entry = entryOf(element, 0, owner);
    const condition = { kind: 'always' } as const;
    const body = { kind: 'put', namespace: NAMESPACE, key: element, entry, condition } as const;
    this.#write(key, { f: 'add', body, content: element }, () => this.#own.push(key));
  }

  /** Only what was acknowledged: an add that is still on its way could come after its removal. */
  #remove(key: WorldKey): void {
    const condition = { kind: 'always' } as const;
    const body = { kind: 'delete', namespace: NAMESPACE, key: key.key, condition } as const;
    this.#write(key, { f: 'remove', body, content: undefined }, () => undefined);
  }

  #write(
    key: WorldKey,
    what: {
      readonly f: 'add' | 'remove';
      readonly body: CalledOperation['body'];
      readonly content: string | undefined;
    },
    acknowledged: () => void,
  ): void {
    const { queue, tuning } = this.#world;
    const { body, content, f } = what;
    const operation: CalledOperation = {
      shard: key.shard,
      operationId: operationIdAt(queue.nowUs, this.#random),
      body,
      read: 'strong',
      durability: 'quorum',
      sync: tuning.sync,
      noAutonomous: false,
      atLeast: 0,
    };
    const set = nameOf(key.shard);
    const begun = this.#history.begin({ process: this.#process, f, key: set, value: key.key });
    const beganMs = queue.nowUs / 1000;
    this.#world.execute(operation, (end: CallEnd) => {
      const times = { beganMs, endedMs: queue.nowUs / 1000 };
      this.#world.finished({ key, operation, content, expiresAt: 0, ...times, end });
      const type = ({ answered: 'ok', failed: 'fail', unknown: 'info' } as const)[end.kind];
      this.#history.end(begun, type);
      if (end.kind === 'answered') acknowledged();
      if (end.kind === 'unknown') this.#process = this.#world.newProcess();
      this.#pace.pause();
    });
  }

  #list(shard: ShardId): void {
    const { execute, finished, ownerOf, queue, tuning } = this.#world;
    // By its whole owner the list also has to step over what is no element.
    const runId = this.#random.chance(0.7) ? ELEMENTS : '';
    const request: ListRequest = {
      shard,
      scope: scopeOf(ownerOf(shard), runId),
      limit: this.#random.pick(LIMITS) ?? 1,
      read: this.#random.pick(LEVELS) ?? 'strong',
    };
    const surroundings = {
      queue,
      random: this.#random,
      execute,
      finished,
      pauseMs: () => tuning.thinkMs,
      isStopped: () => this.#pace.isStopped,
    };
    const history = this.#history;
    const list = { process: this.#process, f: 'list', key: nameOf(shard), level: request.read };
    const begun = history.begin(list);
    new ListRun(surroundings, request, (keys) => {
      if (keys === undefined) history.end(begun, 'fail');
      else history.end(begun, 'ok', { value: elementsAmong(keys) });
      this.#pace.pause();
    });
  }
}

/** Lists every set once more, when nothing else is under way. */
export function listEverySet(
  world: Pick<
    ClientSurroundings,
    'execute' | 'finished' | 'histories' | 'newProcess' | 'ownerOf' | 'queue'
  > & { readonly random: Random; readonly shards: number },
  ended: (shard: ShardId, isComplete: boolean) => void,
): void {
  const { execute, finished, histories, newProcess, ownerOf, queue, random, shards } = world;
  const surroundings = {
    queue,
    random,
    execute,
    finished,
    pauseMs: () => 0,
    isStopped: () => false,
  };
  for (let at = 0; at < shards; at += 1) {
    const shard = at as ShardId;
    const begun = histories.list.begin({
      process: newProcess(),
      f: 'list',
      key: nameOf(shard),
      level: 'strong',
    });
    const scope = scopeOf(ownerOf(shard), ELEMENTS);
    new ListRun(surroundings, { shard, scope, limit: 10, read: 'strong' }, (keys) => {
      if (keys !== undefined) histories.list.end(begun, 'ok', { value: elementsAmong(keys) });
      ended(shard, keys !== undefined);
    });
  }
}

function nameOf(shard: ShardId): string {
  return `${shard}/elements`;
}
