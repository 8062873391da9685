import type {
  AnswerSource,
  FoundEntry,
  OperationBody,
  OperationResult,
  ShardPosition,
} from '@memgrid/protocol';
import { copyIntoBlock, LIMITS, parseStoredKey, storedKey } from '@memgrid/protocol';
import type { Lookup, StoredEntry } from '../entries/entry-table.ts';
import { versionOf, visibleIn } from './entry-view.ts';
import { ScopeFilter } from './scope-filter.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import { comparePositions } from './shard-log.ts';

export type ListBody = Extract<OperationBody, { kind: 'list' }>;

/** Half of what a message of answers may hold: other answers travel in the same one. */
export const LIST_BYTES_MAX = LIMITS.operationsBytesMax / 2;
const PAGE = 256;

/** One list of the entries of a scope in one copy of a shard, as far as it has come. */
export class Listing {
  readonly body: ListBody;
  readonly copy: ShardCopy;
  readonly #context: ShardContext;
  readonly #filter: ScopeFilter;
  /** What all keys of the namespace begin with. */
  readonly #prefix: string;
  readonly #entries: FoundEntry[] = [];
  /** The keys that are looked at now, and which of them is next. */
  #page: readonly string[] = [];
  #next = 0;
  #isLastPage = false;
  /** Of this page, what only the disk had. */
  readonly #fetched = new Map<string, StoredEntry | 'absent'>();
  #after: string;
  #at: ShardPosition;
  #bytes = 0;
  #count = 0;
  #more = false;

  constructor(context: ShardContext, copy: ShardCopy, body: ListBody) {
    this.#context = context;
    this.copy = copy;
    this.body = body;
    this.#filter = new ScopeFilter(body.scope);
    this.#prefix = storedKey(body.scope.namespace, '');
    this.#after = storedKey(body.scope.namespace, body.after);
    this.#at = copy.applied;
  }

  /** What the answer rests on. */
  get at(): ShardPosition {
    return this.#at;
  }

  /**
   * Goes on as far as memory goes.
   *
   * @returns keys that only the disk has, to be handed to `fetched` before the next call; none when
   * the list is complete.
   */
  advance(): readonly string[] {
    for (;;) {
      for (; this.#next < this.#page.length; this.#next += 1) {
        const key = this.#page[this.#next] as string;
        const found = this.#fetched.get(key) ?? this.#look(key);
        if (found === 'paged') return this.#pagedKeys();
        if (found === 'absent') continue;
        if (!this.#include(key, found)) return [];
        // A mended entry may be newer than what is applied here.
        if (comparePositions(found.at, this.#at) > 0) this.#at = found.at;
      }
      if (this.#isLastPage) return [];
      this.#turn();
    }
  }

  fetched(key: string, found: StoredEntry | 'absent'): void {
    this.#fetched.set(key, found);
  }

  /** Once it is complete. */
  result(source: AnswerSource, stalenessMs: number): OperationResult {
    const count = this.body.countOnly ? this.#count : 0;
    return { kind: 'listed', entries: this.#entries, count, more: this.#more, source, stalenessMs };
  }

  #turn(): void {
    const { shard, slot } = this.copy;
    const keys = this.#context.entries.keys(shard, slot, this.#after, PAGE);
    const end = keys.findIndex((key) => !key.startsWith(this.#prefix));
    this.#page = end < 0 ? keys : keys.slice(0, end);
    this.#isLastPage = this.#page.length < PAGE;
    this.#next = 0;
    this.#fetched.clear();
    this.#after = this.#page.at(-1) ?? this.#after;
  }

  #look(key: string): Lookup {
    return this.#context.entries.look(this.copy.shard, this.copy.slot, key);
  }

  /** From here to the end of the page: whoever asks the disk asks for all of them at once. */
  #pagedKeys(): readonly string[] {
    return this.#page.filter((key, at) => {
      return at >= this.#next && !this.#fetched.has(key) && this.#look(key) === 'paged';
    });
  }

  /** Takes an entry into the list; false when there is no more room for it. */
  #include(key: string, found: StoredEntry): boolean {
    const visible = visibleIn(found.state, this.#context.nowMs);
    if (visible === undefined || !this.#filter.matches(visible.value.entry)) return true;
    this.#count += 1;
    const { countOnly, limit } = this.body;
    if (countOnly) return true;
    const { entry } = visible.value;
    const size = entry.byteLength + 256;
    if (this.#entries.length >= limit || this.#bytes + size > LIST_BYTES_MAX) {
      this.#more = true;
      return false;
    }
    this.#bytes += size;
    const { id } = parseStoredKey(key);
    const version = versionOf(visible);
    this.#entries.push({ key: id, entry: copyIntoBlock(entry), version });
    return true;
  }
}
