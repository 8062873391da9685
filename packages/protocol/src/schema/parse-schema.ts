import { canonicalJson } from '../entry/canonical-json.ts';
import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { WireError } from '../wire/wire-error.ts';
import { bodyProblems } from './body-subset.ts';
import { isJsonObject, parsePointer, propertyOf } from './json-tree.ts';
import {
  MERGE_POLICIES,
  SCHEMA_LIMITS,
  type EntrySchema,
  type MergePolicy,
  type SchemaProblem,
  type SchemaMigrations,
} from './schema.ts';
import { stepsProblems, unknownNames } from './step-rules.ts';

export type ParsedSchema =
  | { readonly kind: 'schema'; readonly schema: EntrySchema }
  | { readonly kind: 'problems'; readonly problems: readonly SchemaProblem[] };

/**
 * A schema from data of any origin: all that is wrong with it, or the schema. It says nothing
 * about whether this version may follow another: see `compatibility`.
 */
export function parseSchema(value: unknown): ParsedSchema {
  const text = canonicalText(value);
  if (typeof text !== 'string') return { kind: 'problems', problems: [text] };
  const bytes = utf8Bytes(text);
  if (bytes > SCHEMA_LIMITS.schemaBytesMax) {
    const problem = `is ${bytes} bytes; at most ${SCHEMA_LIMITS.schemaBytesMax} are allowed.`;
    return { kind: 'problems', problems: [{ path: '', problem }] };
  }
  const definition = value as JsonValue;
  if (!isJsonObject(definition)) {
    return { kind: 'problems', problems: [{ path: '', problem: 'must be an object.' }] };
  }
  const problems = schemaProblems(definition);
  if (problems.length > 0) return { kind: 'problems', problems };
  return { kind: 'schema', schema: schemaFrom(definition) };
}

function canonicalText(value: unknown): string | SchemaProblem {
  try {
    return canonicalJson(value as JsonValue);
  } catch (error) {
    if (error instanceof WireError) return { path: '', problem: error.message };
    throw error;
  }
}

const KNOWN_NAMES = ['name', 'version', 'body', 'mergePolicies', 'migrations'];
const SCHEMA_NAME = /^[a-z][a-z0-9-]*$/;

function schemaProblems(definition: JsonObject): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = unknownNames(definition, KNOWN_NAMES, '');
  const name = propertyOf(definition, 'name');
  const max = SCHEMA_LIMITS.nameBytesMax;
  if (typeof name !== 'string' || !SCHEMA_NAME.test(name) || name.length > max) {
    const problem = `must be 1 to ${max} small letters, digits and dashes, a letter first.`;
    problems.push({ path: '/name', problem });
  }
  const version = propertyOf(definition, 'version');
  if (!Number.isSafeInteger(version) || (version as number) < 1 || (version as number) > 2 ** 31) {
    problems.push({ path: '/version', problem: 'must be a whole number from 1.' });
  }
  problems.push(...bodyProblems(propertyOf(definition, 'body'), ['body']));
  problems.push(...policyProblems(propertyOf(definition, 'mergePolicies')));
  problems.push(...migrationProblems(propertyOf(definition, 'migrations'), version));
  return problems;
}

function policyProblems(policies: JsonValue | undefined): readonly SchemaProblem[] {
  if (policies === undefined) return [];
  const path = '/mergePolicies';
  if (!isJsonObject(policies)) return [{ path, problem: 'must be an object.' }];
  const names = Object.keys(policies).sort();
  if (names.length > SCHEMA_LIMITS.mergePoliciesMax) {
    const max = SCHEMA_LIMITS.mergePoliciesMax;
    return [{ path, problem: `has ${names.length} policies; at most ${max} may be.` }];
  }
  const problems: SchemaProblem[] = [];
  for (const name of names) {
    const pointer = parsePointer(name);
    if (pointer === undefined || pointer.length === 0) {
      problems.push({ path, problem: `"${name}" must be a JSON pointer of a field.` });
    }
    if (!isPolicy(policies[name])) {
      const problem = `"${name}" must be one of ${MERGE_POLICIES.join(', ')}, user:<name>.`;
      problems.push({ path, problem });
    }
  }
  return problems;
}

function isPolicy(value: JsonValue | undefined): boolean {
  if (typeof value !== 'string') return false;
  return (
    (MERGE_POLICIES as readonly string[]).includes(value) || /^user:[a-z0-9-]{1,48}$/.test(value)
  );
}

function migrationProblems(
  migrations: JsonValue | undefined,
  version: JsonValue | undefined,
): readonly SchemaProblem[] {
  const path = '/migrations';
  if (migrations === undefined && version === 1) return [];
  if (!isJsonObject(migrations)) {
    return [{ path, problem: 'must be an object with the steps `up` and `down`.' }];
  }
  const [up, down] = [propertyOf(migrations, 'up'), propertyOf(migrations, 'down')];
  const problems = [
    ...unknownNames(migrations, ['up', 'down'], path),
    ...stepsProblems(up, `${path}/up`),
    ...stepsProblems(down, `${path}/down`),
  ];
  if (version === 1 && problems.length === 0 && (stepCount(up) > 0 || stepCount(down) > 0)) {
    problems.push({ path, problem: 'version 1 comes from nowhere, so it has no steps.' });
  }
  return problems;
}

function stepCount(steps: JsonValue | undefined): number {
  return (steps as readonly JsonValue[]).length;
}

function schemaFrom(definition: JsonObject): EntrySchema {
  return {
    name: definition['name'] as string,
    version: definition['version'] as number,
    body: definition['body'] as JsonObject,
    mergePolicies: (definition['mergePolicies'] ?? {}) as Record<string, MergePolicy>,
    migrations: (definition['migrations'] ?? { up: [], down: [] }) as unknown as SchemaMigrations,
  };
}
