import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { isJsonObject, pointerTo, propertyOf, type JsonPath } from './json-tree.ts';
import { SCHEMA_LIMITS, type SchemaProblem } from './schema.ts';

/** What the value of a keyword has to be. */
type Shape =
  | 'schema'
  | 'schemas'
  | 'schemasByName'
  | 'flagOrSchema'
  | 'flag'
  | 'count'
  | 'number'
  | 'positive'
  | 'text'
  | 'pattern'
  | 'names'
  | 'types'
  | 'values'
  | 'any';

/**
 * The keywords of draft 2020-12 that a body may use. What is left out either reaches other
 * documents (`$ref`, `$id`), changes data (`default`), may cost more than one look at each value
 * (`unevaluated…`, `contains`, recursion), or means different things to different validators
 * (`format`).
 */
const KEYWORDS: Readonly<Record<string, Shape>> = {
  $comment: 'text',
  additionalProperties: 'flagOrSchema',
  allOf: 'schemas',
  anyOf: 'schemas',
  const: 'any',
  deprecated: 'flag',
  description: 'text',
  enum: 'values',
  examples: 'values',
  exclusiveMaximum: 'number',
  exclusiveMinimum: 'number',
  items: 'flagOrSchema',
  maxItems: 'count',
  maxLength: 'count',
  maxProperties: 'count',
  maximum: 'number',
  minItems: 'count',
  minLength: 'count',
  minProperties: 'count',
  minimum: 'number',
  multipleOf: 'positive',
  not: 'schema',
  oneOf: 'schemas',
  pattern: 'pattern',
  properties: 'schemasByName',
  propertyNames: 'schema',
  required: 'names',
  title: 'text',
  type: 'types',
  uniqueItems: 'flag',
};

const TYPES: readonly string[] = [
  'array',
  'boolean',
  'integer',
  'null',
  'number',
  'object',
  'string',
];

/** Everything that keeps a JSON Schema from being a body, with paths. */
export function bodyProblems(
  body: JsonValue | undefined,
  path: JsonPath,
): readonly SchemaProblem[] {
  const walk = new BodyWalk();
  walk.schema(body, { path, depth: 1 });
  return walk.problems;
}

interface Place {
  readonly path: JsonPath;
  readonly depth: number;
}

class BodyWalk {
  readonly problems: SchemaProblem[] = [];
  #subschemas = 0;

  schema(value: JsonValue | undefined, { path, depth }: Place): void {
    if (!isJsonObject(value)) return this.#report(path, 'must be an object.');
    this.#subschemas += 1;
    if (depth > SCHEMA_LIMITS.subschemaDepthMax) {
      const max = SCHEMA_LIMITS.subschemaDepthMax;
      return this.#report(path, `at most ${max} schemas may be inside one another.`);
    }
    if (this.#subschemas > SCHEMA_LIMITS.subschemasMax) {
      if (this.#subschemas > SCHEMA_LIMITS.subschemasMax + 1) return;
      return this.#report(path, `more than ${SCHEMA_LIMITS.subschemasMax} schemas in one body.`);
    }
    for (const keyword of Object.keys(value).sort()) {
      const place = { path: [...path, keyword], depth };
      const shape = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
      if (shape === undefined) this.#report(place.path, 'this keyword is not supported.');
      else this.#keyword(shape, value[keyword] as JsonValue, place);
    }
    this.#uniqueItems(value, path);
  }

  #keyword(shape: Shape, value: JsonValue, place: Place): void {
    const inner = { path: place.path, depth: place.depth + 1 };
    switch (shape) {
      case 'schema':
        return this.schema(value, inner);
      case 'flagOrSchema':
        if (typeof value !== 'boolean') this.schema(value, inner);
        return;
      case 'schemas':
        if (!isList(value, 1)) return this.#report(place.path, 'must be a list of schemas.');
        value.forEach((item, at) =>
          this.schema(item, { ...inner, path: [...inner.path, String(at)] }),
        );
        return;
      case 'schemasByName':
        if (!isJsonObject(value)) return this.#report(place.path, 'must be an object of schemas.');
        for (const name of Object.keys(value).sort()) {
          this.schema(value[name], { ...inner, path: [...inner.path, name] });
        }
        return;
      default: {
        const problem = valueProblem(shape, value);
        if (problem !== undefined) this.#report(place.path, problem);
      }
    }
  }

  #uniqueItems(schema: JsonObject, path: JsonPath): void {
    if (propertyOf(schema, 'uniqueItems') !== true) return;
    const max = propertyOf(schema, 'maxItems');
    if (typeof max === 'number' && max <= SCHEMA_LIMITS.uniqueItemsMax) return;
    const limit = SCHEMA_LIMITS.uniqueItemsMax;
    this.#report([...path, 'uniqueItems'], `needs a maxItems of at most ${limit} beside it.`);
  }

  #report(path: JsonPath, problem: string): void {
    this.problems.push({ path: pointerTo(path), problem });
  }
}

type ValueShape = Exclude<Shape, 'schema' | 'schemas' | 'schemasByName' | 'flagOrSchema'>;

function valueProblem(shape: ValueShape, value: JsonValue): string | undefined {
  switch (shape) {
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false.';
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0
        ? undefined
        : 'must be a whole number from 0.';
    case 'number':
      return typeof value === 'number' ? undefined : 'must be a number.';
    case 'positive':
      return typeof value === 'number' && value > 0 ? undefined : 'must be a number above 0.';
    case 'text':
      return typeof value === 'string' ? undefined : 'must be text.';
    case 'pattern':
      return typeof value === 'string' && value.length <= SCHEMA_LIMITS.patternLengthMax
        ? undefined
        : `must be text of at most ${SCHEMA_LIMITS.patternLengthMax} characters.`;
    case 'names':
      return isList(value, 0) && areDistinctTexts(value)
        ? undefined
        : 'must be a list of distinct names.';
    case 'types':
      return isType(value) || (isList(value, 1) && areDistinctTexts(value) && value.every(isType))
        ? undefined
        : `must be one or several of ${TYPES.join(', ')}.`;
    case 'values':
      return isList(value, 1) ? undefined : 'must be a list that is not empty.';
    case 'any':
      return undefined;
  }
}

function isList(value: JsonValue, lengthMin: number): value is readonly JsonValue[] {
  return Array.isArray(value) && value.length >= lengthMin;
}

function areDistinctTexts(values: readonly JsonValue[]): boolean {
  return values.every((it) => typeof it === 'string') && new Set(values).size === values.length;
}

function isType(value: JsonValue): boolean {
  return typeof value === 'string' && TYPES.includes(value);
}
