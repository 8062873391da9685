import { connect, isClusterError, type Grid } from '@memgrid/client';
import type { ShardsBody } from '@memgrid/node';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile, seconds, type Bench, type Measurement } from '../measurement.ts';
import { NodeCluster } from './node-cluster.ts';

const NODES = 3;
const NAMESPACE = 'bench';
/** Entries of 300 bytes, keys and owners included: content makes up the rest. */
const CONTENT = 'x'.repeat(200);
const USERS = 5_000;
const FILL_AT_ONCE = 512;
/** A third of what this machine carries: a move must find room beside the load, not take it all. */
const RATE = 200;
const WRITES_EVERY = 5;
const SAMPLE_MS = 2;
const MOVE_MS_MAX = 300_000;
const LOOK_MS = 1_000;
/** A quarter of the copies is the fair share of a fourth node; placement may round by this much. */
const SHARE_SPREAD = 0.03;
const RATIO_BAR = 2;

/** A fourth node joins three that hold many entries, while clients read and write. */
export const join100k: Bench = {
  row: 'join-100k',
  async run(effort, progress) {
    const entryCount = effort === 'full' ? 100_000 : 5_000;
    const steadyMs = effort === 'full' ? 30_000 : 5_000;
    await using cluster = await NodeCluster.start({ nodes: NODES });
    const grid = await connect({ nodes: cluster.addresses });
    try {
      progress(`putting ${entryCount} entries`);
      await fill(grid, entryCount);
      await cluster.atRest();
      progress(`steady load for ${seconds(steadyMs)}`);
      const load = new Load(grid, entryCount);
      await load.run(() => pause(steadyMs), 'warm-up');
      await load.run(() => pause(steadyMs), 'steady');
      progress('a node joins');
      const before = await held(cluster);
      const startedMs = performance.now();
      await load.run(async () => {
        await cluster.join();
        await moved(cluster, startedMs);
      }, 'move');
      const durationMs = performance.now() - startedMs;
      progress(`moved after ${seconds(durationMs)}; reading everything`);
      await cluster.atRest();
      const share = movedShare(before, await held(cluster));
      const missing = await unread(grid, entryCount);
      return rowsOf({ entryCount, durationMs, share, missing, load });
    } finally {
      await grid.close();
    }
  },
};

type Phase = 'warm-up' | 'steady' | 'move';

/** Open loop: operations begin when they are due, whether or not earlier ones are done. */
class Load {
  readonly #grid: Grid;
  readonly #entryCount: number;
  readonly latenciesMs: Record<Phase, number[]> = { 'warm-up': [], steady: [], move: [] };
  readonly failed: Record<Phase, number> = { 'warm-up': 0, steady: 0, move: 0 };
  readonly absent: Record<Phase, number> = { 'warm-up': 0, steady: 0, move: 0 };

  constructor(grid: Grid, entryCount: number) {
    this.#grid = grid;
    this.#entryCount = entryCount;
  }

  async run(work: () => Promise<void>, phase: Phase): Promise<void> {
    const startedMs = performance.now();
    const running: Promise<void>[] = [];
    let isOver = false;
    const loop = async (): Promise<void> => {
      for (let begun = 0; !isOver;) {
        const due = ((performance.now() - startedMs) * RATE) / 1_000;
        for (; begun < due; begun += 1) {
          running.push(this.#one(begun, { phase, dueMs: startedMs + (begun * 1_000) / RATE }));
        }
        await pause(SAMPLE_MS);
      }
    };
    const looping = loop();
    try {
      await work();
    } finally {
      isOver = true;
      await looping;
      await Promise.all(running);
    }
  }

  async #one(begun: number, { phase, dueMs }: { phase: Phase; dueMs: number }): Promise<void> {
    const at = Math.floor(Math.random() * this.#entryCount);
    try {
      const isWrite = begun % WRITES_EVERY === 0;
      if (isWrite) await put(this.#grid, at);
      else if (!(await isThere(this.#grid, at, begun % 2 === 0 ? 'quorum' : 'one'))) {
        this.absent[phase] += 1;
      }
      this.latenciesMs[phase].push(performance.now() - dueMs);
    } catch (error) {
      // Counted and said; a bug here is not the cluster's.
      if (!isClusterError(error)) throw error;
      this.failed[phase] += 1;
    }
  }
}

async function fill(grid: Grid, entryCount: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < entryCount) {
      const at = next;
      next += 1;
      await put(grid, at, 60_000);
    }
  };
  await Promise.all(Array.from({ length: FILL_AT_ONCE }, one));
}

async function put(grid: Grid, at: number, timeoutMs = 10_000): Promise<void> {
  const entry = { id: `entry-${at}`, userId: userOf(at), content: `${at} ${CONTENT}` };
  await grid.namespace(NAMESPACE).put(entry, { timeoutMs });
}

async function isThere(
  grid: Grid,
  at: number,
  read: 'one' | 'quorum' | 'strong',
): Promise<boolean> {
  const ref = { id: `entry-${at}`, userId: userOf(at) };
  const found = await grid.namespace(NAMESPACE).get(ref, { read, timeoutMs: 10_000 });
  return found?.entry.content.startsWith(`${at} `) === true;
}

function userOf(at: number): string {
  return `user-${at % USERS}`;
}

/** Reads every entry once more. @returns how many are not there or can not be read. */
async function unread(grid: Grid, entryCount: number): Promise<number> {
  let [next, missing] = [0, 0];
  const one = async (): Promise<void> => {
    while (next < entryCount) {
      const at = next;
      next += 1;
      if (!(await isThere(grid, at, 'strong'))) missing += 1;
    }
  };
  await Promise.all(Array.from({ length: FILL_AT_ONCE }, one));
  return missing;
}

/** Which nodes hold a copy of each shard. */
type Held = ReadonlyMap<number, readonly string[]>;

async function held(cluster: NodeCluster): Promise<Held> {
  return new Map((await newest(cluster)).shards.map(({ shard, replicas }) => [shard, replicas]));
}

async function newest(cluster: NodeCluster): Promise<ShardsBody> {
  const bodies = await Promise.all(cluster.nodes.map((node) => cluster.shards(node)));
  const best = bodies
    .flatMap((body) => body ?? [])
    .toSorted((a, b) => (b.controlIndex ?? 0) - (a.controlIndex ?? 0))[0];
  if (best === undefined) throw new Error('No node answers.');
  return best;
}

/** The share of copies that are on another node than before. */
function movedShare(before: Held, after: Held): number {
  let [copies, moves] = [0, 0];
  for (const [shard, replicas] of after) {
    const former = before.get(shard) ?? [];
    copies += replicas.length;
    moves += replicas.filter((node) => !former.includes(node)).length;
  }
  return moves / copies;
}

/** Waits until the new node has its share and nothing is on the move, or waits for its turn. */
async function moved(cluster: NodeCluster, startedMs: number): Promise<void> {
  for (;;) {
    const bodies = await Promise.all(cluster.nodes.map((node) => cluster.summary(node)));
    // Only the coordinator has a plan; right after a join it does not have the new one yet.
    const plan = bodies.find((body) => body !== undefined && body.moves !== null);
    const counts = plan?.nodes.map(({ replicas }) => replicas) ?? [];
    const isSpread = counts.length > NODES && Math.min(...counts) > Math.max(...counts) / 2;
    const isStable = plan?.stages.stable === plan?.shardCount;
    if (isSpread && isStable && plan?.moves?.waiting === 0) break;
    if (performance.now() - startedMs > MOVE_MS_MAX) {
      throw new Error(`The shards had not moved after ${MOVE_MS_MAX} ms.\n${cluster.logs}`);
    }
    await pause(LOOK_MS);
  }
}

interface Found {
  readonly entryCount: number;
  readonly durationMs: number;
  readonly share: number;
  readonly missing: number;
  readonly load: Load;
}

function rowsOf({ entryCount, durationMs, share, missing, load }: Found): readonly Measurement[] {
  const { steady, move } = load.latenciesMs;
  const p99 = { steady: percentile(steady, 99), move: percentile(move, 99) };
  const ratio = p99.move / p99.steady;
  const absent = load.absent.move + load.absent.steady;
  const failed = load.failed.move + load.failed.steady;
  const numbers = {
    entries: entryCount,
    durationMs,
    share,
    missing,
    absent,
    failed,
    steadyP50Ms: percentile(steady, 50),
    steadyP99Ms: p99.steady,
    moveP50Ms: percentile(move, 50),
    moveP99Ms: p99.move,
    moveMaxMs: percentile(move, 100),
    operations: steady.length + move.length,
  };
  const what = `a fourth node joins three with ${entryCount} entries of 300 bytes, under ${RATE} operations a second (one in ${WRITES_EVERY} a quorum write, the others reads at one and quorum)`;
  return [
    {
      row: 'join-100k',
      what: `${what}: copies that move`,
      bar: '25 %',
      measured: `${(share * 100).toFixed(1)} % in ${seconds(durationMs)}`,
      met: Math.abs(share - 1 / (NODES + 1)) <= SHARE_SPREAD,
      numbers,
    },
    {
      row: 'join-100k',
      what: 'reads meanwhile that found nothing, operations that failed, entries that a strong read of all does not find afterwards',
      bar: '0, 0, 0',
      measured: `${absent}, ${failed}, ${missing}`,
      met: absent === 0 && failed === 0 && missing === 0,
      numbers,
    },
    {
      row: 'join-100k',
      what: 'p99 of these operations during the move, against steady',
      bar: `at most ${RATIO_BAR} x`,
      measured:
        `${ratio.toFixed(2)} x: ${p99.move.toFixed(1)} ms (median ${numbers.moveP50Ms.toFixed(1)} ms) ` +
        `against ${p99.steady.toFixed(1)} ms (median ${numbers.steadyP50Ms.toFixed(1)} ms)`,
      met: ratio <= RATIO_BAR,
      numbers,
    },
  ];
}
