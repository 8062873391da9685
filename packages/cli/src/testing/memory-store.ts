import {
  ClusterError,
  type Found,
  type Grid,
  type NewEntry,
  type Page,
  type PutOptions,
  type Saved,
} from '@memgrid/client';
import { actorId, formatVersion, nodeId } from '@memgrid/protocol';

/** How a store breaks what it promises; each is told the key and the count of such calls so far. */
export interface Faults {
  /** Acknowledges a write and forgets it. */
  readonly forgets?: (count: number) => boolean;
  /** Answers a read with what was there before the last write. */
  readonly isStale?: (count: number) => boolean;
  /** Does not say what became of a write. */
  readonly timesOut?: (count: number) => 'applied' | 'lost' | undefined;
}

interface Stored {
  readonly entry: NewEntry;
  readonly version: string;
}

/** A store in memory that answers as a cluster would, and as badly as it is told to. */
export class MemoryStore {
  readonly #faults: Faults;
  readonly #entries = new Map<string, Stored>();
  readonly #before = new Map<string, Stored | undefined>();
  #writes = 0;
  #reads = 0;

  constructor(faults: Faults = {}) {
    this.#faults = faults;
  }

  /** One session; all of them share the store. */
  grid(): Grid {
    const namespace = {
      name: 'default',
      put: (entry: NewEntry, options?: PutOptions) => this.#put(entry, options),
      get: (ref: { readonly id: string }) => this.#get(ref.id),
      list: (owner: { readonly userId?: string }) => this.#list(owner.userId),
    };
    return {
      namespace: () => namespace,
      token: () => 'token',
      close: () => Promise.resolve(),
    } as unknown as Grid;
  }

  async #put(entry: NewEntry, options: PutOptions = {}): Promise<Saved> {
    await Promise.resolve();
    const count = (this.#writes += 1);
    const id = entry.id ?? `id-${count}`;
    const present = this.#entries.get(id);
    const conflicts =
      (options.ifAbsent === true && present !== undefined) ||
      (options.ifVersion !== undefined && options.ifVersion !== present?.version);
    if (conflicts) throw new ClusterError('VERSION_CONFLICT', { current: present?.version });
    const fate = this.#faults.timesOut?.(count);
    const version = versionOf(count);
    if (fate !== 'lost' && this.#faults.forgets?.(count) !== true) {
      this.#before.set(id, present);
      this.#entries.set(id, { entry: { ...entry, id }, version });
    }
    if (fate !== undefined) throw new ClusterError('TIMEOUT', { timeoutMs: 1 });
    return { id, version } as Saved;
  }

  async #get(id: string): Promise<Found | undefined> {
    await Promise.resolve();
    const count = (this.#reads += 1);
    const stale = this.#faults.isStale?.(count) === true;
    const stored = stale ? this.#before.get(id) : this.#entries.get(id);
    return stored as unknown as Found | undefined;
  }

  async #list(userId: string | undefined): Promise<Page> {
    await Promise.resolve();
    const items = [...this.#entries.values()].filter(({ entry }) => entry.userId === userId);
    return { items, cursor: undefined, complete: true, stalenessMs: 0 } as unknown as Page;
  }
}

function versionOf(counter: number): string {
  const dot = { actor: actorId(nodeId('a'.repeat(32)), 1), counter };
  return formatVersion({ dot, timestamp: { ms: 1_000 + counter, counter: 0 } });
}
