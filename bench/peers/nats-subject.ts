import { jetstream } from '@nats-io/jetstream';
import { Kvm, KvWatchInclude, type KV } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  SCOPE_ENTRIES,
  type BenchOperation,
  type Dataset,
  type OpenWatch,
  type Subject,
  type Watcher,
} from 'memgrid/bench';
import { BUCKET } from './nats-servers.ts';
import { packageVersion } from './package-version.ts';
import { missing, tooFew } from './missing.ts';
import { ALL_BUT_NEAR } from './peer-workloads.ts';

export interface NatsTarget {
  /** How the rows name this system. */
  readonly title: string;
  readonly addresses: readonly string[];
}

interface NatsParts {
  readonly addresses: readonly string[];
  readonly connection: NatsConnection;
  readonly bucket: KV;
  readonly dataset: Dataset;
}

const TIMEOUT_MS = 10_000;

/**
 * A JetStream bucket with three replicas: a string of JSON for each entry, under `userId.id`.
 *
 * - `get`: direct gets, which any replica answers.
 * - `batch`: as many puts at once; there is no call for several.
 * - `list`: the history of `userId.*`, with one revision for each key, read to its end.
 * - `watch`: a watch for updates, on a connection of its own for each listener.
 * - `cas`: `update` with the revision that this subject last saw.
 */
export class NatsSubject implements Subject {
  readonly name: string;
  readonly version = packageVersion('@nats-io/kv');
  readonly workloads = ALL_BUT_NEAR;
  readonly #addresses: readonly string[];
  readonly #connection: NatsConnection;
  readonly #bucket: KV;
  readonly #dataset: Dataset;
  readonly #keys: readonly string[];
  /** By number: of what this subject last wrote. */
  readonly #revisions = new Map<number, number>();

  private constructor(title: string, { addresses, connection, bucket, dataset }: NatsParts) {
    this.#addresses = addresses;
    this.name = `${title} (@nats-io/kv)`;
    this.#connection = connection;
    this.#bucket = bucket;
    this.#dataset = dataset;
    this.#keys = Array.from({ length: dataset.count }, (_, n) => {
      const { userId, id } = dataset.entry(n);
      return `${token(userId)}.${token(id)}`;
    });
  }

  static async connect({ title, addresses }: NatsTarget, dataset: Dataset): Promise<NatsSubject> {
    const { connection, bucket } = await opened(addresses);
    return new NatsSubject(title, { addresses, connection, bucket, dataset });
  }

  async run(operation: BenchOperation): Promise<void> {
    switch (operation.kind) {
      case 'set':
        await this.#put(operation.n);
        return;
      case 'get': {
        const key = this.#key(operation.n);
        const entry = await this.#bucket.get(key);
        if (entry === null || entry.string() === '') throw missing(key);
        return;
      }
      case 'batch':
        await Promise.all(operation.ns.map((n) => this.#put(n)));
        return;
      case 'list':
        await this.#list(operation.scope);
        return;
      case 'cas':
        await this.#update(operation.n);
        return;
      case 'near':
        throw new Error('The NATS client keeps nothing in this process.');
    }
  }

  async watch(watcher: Watcher): Promise<OpenWatch> {
    const { connection, bucket } = await opened(this.#addresses);
    const changes = await bucket.watch({ include: KvWatchInclude.UpdatesOnly });
    const listen = async (): Promise<void> => {
      for await (const { key } of changes) {
        const n = this.#dataset.numberOf(key.slice(key.indexOf('.') + 1));
        if (n !== undefined) watcher.heard(n);
      }
    };
    const listening = listen();
    const close = async (): Promise<void> => {
      changes.stop();
      await listening;
      await connection.close();
    };
    return { close };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #put(n: number): Promise<void> {
    this.#revisions.set(n, await this.#bucket.put(this.#key(n), this.#dataset.text(n)));
  }

  async #list(scope: number): Promise<void> {
    const { userId } = this.#dataset.entry(scope * SCOPE_ENTRIES);
    let count = 0;
    const history = await this.#bucket.history({ key: `${token(userId)}.*` });
    for await (const entry of history) if (entry.string() !== '') count += 1;
    if (count < SCOPE_ENTRIES) throw tooFew(userId, count);
  }

  async #update(n: number): Promise<void> {
    const key = this.#key(n);
    const known = this.#revisions.get(n) ?? (await this.#bucket.get(key))?.revision ?? 0;
    this.#revisions.delete(n);
    this.#revisions.set(n, await this.#bucket.update(key, this.#dataset.text(n), known));
  }

  #key(n: number): string {
    return this.#keys[n] ?? '';
  }
}

interface Opened {
  readonly connection: NatsConnection;
  readonly bucket: KV;
}

async function opened(addresses: readonly string[]): Promise<Opened> {
  // A lost server is lost: a retry would hide that a system died in the middle of a run.
  const connection = await connect({ servers: [...addresses], reconnect: false });
  const kvm = new Kvm(jetstream(connection, { timeout: TIMEOUT_MS }));
  return { connection, bucket: await kvm.open(BUCKET, { allow_direct: true }) };
}

/** A part of a key: dots would divide it, and other signs than these are refused. */
function token(text: string): string {
  return text.replace(/[^-\w=/]/g, '_');
}
