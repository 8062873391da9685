import type { JsonObject } from '../entry/entry.ts';
import { LIMITS } from '../limits.ts';
import type { MigrationStep } from './migration-step.ts';

/** Bounds of the schema registry: all of it is repeated in every snapshot of the control state. */
export const SCHEMA_LIMITS = {
  /** One schema, as canonical JSON. */
  schemaBytesMax: 32 * 1024,
  /** All definitions together. */
  registryBytesMax: 8 * 1024 * 1024,
  nameBytesMax: LIMITS.schemaNameBytesMax,
  /** Names in one cluster. */
  schemasMax: 64,
  /** Versions of one name. */
  versionsMax: 64,
  /** Namespaces that were given a schema of their own. */
  namespacesMax: 1024,
  stepsMax: 64,
  mergePoliciesMax: 64,
  /** Schemas inside one another, and all of them together: bounds what a validation may cost. */
  subschemaDepthMax: 12,
  subschemasMax: 512,
  patternLengthMax: 256,
  /** `uniqueItems` compares all pairs, so it needs a `maxItems` of at most this. */
  uniqueItemsMax: 256,
} as const;

/** Where an entry keeps what a migration took away; see `migrate`. Part of `metadata`. */
export const STASH_FIELD = '$stash';

/** What both sides of a merge are given to: names only; the functions live with the merge. */
export const MERGE_POLICIES = ['lww', 'fields', 'keep-both', 'prefer-majority-side'] as const;

/** One of `MERGE_POLICIES`, or `user:` and the name of a registered function. */
export type MergePolicy = (typeof MERGE_POLICIES)[number] | `user:${string}`;

/** How entries go from the version before this one to this one, and back. */
export interface SchemaMigrations {
  readonly up: readonly MigrationStep[];
  readonly down: readonly MigrationStep[];
}

/**
 * One version of one schema, as plain data. It never changes once it is defined: a change is a
 * new version. Made by `parseSchema` only.
 */
export interface EntrySchema {
  readonly name: string;
  /** From 1, without gaps. */
  readonly version: number;
  /** JSON Schema (a subset of draft 2020-12) of an `EntryDocument`. */
  readonly body: JsonObject;
  /** By JSON pointer of the field; what is not named here is merged as the whole entry is. */
  readonly mergePolicies: Readonly<Record<string, MergePolicy>>;
  /** Empty in version 1. */
  readonly migrations: SchemaMigrations;
}

/**
 * The part of an entry that a schema speaks about. An empty category is an absent one when a
 * schema looks at it.
 */
export interface EntryDocument {
  readonly content: string;
  readonly category: string;
  readonly categories: readonly string[];
  readonly metadata: JsonObject;
}

/** One thing that is wrong, and where: a JSON pointer into what was given. */
export interface SchemaProblem {
  readonly path: string;
  readonly problem: string;
}

/** What is wrong, in one line for people. */
export function schemaProblemText({ path, problem }: SchemaProblem): string {
  return path === '' ? problem : `${path}: ${problem}`;
}
