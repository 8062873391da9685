import { LIMITS } from '../limits.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './entry.ts';
import { readForeign } from './foreign-object.ts';
import { nameProblem, nameStep, textProblem } from './json-rules.ts';
import { excerptOf, type ProblemList } from './problem-list.ts';

/**
 * Copies a value of unknown origin into plain JSON, and reports everything in it that JSON cannot
 * carry or an entry may not hold. Never throws, whatever the value: cycles, 10,000 levels and
 * getters that throw are problems like any other.
 */
export class JsonCheck {
  readonly #problems: ProblemList;
  readonly #bytesMax: number;
  readonly #steps: string[] = [];
  readonly #ancestors: object[] = [];
  /** What is certainly needed at least: a few shared lists can stand for a tree without end. */
  #bytesMin = 0;
  #stopped = false;

  /** @param bytesMax of the canonical text. */
  constructor(problems: ProblemList, bytesMax: number) {
    this.#problems = problems;
    this.#bytesMax = bytesMax;
  }

  /** A copy, or undefined when there was a problem. */
  object(value: unknown, path: string): JsonObject | undefined {
    this.#steps.length = 0;
    this.#steps.push(path);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#report('an object', excerptOf(value));
      return undefined;
    }
    const before = this.#problems.problems.length;
    const copy = this.#copy(value);
    if (copy === undefined || this.#stopped) return undefined;
    if (this.#problems.problems.length > before) return undefined;
    const bytes = utf8Bytes(canonicalJson(copy));
    if (bytes <= this.#bytesMax) return copy as JsonObject;
    this.#report(`at most ${this.#bytesMax} bytes as JSON`, `${bytes} bytes`);
    return undefined;
  }

  /** A value that could not be copied becomes undefined; it is reported. */
  #copy(value: unknown): JsonValue | undefined {
    if (this.#stopped) return undefined;
    this.#spend(typeof value === 'string' ? value.length + 2 : 1);
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        if (Number.isFinite(value)) return value + 0;
        return this.#refuse('a finite number', value);
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.#nested(value);
      default:
        return this.#refuse('a JSON value', value);
    }
  }

  #text(value: string): string | undefined {
    const problem = textProblem(value);
    return problem === undefined ? value : this.#refuse(problem, value);
  }

  #nested(value: object): JsonValue | undefined {
    if (this.#ancestors.includes(value)) {
      return this.#report('no cycle', 'an object that contains itself');
    }
    if (this.#ancestors.length === LIMITS.jsonDepthMax) {
      const expected = `at most ${LIMITS.jsonDepthMax} lists and objects in one another`;
      return this.#report(expected, 'more');
    }
    this.#ancestors.push(value);
    const copy = this.#children(value);
    this.#ancestors.pop();
    return copy;
  }

  #children(value: object): JsonValue | undefined {
    const read = readForeign(value, this.#bytesMax);
    switch (read.kind) {
      case 'object':
        return this.#fields(read.fields);
      case 'list':
        return this.#values(read.values);
      case 'tooLong':
        return this.#stop(`${read.count} values`);
      case 'notPlain':
        return this.#refuse('a plain object or a list', value);
      case 'unreadable':
        return this.#report('a value that can be read', 'an object that throws');
    }
  }

  #fields(fields: ReadonlyMap<string, unknown>): JsonObject {
    const copy: Record<string, JsonValue> = {};
    for (const [name, value] of fields) {
      this.#steps.push(nameStep(name));
      this.#spend(name.length + 4);
      const problem = nameProblem(name);
      if (problem !== undefined) this.#refuse(problem, name);
      const child = this.#copy(value);
      if (problem === undefined && child !== undefined) copy[name] = child;
      this.#steps.pop();
    }
    return copy;
  }

  #values(values: readonly unknown[]): readonly JsonValue[] {
    const copy: JsonValue[] = [];
    for (let i = 0; i < values.length; i++) {
      this.#steps.push(`[${i}]`);
      this.#spend(1);
      const child = this.#copy(values[i]);
      if (child !== undefined) copy.push(child);
      this.#steps.pop();
    }
    return copy;
  }

  #spend(bytes: number): void {
    this.#bytesMin += bytes;
    if (this.#bytesMin > this.#allowance) this.#stop(`more than ${this.#bytesMax} bytes`);
  }

  /** Every value is counted with a comma, and the last of each level has none. */
  get #allowance(): number {
    return 2 * this.#bytesMax;
  }

  #stop(got: string): undefined {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#problems.add(this.#steps[0] ?? '', `at most ${this.#bytesMax} bytes as JSON`, got);
  }

  #refuse(expected: string, value: unknown): undefined {
    this.#report(expected, excerptOf(value));
  }

  #report(expected: string, got: string): undefined {
    if (this.#stopped) return;
    let path = '';
    for (const step of this.#steps) {
      path += path === '' || step.startsWith('[') ? step : `.${step}`;
    }
    this.#problems.add(path, expected, got);
  }
}
