import { setTimeout as pause } from 'node:timers/promises';
import {
  formatVersion,
  shardOfSlice,
  type Answer,
  type NodeId,
  type Placement,
  type PlacementShard,
  type ShardId,
} from '@memgrid/protocol';
import { CommandError } from '../command-error.ts';
import { concurrently } from '../import/concurrently.ts';
import type { DirectLink, Question } from './direct-link.ts';

/** An entry that has to be there. */
export interface ExpectedEntry {
  readonly id: string;
  /** Where its owner puts it. */
  readonly slice: number;
  /** Where it stood in the file that was imported. */
  readonly line?: number;
}

/** Something that is not as it was acknowledged. */
export interface Difference {
  readonly id: string;
  readonly line?: number;
  readonly shard: number;
  /** The replica that differs; undefined when the entry is not where it has to be at all. */
  readonly node?: NodeId;
  readonly problem: string;
}

export interface ComparisonOptions {
  readonly namespace: string;
  readonly placement: Placement;
  readonly shardCount: number;
  readonly links: ReadonlyMap<NodeId, DirectLink>;
  readonly timeoutMs: number;
  /** Told after each entry. */
  readonly compared: (differences: number) => void;
}

export interface ComparisonReport {
  readonly entries: number;
  /** Copies that were read, and were what they have to be. */
  readonly copies: number;
  readonly differences: readonly Difference[];
  /** Copies of which nothing is known, and why. */
  readonly unread: number;
  readonly reasons: readonly UnreadReason[];
}

/** Why copies could not be read: their node is away, leaves, or lags behind. */
export interface UnreadReason {
  readonly node: NodeId;
  readonly reason: string;
  readonly copies: number;
}

/** How long a shard without a primary is left alone. */
const AGAIN_MS = 200;
/** Entries under way at the same time. */
const CONCURRENCY = 128;

interface Unread {
  readonly node: NodeId;
  readonly reason: string;
}

interface Compared {
  readonly copies: number;
  readonly unread: readonly Unread[];
  readonly differences: readonly Difference[];
}

/**
 * Reads every entry from every replica of its shard, each asked itself, and compares what they say.
 *
 * The measure is a strong read, which is what everybody was promised. A replica may take its time to
 * apply as much of the log as that read rested on, and then has to have the same bytes.
 */
export async function compareReplicas(
  entries: AsyncIterable<ExpectedEntry>,
  options: ComparisonOptions,
): Promise<ComparisonReport> {
  const comparison = new Comparison(options);
  const report = { entries: 0, copies: 0, unread: 0, differences: [] as Difference[] };
  const reasons = new Map<string, UnreadReason>();
  const results = concurrently(entries, CONCURRENCY, (entry) => comparison.compare(entry));
  for await (const { copies, unread, differences } of results) {
    report.entries += 1;
    report.copies += copies;
    report.unread += unread.length;
    report.differences.push(...differences);
    for (const { node, reason } of unread) {
      const key = `${node} ${reason}`;
      const before = reasons.get(key)?.copies ?? 0;
      reasons.set(key, { node, reason, copies: before + 1 });
    }
    options.compared(report.differences.length);
  }
  return { ...report, reasons: [...reasons.values()] };
}

class Comparison {
  readonly #options: ComparisonOptions;
  readonly #byShard: ReadonlyMap<number, PlacementShard>;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#byShard = new Map(options.placement.shards.map((shard) => [shard.shard, shard]));
  }

  async compare(entry: ExpectedEntry): Promise<Compared> {
    const shard = shardOfSlice(entry.slice, this.#options.shardCount);
    const holders = this.#holdersOf(shard);
    const measure = await this.#measure(entry, shard, holders);
    if (measure === undefined) {
      const reason = 'no strong read was answered';
      return { copies: 0, unread: holders.map((node) => ({ node, reason })), differences: [] };
    }
    if (measure.result.kind === 'absent') {
      const difference = { ...placeOf(entry, shard), problem: 'there is no such entry' };
      return { copies: 0, unread: [], differences: [difference] };
    }
    let copies = 0;
    const unread: Unread[] = [];
    const differences: Difference[] = [];
    for (const node of holders) {
      const atLeast = measure.position.index;
      const read = await this.#readFrom(node, entry, { shard, read: 'one', atLeast });
      const reason = whyUnread(read);
      const problem = read === undefined ? undefined : differenceOf(read, stateOf(measure));
      if (reason !== undefined) unread.push({ node, reason });
      else if (problem === undefined) copies += 1;
      else differences.push({ ...placeOf(entry, shard), node, problem });
    }
    return { copies, unread, differences };
  }

  /**
   * What a strong read says, asked at whichever holder answers. A shard without a primary gets one
   * within seconds, so it is asked again until the time for one call is over.
   */
  async #measure(
    entry: ExpectedEntry,
    shard: ShardId,
    holders: readonly NodeId[],
  ): Promise<Answer | undefined> {
    const until = performance.now() + this.#options.timeoutMs;
    do {
      for (const node of holders) {
        const answer = await this.#readFrom(node, entry, { shard, read: 'strong', atLeast: 0 });
        if (answer !== undefined && answer.result.kind !== 'failed') return answer;
      }
      await pause(AGAIN_MS);
    } while (performance.now() < until);
    return undefined;
  }

  /** Undefined when the node does not answer at all. */
  async #readFrom(
    node: NodeId,
    entry: ExpectedEntry,
    how: { readonly shard: ShardId; readonly read: 'one' | 'strong'; readonly atLeast: number },
  ): Promise<Answer | undefined> {
    const link = this.#options.links.get(node);
    if (link === undefined) return undefined;
    const { namespace, timeoutMs } = this.#options;
    const question: Question = {
      shard: how.shard,
      operationId: '',
      body: { kind: 'get', namespace, key: entry.id },
      read: how.read,
      durability: 'quorum',
      sync: 'disk',
      timeoutMs,
      noAutonomous: true,
      atLeast: how.atLeast,
    };
    try {
      return await link.ask(question);
    } catch (error) {
      // The node went away meanwhile: what it holds is unknown, and counted as such.
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  }

  #holdersOf(shard: number): readonly NodeId[] {
    const { nodes } = this.#options.placement;
    const owners = this.#byShard.get(shard);
    if (owners === undefined) return [];
    // The primary first: it answers strong reads itself.
    const places = new Set([owners.primary, ...owners.replicas]);
    return [...places].flatMap((place) => nodes[place]?.nodeId ?? []);
  }
}

function placeOf({ id, line }: ExpectedEntry, shard: number) {
  return { id, shard, ...(line === undefined ? {} : { line }) };
}

/** Who does not answer the question says nothing about the copy: it may be right. */
function whyUnread(answer: Answer | undefined): string | undefined {
  if (answer === undefined) return 'it does not answer';
  const { result } = answer;
  return result.kind === 'failed' ? result.code : undefined;
}

function differenceOf(answer: Answer, expected: string): string | undefined {
  const { result } = answer;
  if (result.kind === 'absent') return 'the replica has no such entry';
  const found = stateOf(answer);
  return found === expected
    ? undefined
    : `the replica has ${shortState(found)}, not ${shortState(expected)}`;
}

/** Version and bytes, in one text. */
function stateOf({ result }: Answer): string {
  if (result.kind !== 'found') return result.kind;
  const { version, entry } = result.found;
  return `${formatVersion(version)} ${Buffer.from(entry).toString('base64')}`;
}

function shortState(state: string): string {
  const [version = '', bytes = ''] = state.split(' ');
  return `version ${version} (${bytes.length} characters in base64)`;
}
