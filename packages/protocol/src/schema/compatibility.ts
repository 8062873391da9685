import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { isJsonObject, pointerTo, propertyOf, sameJson, type JsonPath } from './json-tree.ts';
import type { MigrationStep } from './migration-step.ts';
import type { EntrySchema } from './schema.ts';
import { schemaFingerprint } from './schema-fingerprint.ts';

export type Compatibility =
  /** Defined before, in exactly this form: nothing to do. */
  | { readonly kind: 'same' }
  | { readonly kind: 'follows' }
  /** One sentence for each reason, with the versions in it. */
  | { readonly kind: 'conflict'; readonly reasons: readonly string[] };

/**
 * Whether `after` may be defined when `before` is the newest version of its name (undefined: there
 * is none).
 *
 * What can be known from the two bodies and the steps between them is refused here: a field that
 * becomes required and that no step fills, a field that is no longer allowed and that no step
 * removes, a type or an enumeration that changes under a field that no step touches. It is asked in
 * both directions, because readers of the older version go on living. Narrower numbers, lengths and
 * patterns cannot be decided without the entries: an entry that does not fit is refused when it is
 * next written.
 */
export function compatibility(before: EntrySchema | undefined, after: EntrySchema): Compatibility {
  if (before === undefined) {
    if (after.version === 1) return { kind: 'follows' };
    return conflict([`${nameOf(after)} may not be the first version of its name.`]);
  }
  if (before.name !== after.name) {
    return conflict([`${nameOf(after)} may not follow ${nameOf(before)}: the names differ.`]);
  }
  if (before.version === after.version && schemaFingerprint(before) === schemaFingerprint(after)) {
    return { kind: 'same' };
  }
  if (after.version <= before.version) {
    return conflict([
      `${nameOf(after)} may not follow ${nameOf(before)}: a version never changes once it is defined.`,
    ]);
  }
  if (after.version > before.version + 1) {
    return conflict([
      `${nameOf(after)} may not follow ${nameOf(before)}: version ${before.version + 1} is missing.`,
    ]);
  }
  const { up, down } = after.migrations;
  const reasons = [
    ...lossesBetween({ from: before, to: after, steps: up }),
    ...lossesBetween({ from: after, to: before, steps: down }),
  ];
  return reasons.length === 0 ? { kind: 'follows' } : conflict(reasons);
}

function conflict(reasons: readonly string[]): Compatibility {
  return { kind: 'conflict', reasons };
}

function nameOf(schema: EntrySchema): string {
  return `${schema.name} version ${schema.version}`;
}

interface Direction {
  readonly from: EntrySchema;
  readonly to: EntrySchema;
  readonly steps: readonly MigrationStep[];
}

/** One field that a body speaks of, `properties` inside `properties` included. */
interface BodyField {
  readonly schema: JsonObject;
  readonly required: boolean;
}

function lossesBetween({ from, to, steps }: Direction): readonly string[] {
  const way = `from ${nameOf(from)} to version ${to.version}`;
  const old = fieldsOf(from.body);
  const present = fieldsOf(to.body);
  const touched = steps.flatMap(placesOf);
  const isTouched = (pointer: string): boolean => touched.some((it) => overlap(it, pointer));
  const reasons: string[] = [];
  for (const [pointer, field] of present) {
    const was = old.get(pointer);
    if (isTouched(pointer)) continue;
    // Inside a field that is new itself, the outer one is what has to be given a value.
    const parent = parentOf(pointer);
    const reachable = parent === '' || old.has(parent);
    if (field.required && reachable && was?.required !== true) {
      reasons.push(`${pointer} becomes required ${way}, and no step gives it a value.`);
    }
    if (was === undefined) continue;
    const change = changeOf(was.schema, field.schema);
    if (change !== undefined)
      reasons.push(`${pointer} changes its ${change} ${way}, and no step changes it.`);
  }
  for (const pointer of old.keys()) {
    if (present.has(pointer) || isTouched(pointer)) continue;
    if (parentIsClosed(present, to.body, pointer)) {
      reasons.push(`${pointer} is no longer allowed ${way}, and no step takes it away.`);
    }
  }
  return reasons;
}

function fieldsOf(body: JsonObject): ReadonlyMap<string, BodyField> {
  const fields = new Map<string, BodyField>();
  const walk = (schema: JsonObject, path: JsonPath): void => {
    const properties = propertyOf(schema, 'properties');
    const required = propertyOf(schema, 'required');
    const names = Array.isArray(required) ? (required as readonly JsonValue[]) : [];
    const known = isJsonObject(properties) ? properties : {};
    for (const name of names) {
      if (typeof name !== 'string' || Object.hasOwn(known, name)) continue;
      fields.set(pointerTo([...path, name]), { schema: {}, required: true });
    }
    for (const name of Object.keys(known).sort()) {
      const child = known[name];
      if (!isJsonObject(child)) continue;
      const at = [...path, name];
      fields.set(pointerTo(at), { schema: child, required: names.includes(name) });
      walk(child, at);
    }
  };
  walk(body, []);
  return fields;
}

/** Where a step writes or takes away. */
function placesOf(step: MigrationStep): readonly string[] {
  return step.kind === 'move' ? [step.from, step.to] : [step.path];
}

function overlap(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}

function changeOf(was: JsonObject, is: JsonObject): string | undefined {
  if (!acceptsTypes(propertyOf(is, 'type'), propertyOf(was, 'type'))) return 'type';
  const [oldValues, newValues] = [propertyOf(was, 'enum'), propertyOf(is, 'enum')];
  if (!Array.isArray(newValues)) return undefined;
  if (!Array.isArray(oldValues)) return 'enumeration';
  const accepted = (oldValues as readonly JsonValue[]).every((value) =>
    (newValues as readonly JsonValue[]).some((other) => sameJson(value, other)),
  );
  return accepted ? undefined : 'enumeration';
}

function acceptsTypes(is: JsonValue | undefined, was: JsonValue | undefined): boolean {
  if (is === undefined) return true;
  if (was === undefined) return false;
  const accepted = listOf(is);
  return listOf(was).every(
    (type) => accepted.includes(type) || (type === 'integer' && accepted.includes('number')),
  );
}

function listOf(type: JsonValue): readonly JsonValue[] {
  return Array.isArray(type) ? (type as readonly JsonValue[]) : [type];
}

function parentIsClosed(
  fields: ReadonlyMap<string, BodyField>,
  body: JsonObject,
  pointer: string,
): boolean {
  const parent = parentOf(pointer);
  const schema = parent === '' ? body : fields.get(parent)?.schema;
  return schema !== undefined && propertyOf(schema, 'additionalProperties') === false;
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
