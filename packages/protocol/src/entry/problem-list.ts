import { LIMITS } from '../limits.ts';

/** One thing that is wrong with what a caller gave, and where. */
export interface EntryProblem {
  /** For instance `metadata.tags[3]`; '' for the whole. */
  readonly path: string;
  readonly expected: string;
  /** The value, or the beginning of it. */
  readonly got: string;
}

/** `metadata.tags[3]: expected a finite number, got NaN.` */
export function problemText({ path, expected, got }: EntryProblem): string {
  return `${path === '' ? '' : `${path}: `}expected ${expected}, got ${got}.`;
}

/** Gathers everything that is wrong, up to a number that somebody might still read. */
export class ProblemList {
  readonly #problems: EntryProblem[] = [];

  get problems(): readonly EntryProblem[] {
    return this.#problems;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  add(path: string, expected: string, got: string): void {
    if (this.#problems.length < LIMITS.problemsMax) this.#problems.push({ path, expected, got });
  }
}

const EXCERPT_CHARS_MAX = 40;

/** A value that may be anything, cut down to what an error message can bear. */
export function excerptOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > EXCERPT_CHARS_MAX
        ? `${JSON.stringify(value.slice(0, EXCERPT_CHARS_MAX))}… (${value.length} characters)`
        : JSON.stringify(value);
    case 'object':
      return value === null ? 'null' : objectExcerpt(value);
    case 'bigint':
      // Its digits may be a million, and writing them takes quadratic time.
      return 'a bigint';
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}

function objectExcerpt(value: object): string {
  try {
    if (Array.isArray(value)) return `a list of ${value.length}`;
    const { constructor } = value as { readonly constructor?: unknown };
    if (typeof constructor !== 'function' || constructor === Object) return 'an object';
    const name: unknown = constructor.name;
    return typeof name === 'string' && CLASS_NAME.test(name) ? `a ${name}` : 'an object of a class';
  } catch {
    // A proxy or a getter of the caller's that throws: that is all there is to tell.
    return 'an object that cannot be read';
  }
}

const CLASS_NAME = /^[\w$]{1,40}$/;
