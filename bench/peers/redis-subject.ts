import {
  SCOPE_ENTRIES,
  type BenchOperation,
  type Dataset,
  type OpenWatch,
  type Subject,
  type Watcher,
  type WorkloadName,
} from 'memgrid/bench';
import { missing, tooFew } from './missing.ts';
import { ALL_BUT_NEAR } from './peer-workloads.ts';
import type { RedisCalls } from './redis-calls.ts';

/** Stores a new text only when nobody has changed the version meanwhile: one round trip. */
const COMPARE_AND_SET = `
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'text', ARGV[3])
return 1`;

/** Where whoever changes an entry tells of it. */
const CHANNEL = 'changes';

/**
 * Redis as an application uses it for entries: a string of JSON for each, under `userId:id`.
 *
 * - `batch`: MSET; in a cluster 50 SETs that leave as one pipeline for each server.
 * - `list`: one hash for each scope, beside the strings, read with HGETALL.
 * - `cas`: a hash of version and text, and a Lua script; WATCH would need a connection for each call.
 * - `watch`: SET and PUBLISH together, and a connection that subscribes for each listener.
 *
 * What is read is handed on as it came: the JSON is not parsed, which favours Redis.
 */
export class RedisSubject implements Subject {
  readonly name: string;
  readonly version: string;
  readonly workloads = ALL_BUT_NEAR;
  readonly #calls: RedisCalls;
  readonly #dataset: Dataset;
  /** By number, of what this subject last read or wrote with compare-and-set. */
  readonly #versions = new Map<number, number>();
  #script = '';
  #isWatched = false;

  private constructor(calls: RedisCalls, dataset: Dataset, system: string) {
    this.#calls = calls;
    this.#dataset = dataset;
    this.name = `${system} (${calls.client})`;
    this.version = calls.version;
  }

  static async of(
    calls: RedisCalls,
    { dataset, system }: { readonly dataset: Dataset; readonly system: string },
  ): Promise<RedisSubject> {
    const subject = new RedisSubject(calls, dataset, system);
    subject.#script = await calls.loadScript(COMPARE_AND_SET);
    return subject;
  }

  async run(operation: BenchOperation): Promise<void> {
    const [calls, dataset] = [this.#calls, this.#dataset];
    switch (operation.kind) {
      case 'set':
        await (this.#isWatched ? this.#setAndTell(operation.n) : this.#set(operation.n));
        return;
      case 'get': {
        const key = dataset.key(operation.n);
        if ((await calls.get(key)) === null) throw missing(key);
        return;
      }
      case 'batch':
        await calls.setAll(operation.ns.map((n) => [dataset.key(n), dataset.text(n)]));
        return;
      case 'list':
        await this.#list(operation.scope);
        return;
      case 'cas':
        await this.#compareAndSet(operation.n);
        return;
      case 'near':
        throw new Error('A Redis client keeps nothing in this process.');
    }
  }

  async prepare(workload: WorkloadName): Promise<void> {
    this.#isWatched = workload === 'watch';
    if (workload !== 'list') return;
    for (let scope = 0; scope < this.#dataset.scopes; scope += 1) {
      const ns = Array.from({ length: SCOPE_ENTRIES }, (_, at) => scope * SCOPE_ENTRIES + at);
      const fields = ns.map((n) => [this.#dataset.entry(n).id, this.#dataset.text(n)]);
      await this.#calls.putFields(this.#scopeKey(scope), Object.fromEntries(fields));
    }
  }

  async watch(watcher: Watcher): Promise<OpenWatch> {
    const close = await this.#calls.subscribe(CHANNEL, (message) => {
      const n = this.#dataset.numberOf(message.slice(0, message.indexOf(' ')));
      if (n !== undefined) watcher.heard(n);
    });
    return { close };
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }

  #set(n: number): Promise<unknown> {
    return this.#calls.set(this.#dataset.key(n), this.#dataset.text(n));
  }

  async #setAndTell(n: number): Promise<void> {
    const message = `${this.#dataset.entry(n).id} ${this.#dataset.text(n)}`;
    await Promise.all([this.#set(n), this.#calls.publish(CHANNEL, message)]);
  }

  async #list(scope: number): Promise<void> {
    const key = this.#scopeKey(scope);
    const count = Object.keys(await this.#calls.fields(key)).length;
    if (count < SCOPE_ENTRIES) throw tooFew(key, count);
  }

  async #compareAndSet(n: number): Promise<void> {
    // One for each client: another would take the versions away that this one knows.
    const key = `versioned:${this.#calls.client}:${this.#dataset.key(n)}`;
    const version = this.#versions.get(n) ?? Number((await this.#calls.field(key, 'version')) ?? 0);
    const args = [String(version), String(version + 1), this.#dataset.text(n)];
    if ((await this.#calls.runScript(this.#script, key, args)) !== 1) {
      this.#versions.delete(n);
      throw new Error(`Somebody else changed ${key}.`);
    }
    this.#versions.set(n, version + 1);
  }

  #scopeKey(scope: number): string {
    return `scope:${this.#dataset.entry(scope * SCOPE_ENTRIES).userId}`;
  }
}
