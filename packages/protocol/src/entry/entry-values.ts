import { LIMITS } from '../limits.ts';
import { hasControlCharacter } from '../wire/name-field.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import type { JsonObject } from './entry.ts';
import { type ForeignObject, readForeign } from './foreign-object.ts';
import { JsonCheck } from './json-check.ts';
import { textProblem } from './json-rules.ts';
import { excerptOf, ProblemList } from './problem-list.ts';

/** A value that was changed without losing anything, so that its writer can see it. */
export interface Normalised {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** Which categories an entry may have: these, or, where a schema decides later, whatever is a name. */
export type AllowedCategories = readonly string[] | 'any';

/** The last moment that a hybrid clock can name, in the year 10889. */
const MOMENT_MAX = 2 ** 48 - 1;

/**
 * Checks the parts of an entry, one by one. What is wrong is gathered, and a harmless value stands
 * in for it, so that all problems are found in one pass.
 */
export class EntryValues {
  readonly problems = new ProblemList();
  readonly #normalised: Normalised[] = [];

  get normalised(): readonly Normalised[] {
    return this.#normalised;
  }

  /** The own properties of a plain object, none of which may be unknown. */
  fields(value: unknown, path: string, known: ReadonlySet<string>): ReadonlyMap<string, unknown> {
    const fields = this.#fieldsOf(value, path);
    for (const name of fields.keys()) {
      if (known.has(name)) continue;
      const place = path === '' ? 'the entry' : path;
      this.problems.add(path, `one of ${[...known].join(', ')} in ${place}`, excerptOf(name));
    }
    return fields;
  }

  #fieldsOf(value: unknown, path: string): ReadonlyMap<string, unknown> {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const read: ForeignObject = isObject ? readForeign(value, FIELDS_MAX) : { kind: 'notPlain' };
    if (read.kind === 'object') return read.fields;
    this.problems.add(path, 'a plain object', excerptOf(value));
    return NOTHING;
  }

  content(value: unknown): string {
    return this.#text('content', value, LIMITS.contentBytesMax) ?? '';
  }

  /** Text that names something: not empty, and without control characters. */
  name(path: string, value: unknown, bytesMax: number): string {
    const text = this.#text(path, value, bytesMax);
    if (text === undefined) return '';
    if (text === '') this.problems.add(path, 'at least one character', '""');
    if (hasControlCharacter(text)) {
      this.problems.add(path, 'no control characters', excerptOf(text));
    }
    return text;
  }

  /** Spaces around it are dropped, and letters are raised where that makes it an allowed one. */
  category(value: unknown, allowed: AllowedCategories): string {
    const category = this.name('category', value, LIMITS.categoryBytesMax);
    if (category === '') return '';
    const trimmed = category.trim();
    const fitting = fittingCategory(trimmed, allowed);
    if (fitting === undefined) {
      const expected = allowed === 'any' ? 'a name' : `one of ${allowed.join(', ')}`;
      this.problems.add('category', expected, excerptOf(category));
      return category;
    }
    if (fitting !== category) {
      this.#normalised.push({ path: 'category', from: category, to: fitting });
    }
    return fitting;
  }

  categories(value: unknown): readonly string[] {
    const read = Array.isArray(value) ? readForeign(value, LIMITS.categoriesMax) : undefined;
    if (read?.kind === 'list') {
      return read.values.map((category, i) => {
        return this.name(`categories[${i}]`, category, LIMITS.categoryBytesMax);
      });
    }
    const expected = `a list of at most ${LIMITS.categoriesMax} names`;
    this.problems.add('categories', expected, excerptOf(value));
    return [];
  }

  metadata(value: unknown): JsonObject {
    return new JsonCheck(this.problems, LIMITS.metadataBytesMax).object(value, 'metadata') ?? {};
  }

  /** Milliseconds since 1970, later than `nowMs`. Seconds by mistake lie in 1970, and are found. */
  expiry(value: unknown, nowMs: number): number {
    const expiresAt = this.count('expiresAt', value, MOMENT_MAX);
    if (expiresAt > 0 && expiresAt <= nowMs) {
      this.problems.add('expiresAt', `milliseconds after now (${nowMs})`, String(expiresAt));
    }
    return expiresAt;
  }

  /** The moment that is `value` milliseconds after `nowMs`. */
  timeToLive(value: unknown, nowMs: number): number {
    return nowMs + this.count('ttlMs', value, MOMENT_MAX - nowMs);
  }

  /** A whole number from 1 to `max`. */
  count(path: string, value: unknown, max: number): number {
    if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) {
      return value as number;
    }
    this.problems.add(path, `a whole number from 1 to ${max}`, excerptOf(value));
    return 0;
  }

  flag(path: string, value: unknown): boolean {
    if (typeof value !== 'boolean') this.problems.add(path, 'true or false', excerptOf(value));
    return value === true;
  }

  #text(path: string, value: unknown, bytesMax: number): string | undefined {
    if (typeof value !== 'string') {
      this.problems.add(path, 'text', excerptOf(value));
      return undefined;
    }
    const bytes = utf8Bytes(value);
    const isPlain = bytes >= 0 && !value.includes('\0');
    const problem = (isPlain ? undefined : textProblem(value)) ?? markProblem(value);
    if (problem !== undefined) {
      this.problems.add(path, problem, excerptOf(value));
      return undefined;
    }
    if (bytes > bytesMax) {
      this.problems.add(path, `at most ${bytesMax} bytes`, `${bytes} bytes: ${excerptOf(value)}`);
      return undefined;
    }
    return value;
  }
}

/** More properties than this are no slip of the pen. */
const FIELDS_MAX = 64;

const NOTHING: ReadonlyMap<string, unknown> = new Map();

/** Some readers drop a byte order mark, so two of them would see two different texts. */
function markProblem(text: string): string | undefined {
  return text.startsWith('\ufeff') ? 'text without a byte order mark' : undefined;
}

function fittingCategory(trimmed: string, allowed: AllowedCategories): string | undefined {
  if (trimmed === '') return undefined;
  if (allowed === 'any' || allowed.includes(trimmed)) return trimmed;
  const raised = trimmed.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return allowed.includes(raised) ? raised : undefined;
}
