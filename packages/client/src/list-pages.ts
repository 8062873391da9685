import { ListScan } from '@memgrid/core';
import type { CallOptions, ScanPlace } from '@memgrid/core';
import { ClusterError, decodeCursor, encodeCursor, LIMITS, shardOfScope } from '@memgrid/protocol';
import type { FoundEntry, OperationResult, Scope, ShardId } from '@memgrid/protocol';
import { badRequest } from './call-shape.ts';
import type { Count } from './entry.ts';
import { UNNUMBERED } from './pending-answers.ts';
import type { PendingAnswers } from './pending-answers.ts';

const LIMIT_DEFAULT = 100;

type Listed = Extract<OperationResult, { readonly kind: 'listed' }>;

export interface PageRequest {
  readonly scope: Scope;
  readonly limit: number | undefined;
  readonly cursor: string | undefined;
  readonly options: CallOptions;
  readonly signal: AbortSignal | undefined;
}

export interface FoundPage {
  readonly items: readonly FoundEntry[];
  readonly cursor: string | undefined;
  readonly stalenessMs: number;
}

/** Lists and counts: of one shard where the owner says which, of all of them otherwise. */
export class ListPages {
  readonly #answers: PendingAnswers;
  readonly #shardCount: () => number;

  constructor(answers: PendingAnswers, shardCount: () => number) {
    this.#answers = answers;
    this.#shardCount = shardCount;
  }

  /** @throws ClusterError BAD_CURSOR when the cursor is not of this list. */
  async page(request: PageRequest): Promise<FoundPage> {
    const { scope, limit = LIMIT_DEFAULT } = request;
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.listEntriesMax) {
      throw badRequest(
        `limit: expected a whole number from 1 to ${LIMITS.listEntriesMax}, got ${limit}.`,
      );
    }
    const range = this.#rangeOf(scope);
    const from = placeOf(request, range);
    const scan = new ListScan<FoundEntry>({ from, end: range.end, limit, keyOf: ({ key }) => key });
    let stalenessMs = 0;
    for (let wave = scan.next(); wave.length > 0; wave = scan.next()) {
      const answers = await Promise.all(
        wave.map((part) => this.#list(request, part, { ...part, countOnly: false })),
      );
      for (const answer of answers) stalenessMs = Math.max(stalenessMs, answer.stalenessMs);
      scan.take(answers.map(({ entries, more }) => ({ items: entries, more })));
    }
    const { place, items } = scan;
    const cursor = place === undefined ? undefined : encodeCursor(scope, place);
    return { items, cursor, stalenessMs };
  }

  async count(request: Omit<PageRequest, 'limit' | 'cursor'>): Promise<Count> {
    const { start, end } = this.#rangeOf(request.scope);
    const shards = Array.from({ length: end - start }, (_, at) => (start + at) as ShardId);
    const answers = await Promise.all(
      shards.map((shard) =>
        this.#list(request, { shard }, { after: '', limit: 1, countOnly: true }),
      ),
    );
    return {
      count: answers.reduce((sum, answer) => sum + answer.count, 0),
      stalenessMs: answers.reduce((most, answer) => Math.max(most, answer.stalenessMs), 0),
    };
  }

  #rangeOf(scope: Scope): { readonly start: number; readonly end: number } {
    const shardCount = this.#shardCount();
    const shard = shardOfScope(scope, shardCount);
    return shard === undefined ? { start: 0, end: shardCount } : { start: shard, end: shard + 1 };
  }

  async #list(
    { scope, options, signal }: Omit<PageRequest, 'limit' | 'cursor'>,
    { shard }: { readonly shard: ShardId },
    part: { readonly after: string; readonly limit: number; readonly countOnly: boolean },
  ): Promise<Listed> {
    const { after, limit, countOnly } = part;
    const body = { kind: 'list', scope, after, limit, countOnly } as const;
    const request = { call: UNNUMBERED, body, scope: undefined, shard, options, signal };
    const result = await this.#answers.ask(request, (outcome) =>
      outcome.kind === 'answered' ? outcome.answer.result : undefined,
    );
    if (result?.kind !== 'listed') {
      throw new ClusterError('BAD_MESSAGE', { problem: 'The answer to a list was none.' });
    }
    if (result.more && result.entries.length === 0) {
      // Going on behind it would lose entries, and asking again would never end.
      throw new ClusterError('BAD_MESSAGE', { problem: 'A list had more, and gave nothing.' });
    }
    return result;
  }
}

function placeOf(
  { scope, cursor }: PageRequest,
  { start, end }: { readonly start: number; readonly end: number },
): ScanPlace {
  if (cursor === undefined) return { shard: start as ShardId, after: '' };
  const read = decodeCursor(scope, cursor);
  if (read.kind === 'invalid') throw badCursor(read.problem);
  const { place } = read;
  if (place.shard < start || place.shard >= end) throw badCursor('it belongs to another cluster.');
  return place;
}

function badCursor(problem: string): ClusterError<'BAD_CURSOR'> {
  return new ClusterError('BAD_CURSOR', { problem });
}
