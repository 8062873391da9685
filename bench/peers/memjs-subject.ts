import { Client } from 'memjs';
import type { BenchOperation, Dataset, Subject, WorkloadName } from 'memgrid/bench';
import { packageVersion } from './package-version.ts';
import { missing } from './missing.ts';

/**
 * memcached through `memjs`, which speaks the binary protocol: a string of JSON for each entry.
 * It has no call for many entries, and neither lists nor compare-and-set.
 */
export class MemjsSubject implements Subject {
  readonly name = 'memcached (memjs)';
  readonly version = packageVersion('memjs');
  readonly workloads: ReadonlySet<WorkloadName> = new Set(['set', 'get', 'mix']);
  readonly #client: Client;
  readonly #dataset: Dataset;

  constructor(address: string, dataset: Dataset) {
    this.#client = Client.create(address, { retries: 0 });
    this.#dataset = dataset;
  }

  async run(operation: BenchOperation): Promise<void> {
    const dataset = this.#dataset;
    switch (operation.kind) {
      case 'set':
        await this.#client.set(dataset.key(operation.n), dataset.text(operation.n), {});
        return;
      case 'get': {
        const key = dataset.key(operation.n);
        if ((await this.#client.get(key)).value === null) throw missing(key);
        return;
      }
      case 'batch':
      case 'list':
      case 'cas':
      case 'near':
        throw new Error(`memjs cannot ${operation.kind}.`);
    }
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}
