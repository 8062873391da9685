import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { isJsonObject, propertyOf } from './json-tree.ts';
import { applySteps, type MigrationStep } from './migration-step.ts';
import { parseResidues, residueBetween, restore, type Residue } from './residue.ts';
import { STASH_FIELD, type EntryDocument, type EntrySchema, type SchemaProblem } from './schema.ts';

/** From one version of a schema to a neighbour. */
export interface SchemaHop {
  readonly from: number;
  readonly to: number;
  readonly forth: readonly MigrationStep[];
  /** The way back: tells what has to be stashed so that it loses nothing. */
  readonly back: readonly MigrationStep[];
}

export type SchemaRoute =
  | { readonly kind: 'route'; readonly hops: readonly SchemaHop[] }
  /** The first version on the way that nobody has defined. */
  | { readonly kind: 'broken'; readonly missing: number };

/** The way from one version to another, one version at a time. */
export function schemaRoute(
  versions: (version: number) => EntrySchema | undefined,
  from: number,
  to: number,
): SchemaRoute {
  const hops: SchemaHop[] = [];
  const direction = from < to ? 1 : -1;
  for (let version = from; version !== to; version += direction) {
    const next = version + direction;
    // A step between two versions belongs to the higher one.
    const ownerVersion = Math.max(version, next);
    const owner = versions(ownerVersion);
    // At once, because a writer may claim any version: the way from there has no end.
    if (owner === undefined) return { kind: 'broken', missing: ownerVersion };
    const { up, down } = owner.migrations;
    const [forth, back] = direction === 1 ? [up, down] : [down, up];
    hops.push({ from: version, to: next, forth, back });
  }
  return { kind: 'route', hops };
}

/**
 * The entry at the end of the route.
 *
 * Nothing is lost on the way: what the steps back alone would not give again is stashed in the
 * metadata, under the version that it belongs to, and comes back when the entry returns there. A
 * field that was changed in between keeps its newer value. Hence going there and back again gives
 * the same entry, and every way between two versions gives the same entry.
 */
export function migrate(document: EntryDocument, hops: readonly SchemaHop[]): EntryDocument {
  return hops.reduce(migrateOnce, document);
}

function migrateOnce(document: EntryDocument, hop: SchemaHop): EntryDocument {
  const { bare, stash } = unstashed(document);
  const stepped = applySteps(bare, hop.forth);
  const arrived = restore(stepped, residuesFor(stash, hop.to));
  const residue = residueBetween(applySteps(arrived, hop.back), bare);
  return stashed(arrived, nextStash(stash, hop, residue));
}

function unstashed(document: EntryDocument): { bare: JsonObject; stash: JsonObject } {
  const { [STASH_FIELD]: stash, ...metadata } = document.metadata;
  const { content, category, categories } = document;
  return {
    bare: { content, category, categories, metadata },
    stash: isJsonObject(stash) ? stash : {},
  };
}

function residuesFor(stash: JsonObject, version: number): readonly Residue[] {
  return parseResidues(propertyOf(stash, String(version))) ?? [];
}

function nextStash(stash: JsonObject, hop: SchemaHop, residue: readonly Residue[]): JsonObject {
  const { [String(hop.to)]: _arrived, [String(hop.from)]: _left, ...others } = stash;
  if (residue.length === 0) return others;
  return { ...others, [String(hop.from)]: residue as unknown as JsonValue };
}

function stashed(bare: JsonObject, stash: JsonObject): EntryDocument {
  const document = bare as unknown as EntryDocument;
  if (Object.keys(stash).length === 0) return document;
  return { ...document, metadata: { ...document.metadata, [STASH_FIELD]: stash } };
}

/** What is wrong with a stash that came with an entry from outside. */
export function stashProblems(metadata: JsonObject): readonly SchemaProblem[] {
  const stash = propertyOf(metadata, STASH_FIELD);
  const path = `/metadata/${STASH_FIELD}`;
  if (stash === undefined) return [];
  if (!isJsonObject(stash)) return [{ path, problem: NO_STASH }];
  return Object.keys(stash)
    .sort()
    .filter((version) => !isStashOf(version, stash))
    .map((version) => ({ path: `${path}/${version}`, problem: NO_STASH }));
}

const NO_STASH =
  'this name belongs to memgrid, and the value is none that a migration leaves behind.';

function isStashOf(version: string, stash: JsonObject): boolean {
  return /^[1-9][0-9]{0,9}$/.test(version) && parseResidues(stash[version]) !== undefined;
}

/** The value that a schema is asked about: without the stash, and without an empty category. */
export function validatedValue(document: EntryDocument): JsonObject {
  const { bare } = unstashed(document);
  const { category, ...others } = bare;
  return category === '' ? others : bare;
}
