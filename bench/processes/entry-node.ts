import '../ends-with-parent.ts';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { limitHeapGrowth, startNode } from '@memgrid/node';
import type { RunningNode } from '@memgrid/node';
import { EntryOperations } from './entry-operations.ts';

/**
 * One node with entries, alone in its process, so that its memory and its event loop are its own.
 * Says what it measured as one line of JSON.
 *
 *   fill    puts `entries` entries and stops
 *   load    puts them, then lives under `rate` operations a second for `seconds`
 *   serve   starts over what is there, and tells when it answers
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: '' },
    entries: { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '0' },
  },
});

const SHARDS = 1024;
const AT_ONCE = 256;
const ACTIVE_TIMEOUT_MS = 60_000;
const entryCount = Number(values.entries);

async function main(): Promise<object> {
  // As `memgrid start` does.
  limitHeapGrowth();
  const node = await startNode({
    data: values.data,
    listen: '127.0.0.1:0',
    http: 'none',
    logLevel: 'error',
    shards: SHARDS,
    replicas: 1,
  });
  const startedMs = performance.now();
  await allActive(node);
  const activeMs = performance.now();
  const operations = new EntryOperations(node, SHARDS);
  try {
    if (positionals[0] === 'serve') {
      return { startedMs, activeMs, ...(await served(operations)) };
    }
    const filledMs = await timeOf(operations.fill(0, entryCount, AT_ONCE));
    const measured = positionals[0] === 'load' ? await underLoad(operations) : {};
    return { filledMs, ...measured };
  } finally {
    await node.close();
  }
}

/** Every shard has a primary that answers. */
async function allActive(node: RunningNode): Promise<void> {
  while (performance.now() < ACTIVE_TIMEOUT_MS) {
    const active = node.status().shards.filter((shard) => shard.active).length;
    if (active === SHARDS) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('The shards did not become active.');
}

/** Milliseconds from the start of this process until the first and until a thousand reads. */
async function served(operations: EntryOperations): Promise<object> {
  const sample = Array.from({ length: 1000 }, (_, i) => Math.floor((i * entryCount) / 1000));
  await mustBeThere(operations, sample[500] ?? 0);
  const firstMs = performance.now();
  await Promise.all(sample.map((number) => mustBeThere(operations, number)));
  return { firstMs, thousandMs: performance.now() };
}

async function mustBeThere(operations: EntryOperations, number: number): Promise<void> {
  if (!(await operations.get(number))) throw new Error(`Entry ${number} is gone.`);
}

/** Open loop: operations begin when they are due, whether or not earlier ones are done. */
async function underLoad(operations: EntryOperations): Promise<object> {
  const rate = Number(values.rate);
  const durationMs = Number(values.seconds) * 1000;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedMs = performance.now();
  const latenciesMs: number[] = [];
  let rssMax = 0;
  let begun = 0;
  let refused = 0;
  let firstRefusal = '';
  const one = async (dueMs: number): Promise<void> => {
    const number = Math.floor(Math.random() * entryCount);
    try {
      if (begun % 5 === 0) await operations.put(number);
      else await mustBeThere(operations, number);
      latenciesMs.push(performance.now() - dueMs);
    } catch (error) {
      // Said in the result: a load that is refused measures nothing.
      refused += 1;
      firstRefusal ||= String(error);
    }
  };
  const running: Promise<void>[] = [];
  while (performance.now() - startedMs < durationMs) {
    const due = ((performance.now() - startedMs) * rate) / 1000;
    for (; begun < due; begun += 1) running.push(one(startedMs + (begun * 1000) / rate));
    rssMax = Math.max(rssMax, process.memoryUsage.rss());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(running);
  delay.disable();
  latenciesMs.sort((a, b) => a - b);
  const { heapUsed, external } = process.memoryUsage();
  return {
    rssMax,
    heapUsed,
    external,
    loopP99Ms: delay.percentile(99) / 1e6,
    loopMaxMs: delay.max / 1e6,
    operations: begun,
    refused,
    firstRefusal,
    latencyP50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)],
    latencyP99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)],
  };
}

async function timeOf(work: Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work;
  return performance.now() - beganMs;
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
