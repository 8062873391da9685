import type { Failure } from './load-result.ts';

const KINDS_MAX = 20;
const LETTERS_MAX = 100;

/** Counts failures by what was said of them. */
export class FailureCount {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(error: unknown, count = 1): void {
    const what = whatOf(error);
    this.#total += count;
    // Messages with a number of their own in each would fill the memory.
    const isKept = this.#counts.has(what) || this.#counts.size < KINDS_MAX;
    const kind = isKept ? what : 'other';
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  /** The most frequent first. */
  list(): readonly Failure[] {
    return [...this.#counts]
      .map(([what, count]) => ({ what, count }))
      .toSorted((a, b) => b.count - a.count);
  }
}

/** A code where there is one: messages differ from call to call. */
function whatOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : messageOf(error).slice(0, LETTERS_MAX);
}

/** The first line of what it says. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
