import { Memcache } from 'memcache';
import type { BenchOperation, Dataset, Subject, WorkloadName } from 'memgrid/bench';
import { packageVersion } from './package-version.ts';
import { missing } from './missing.ts';

/** It closes a connection that has been idle for so long, as one is while others are measured. */
const IDLE_MS_MAX = 3_600_000;

/**
 * memcached through `memcache`, which speaks the text protocol: a string of JSON for each entry.
 * A batch is as many sets at once, which it sends one behind another. It has a compare-and-set, but
 * no call that tells the token for it, and memcached has no lists.
 */
export class MemcacheSubject implements Subject {
  readonly name = 'memcached (memcache)';
  readonly version = packageVersion('memcache');
  readonly workloads: ReadonlySet<WorkloadName> = new Set(['set', 'get', 'mix', 'batch']);
  readonly #client: Memcache;
  readonly #dataset: Dataset;

  private constructor(client: Memcache, dataset: Dataset) {
    this.#client = client;
    this.#dataset = dataset;
  }

  static async connect(address: string, dataset: Dataset): Promise<MemcacheSubject> {
    const client = new Memcache({ nodes: [address], timeout: IDLE_MS_MAX });
    await client.connect();
    return new MemcacheSubject(client, dataset);
  }

  async run(operation: BenchOperation): Promise<void> {
    switch (operation.kind) {
      case 'set':
        await this.#set(operation.n);
        return;
      case 'get': {
        const key = this.#dataset.key(operation.n);
        if ((await this.#client.get(key)) === undefined) throw missing(key);
        return;
      }
      case 'batch':
        await Promise.all(operation.ns.map((n) => this.#set(n)));
        return;
      case 'list':
      case 'cas':
      case 'near':
        throw new Error(`memcache cannot ${operation.kind}.`);
    }
  }

  async close(): Promise<void> {
    await this.#client.disconnect();
  }

  async #set(n: number): Promise<void> {
    const key = this.#dataset.key(n);
    const stored = await this.#client.set(key, this.#dataset.text(n));
    if (!stored) throw new Error(`${key} was not stored.`);
  }
}
