import type { ShardId } from '@memgrid/protocol';
import type { StoredEntry } from '../entries/entry-table.ts';
import { invariant } from '../assert.ts';
import type { Ticket } from '../store-operation.ts';
import type { ShardContext } from './shard-context.ts';
import type { LoadResult } from './shards-io.ts';

export interface EntryPlace {
  readonly shard: ShardId;
  readonly slot: number;
  /** `storedKey`. */
  readonly key: string;
}

/** What was found under a key, wherever it had to be fetched from. */
export type FoundState = StoredEntry | 'absent' | { readonly problem: string };

type Then = (found: FoundState) => void;

interface Load {
  readonly place: EntryPlace;
  readonly waiting: Then[];
}

/** Fetches values that are only on disk. Everybody who wants the same one waits for one read. */
export class EntryLoads {
  readonly #context: ShardContext;
  readonly #byTicket = new Map<Ticket, Load>();
  readonly #byPlace = new Map<string, Load>();

  constructor(context: ShardContext) {
    this.#context = context;
  }

  /** Tells what is stored under a key: at once when it is in memory, else when the disk answers. */
  find(place: EntryPlace, then: Then): void {
    const { shard, slot, key } = place;
    const found = this.#context.entries.get(shard, slot, key);
    if (found !== 'paged') {
      then(found);
      return;
    }
    const name = nameOf(place);
    const known = this.#byPlace.get(name);
    if (known !== undefined) {
      known.waiting.push(then);
      return;
    }
    const ticket = this.#context.storage.ticket();
    const load: Load = { place, waiting: [then] };
    this.#byTicket.set(ticket, load);
    this.#byPlace.set(name, load);
    this.#context.outbox.other({ kind: 'load', ticket, shard, slot, key });
  }

  /** The disk answered. */
  loaded(ticket: Ticket, result: LoadResult): void {
    const load = this.#byTicket.get(ticket);
    invariant(load !== undefined, `The disk answered load ${ticket}, which is not under way.`);
    this.#byTicket.delete(ticket);
    this.#byPlace.delete(nameOf(load.place));
    const { shard, slot, key } = load.place;
    const { entries } = this.#context;
    const isOld = result.kind === 'loaded' && !entries.restore(shard, slot, key, result.entry);
    this.#context.touched.add(shard);
    for (const then of load.waiting) {
      // It may have been written, or dropped again, while the disk was reading; also by the one
      // before, whose write may have taken effect at once.
      const now = entries.get(shard, slot, key);
      if (now !== 'paged') then(now);
      // Read before the last write, which has reached the disk and left memory since: read again.
      else if (isOld) this.find(load.place, then);
      else then(this.#foundIn(result));
    }
  }

  #foundIn(result: LoadResult): FoundState {
    switch (result.kind) {
      case 'loaded':
        return result.entry;
      case 'absent':
        return { problem: 'It is missing on disk.' };
      case 'damaged':
        return { problem: result.problem };
    }
  }
}

function nameOf({ shard, slot, key }: EntryPlace): string {
  return `${shard}/${slot}/${key}`;
}
