import type { JsonObject, JsonValue } from '../entry/entry.ts';
import {
  isJsonObject,
  parsePointer,
  pointerTo,
  propertyOf,
  sameJson,
  valueAt,
  withoutValueAt,
  withValueAt,
  type JsonPath,
} from './json-tree.ts';

/**
 * One place at which the steps back give something else than what was there.
 *
 * `given` is what they give, `kept` is what was there; an absent property is an absent value.
 */
export interface Residue {
  readonly path: string;
  readonly given?: JsonValue;
  readonly kept?: JsonValue;
}

/** What has to be changed in `given` to get `wanted`, in order of path; lists are compared whole. */
export function residueBetween(given: JsonObject, wanted: JsonObject): readonly Residue[] {
  const residues: Residue[] = [];
  collect({ given, wanted, path: [] }, residues);
  return residues;
}

function collect(
  { given, wanted, path }: { given: JsonObject; wanted: JsonObject; path: JsonPath },
  into: Residue[],
): void {
  const names = new Set([...Object.keys(given), ...Object.keys(wanted)]);
  for (const name of [...names].sort()) {
    const a = propertyOf(given, name);
    const b = propertyOf(wanted, name);
    const at = [...path, name];
    if (isJsonObject(a) && isJsonObject(b)) {
      collect({ given: a, wanted: b, path: at }, into);
    } else if (!sameJson(a, b)) {
      into.push({
        path: pointerTo(at),
        ...(a === undefined ? {} : { given: a }),
        ...(b === undefined ? {} : { kept: b }),
      });
    }
  }
}

/**
 * `root` with everything put back that still fits. Where somebody has changed the value since, the
 * newer value stays: that is what `given` is remembered for.
 */
export function restore(root: JsonObject, residues: readonly Residue[]): JsonObject {
  let result = root;
  for (const residue of residues) {
    const path = parsePointer(residue.path);
    if (path === undefined || !isMigrated(path)) continue;
    if (!sameJson(valueAt(result, path), residue.given)) continue;
    result =
      residue.kept === undefined
        ? withoutValueAt(result, path)
        : (withValueAt(result, path, residue.kept) ?? result);
  }
  return result;
}

/** Whether migrations may reach this place; a stash that came from outside may name any. */
function isMigrated(path: JsonPath): boolean {
  return path.length === 1 ? path[0] === 'category' : path[0] === 'metadata';
}

/** Reads one version's part of a stash. Undefined when it is not one that `migrate` has made. */
export function parseResidues(value: JsonValue | undefined): readonly Residue[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const residues: Residue[] = [];
  for (const item of value as readonly JsonValue[]) {
    if (!isJsonObject(item)) return undefined;
    const path = propertyOf(item, 'path');
    const parsed = typeof path === 'string' ? parsePointer(path) : undefined;
    if (parsed === undefined || !isMigrated(parsed)) return undefined;
    // The names are this file's own, so nothing else can hide in a residue.
    if (Object.keys(item).some((name) => !RESIDUE_NAMES.includes(name))) return undefined;
    residues.push(item as unknown as Residue);
  }
  return residues;
}

const RESIDUE_NAMES: readonly string[] = ['path', 'given', 'kept'];
