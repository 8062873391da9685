import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { nameProblem } from '../entry/json-rules.ts';
import { isJsonObject, parsePointer, propertyOf, type JsonPath } from './json-tree.ts';
import type { MigrationStep } from './migration-step.ts';
import { SCHEMA_LIMITS, STASH_FIELD, type SchemaProblem } from './schema.ts';

type Check = (value: JsonValue | undefined) => string | undefined;

const STEP_FIELDS: Readonly<Record<MigrationStep['kind'], Readonly<Record<string, Check>>>> = {
  move: { from: metadataPath, to: metadataPath },
  default: { path: metadataPath, value: present },
  remove: { path: metadataPath },
  wrap: { path: metadataPath, name: fieldName },
  unwrap: { path: metadataPath, name: fieldName },
  list: { path: metadataPath },
  first: { path: metadataPath },
  map: { path: mapPath, values: mapping },
};

/** Everything that is wrong with the steps in one direction. `path` is where they stand. */
export function stepsProblems(
  steps: JsonValue | undefined,
  path: string,
): readonly SchemaProblem[] {
  if (!Array.isArray(steps)) return [{ path, problem: 'must be a list of steps.' }];
  if (steps.length > SCHEMA_LIMITS.stepsMax) {
    return [
      { path, problem: `has ${steps.length} steps; at most ${SCHEMA_LIMITS.stepsMax} may be.` },
    ];
  }
  return (steps as readonly JsonValue[]).flatMap((step, at) => stepProblems(step, `${path}/${at}`));
}

function stepProblems(step: JsonValue, path: string): readonly SchemaProblem[] {
  if (!isJsonObject(step)) return [{ path, problem: 'must be an object.' }];
  const kind = propertyOf(step, 'kind');
  if (typeof kind !== 'string' || !Object.hasOwn(STEP_FIELDS, kind)) {
    const kinds = Object.keys(STEP_FIELDS).join(', ');
    return [{ path: `${path}/kind`, problem: `must be one of ${kinds}.` }];
  }
  const checks = STEP_FIELDS[kind as MigrationStep['kind']];
  const problems = unknownNames(step, ['kind', ...Object.keys(checks)], path);
  for (const [name, check] of Object.entries(checks)) {
    const problem = check(propertyOf(step, name));
    if (problem !== undefined) problems.push({ path: `${path}/${name}`, problem });
  }
  const intoItself = kind === 'move' && problems.length === 0 ? moveProblem(step) : undefined;
  if (intoItself !== undefined) problems.push({ path, problem: intoItself });
  return problems;
}

/** Names that an object must not have, because nobody would look at them. */
export function unknownNames(
  value: JsonObject,
  known: readonly string[],
  path: string,
): SchemaProblem[] {
  return Object.keys(value)
    .sort()
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: `${path}/${name}`, problem: 'is not known here.' }));
}

function moveProblem(step: JsonObject): string | undefined {
  const from = `${step['from'] as string}/`;
  const to = `${step['to'] as string}/`;
  return from.startsWith(to) || to.startsWith(from)
    ? 'cannot move a value into itself or over what holds it.'
    : undefined;
}

function metadataPath(value: JsonValue | undefined): string | undefined {
  const path = pathIn(value);
  if (path === undefined || path[0] !== 'metadata' || path.length < 2 || path[1] === STASH_FIELD) {
    return 'must be a JSON pointer below /metadata.';
  }
  return namesProblem(path);
}

function mapPath(value: JsonValue | undefined): string | undefined {
  return value === '/category' ? undefined : metadataPath(value);
}

function pathIn(value: JsonValue | undefined): JsonPath | undefined {
  return typeof value === 'string' ? parsePointer(value) : undefined;
}

function namesProblem(path: JsonPath): string | undefined {
  for (const name of path) {
    const problem = fieldName(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function fieldName(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value === '') return 'must be a name.';
  const problem = nameProblem(value);
  return problem === undefined ? undefined : `must be ${problem}.`;
}

function present(value: JsonValue | undefined): string | undefined {
  return value === undefined ? 'must be there.' : undefined;
}

function mapping(value: JsonValue | undefined): string | undefined {
  const problem = 'must be a list of {from, to} texts with distinct `from`.';
  if (!Array.isArray(value) || value.length === 0) return problem;
  const pairs = value as readonly JsonValue[];
  const texts = pairs.every(
    (pair) =>
      isJsonObject(pair) &&
      Object.keys(pair).length === 2 &&
      typeof propertyOf(pair, 'from') === 'string' &&
      typeof propertyOf(pair, 'to') === 'string',
  );
  if (!texts) return problem;
  const sources = new Set(pairs.map((pair) => (pair as JsonObject)['from']));
  return sources.size === pairs.length ? undefined : problem;
}
