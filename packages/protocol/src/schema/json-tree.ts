import type { JsonObject, JsonValue } from '../entry/entry.ts';

/** Names from the root to a place in a JSON value. */
export type JsonPath = readonly string[];

/** RFC 6901: `/metadata/a~1b` is the names `metadata` and `a/b`. Undefined when it is no pointer. */
export function parsePointer(pointer: string): JsonPath | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  const names = pointer.slice(1).split('/');
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointerTo(path: JsonPath): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own properties only: `constructor` is absent from `{}`. */
export function propertyOf(value: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function valueAt(root: JsonValue, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = propertyOf(value, name);
  }
  return value;
}

/**
 * `root` with `value` at `path`, objects on the way made where they are missing; undefined when
 * something that is no object stands in the way.
 */
export function withValueAt(
  root: JsonObject,
  path: JsonPath,
  value: JsonValue,
): JsonObject | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return isJsonObject(value) ? value : undefined;
  if (rest.length === 0) return { ...root, [name]: value };
  const child = propertyOf(root, name) ?? {};
  if (!isJsonObject(child)) return undefined;
  const changed = withValueAt(child, rest, value);
  return changed === undefined ? undefined : { ...root, [name]: changed };
}

/** `root` without what is at `path`; the objects on the way stay, empty or not. */
export function withoutValueAt(root: JsonObject, path: JsonPath): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(root, name)) return root;
  if (rest.length === 0) {
    const { [name]: _removed, ...others } = root;
    return others;
  }
  const child = root[name];
  return isJsonObject(child) ? { ...root, [name]: withoutValueAt(child, rest) } : root;
}

/** Equal as JSON: the order of properties does not count, and minus zero is zero. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((value, at) => sameJson(value as JsonValue, b[at] as JsonValue));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]));
}
