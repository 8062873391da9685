import '../ends-with-parent.ts';
import { connect, type Namespace } from '@memgrid/client';
import { LRUCache } from 'lru-cache';
import { benchDataset, storeDataset, MemgridSubject, type BenchEntry } from 'memgrid/bench';
import type { DatasetChoice } from './load-protocol.ts';

// The program behind the row on the near cache: an application with one, alone in its process, beside
// a bare `lru-cache` that holds the same entries. Says what each round gave as JSON.

export interface NearTask {
  readonly addresses: readonly string[];
  readonly dataset: DatasetChoice;
  readonly rounds: number;
  /** Of each of the three in each round. */
  readonly seconds: number;
}

/** Hits a second. */
export interface NearRound {
  readonly lru: number;
  readonly async: number;
  readonly sync: number;
}

/**
 * After so long everybody else has a turn: without the nodes' signs of life the near cache would
 * rightly stop answering. What that takes is not counted.
 */
const SLICE_MS = 2;
/** Between two looks at the clock. */
const HITS = 256;

const NAMESPACE = 'bench';
const NEAR_BYTES_MAX = 256 * 2 ** 20;

interface Places {
  readonly ids: readonly string[];
  readonly entries: Namespace;
  readonly lru: LRUCache<string, BenchEntry>;
}

async function main({ addresses, dataset: choice, rounds, seconds }: NearTask): Promise<void> {
  const dataset = await benchDataset(choice);
  const grid = await connect({ nodes: addresses, nearCache: { bytesMax: NEAR_BYTES_MAX } });
  const filler = await MemgridSubject.open({
    open: () => connect({ nodes: addresses }),
    version: '',
    dataset,
    namespace: NAMESPACE,
    read: 'one',
    sync: 'memory',
  });
  await storeDataset(filler, dataset);
  await filler.close();

  const all = Array.from({ length: dataset.count }, (_, n) => dataset.entry(n));
  const entries = grid.namespace(NAMESPACE);
  const lru = new LRUCache<string, BenchEntry>({ max: dataset.count });
  for (const entry of all) {
    lru.set(entry.id, entry);
    await entries.get({ id: entry.id, userId: entry.userId });
  }
  const places: Places = { ids: shuffled(all.map(({ id }) => id)), entries, lru };
  const measured: NearRound[] = [];
  // The first round is the warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    const numbers = {
      lru: await perSecond(seconds, (from) => bareHits(places, from)),
      async: await perSecond(seconds, (from) => asyncHits(places, from)),
      sync: await perSecond(seconds, (from) => syncHits(places, from)),
    };
    if (round > 0) measured.push(numbers);
  }
  await grid.close();
  process.stdout.write(JSON.stringify(measured));
}

/** Each looks at what it got: an answer that nobody looks at may not be made at all. */
function bareHits({ ids, lru }: Places, from: number): number {
  let length = 0;
  for (let at = 0; at < HITS; at += 1) {
    length += lru.get(idAt(ids, from + at))?.content.length ?? Number.NaN;
  }
  return length;
}

async function asyncHits({ ids, entries }: Places, from: number): Promise<number> {
  let length = 0;
  for (let at = 0; at < HITS; at += 1) {
    const found = await entries.get(idAt(ids, from + at));
    // An answer of a node is no hit, and makes the sum no number.
    length += found?.source === 'near' ? found.entry.content.length : Number.NaN;
  }
  return length;
}

function syncHits({ ids, entries }: Places, from: number): number {
  let length = 0;
  for (let at = 0; at < HITS; at += 1) {
    length += entries.peek(idAt(ids, from + at))?.entry.content.length ?? Number.NaN;
  }
  return length;
}

function idAt(ids: readonly string[], at: number): string {
  return ids[at % ids.length] ?? '';
}

/** @throws Error when something that was asked for was not in this process. */
async function perSecond(
  seconds: number,
  hits: (from: number) => number | Promise<number>,
): Promise<number> {
  let [count, usedMs, length] = [0, 0, 0];
  while (usedMs < seconds * 1_000) {
    const fromMs = performance.now();
    let nowMs = fromMs;
    while (nowMs - fromMs < SLICE_MS) {
      const got = hits(count);
      length += typeof got === 'number' ? got : await got;
      count += HITS;
      nowMs = performance.now();
    }
    usedMs += nowMs - fromMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (Number.isNaN(length)) throw new Error('An entry was not in this process.');
  return count / (usedMs / 1_000);
}

/** The same order in every run, and not that in which they were stored. */
function shuffled(ids: readonly string[]): readonly string[] {
  let state = 1;
  const order = ids.map((id) => {
    // Lehmer's generator with the constants of Park and Miller (1988).
    state = (state * 48_271) % 2_147_483_647;
    return [state, id] as const;
  });
  return order.toSorted(([a], [b]) => a - b).map(([, id]) => id);
}

await main(JSON.parse(process.argv[2] ?? '') as NearTask);
