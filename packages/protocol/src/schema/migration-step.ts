import type { JsonObject, JsonValue } from '../entry/entry.ts';
import {
  isJsonObject,
  parsePointer,
  valueAt,
  withoutValueAt,
  withValueAt,
  type JsonPath,
} from './json-tree.ts';

/**
 * One change of an entry, as data: every node does the same with it, in every version of memgrid.
 * Paths are JSON pointers into an `EntryDocument`, below `/metadata`; `map` also takes `/category`.
 *
 * A step that does not find what it needs changes nothing, so any entry can be migrated; whether
 * the result is valid is asked afterwards.
 */
export type MigrationStep =
  /** Also a rename. What stands at `to` is replaced; nothing happens when `from` is absent. */
  | { readonly kind: 'move'; readonly from: string; readonly to: string }
  /** Sets a value where there is none. */
  | { readonly kind: 'default'; readonly path: string; readonly value: JsonValue }
  | { readonly kind: 'remove'; readonly path: string }
  /** `v` becomes `{name: v}`. */
  | { readonly kind: 'wrap'; readonly path: string; readonly name: string }
  /** `{name: v, …}` becomes `v`. */
  | { readonly kind: 'unwrap'; readonly path: string; readonly name: string }
  /** `v` becomes `[v]`. */
  | { readonly kind: 'list'; readonly path: string }
  /** `[v, …]` becomes `v`; an empty list becomes absent. */
  | { readonly kind: 'first'; readonly path: string }
  /** Replaces texts of an enumeration; texts that are not named stay. */
  | {
      readonly kind: 'map';
      readonly path: string;
      readonly values: readonly { readonly from: string; readonly to: string }[];
    };

/** The steps in order. */
export function applySteps(root: JsonObject, steps: readonly MigrationStep[]): JsonObject {
  return steps.reduce(applyStep, root);
}

function applyStep(root: JsonObject, step: MigrationStep): JsonObject {
  switch (step.kind) {
    case 'move': {
      const from = pathOf(step.from);
      const value = valueAt(root, from);
      if (value === undefined) return root;
      return withValueAt(withoutValueAt(root, from), pathOf(step.to), value) ?? root;
    }
    case 'default': {
      const path = pathOf(step.path);
      if (valueAt(root, path) !== undefined) return root;
      return withValueAt(root, path, step.value) ?? root;
    }
    case 'remove':
      return withoutValueAt(root, pathOf(step.path));
    case 'wrap':
      return changeAt(root, pathOf(step.path), (value) => ({ [step.name]: value }));
    case 'unwrap':
      return changeAt(root, pathOf(step.path), (value) =>
        isJsonObject(value) ? (valueAt(value, [step.name]) ?? value) : value,
      );
    case 'list':
      return changeAt(root, pathOf(step.path), (value) => [value]);
    case 'first':
      return firstAt(root, pathOf(step.path));
    case 'map':
      return changeAt(
        root,
        pathOf(step.path),
        (value) => step.values.find(({ from }) => from === value)?.to ?? value,
      );
  }
}

/** The path was parsed once when the schema was; a step that was not parsed touches nothing. */
function pathOf(pointer: string): JsonPath {
  return parsePointer(pointer) ?? [];
}

function changeAt(
  root: JsonObject,
  path: JsonPath,
  change: (value: JsonValue) => JsonValue,
): JsonObject {
  const value = valueAt(root, path);
  if (value === undefined) return root;
  return withValueAt(root, path, change(value)) ?? root;
}

function firstAt(root: JsonObject, path: JsonPath): JsonObject {
  const value = valueAt(root, path);
  if (!Array.isArray(value)) return root;
  const [first] = value as readonly JsonValue[];
  if (first === undefined) return withoutValueAt(root, path);
  return withValueAt(root, path, first) ?? root;
}
