import { decodeValue, encodeValue, type JsonObject, type MigrationStep } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { registryImageField } from './registry-image.ts';
import { EMPTY_REGISTRY, SchemaRegistry } from './schema-registry.ts';

function definitionOf(
  version: number,
  name = 'note',
  up: readonly MigrationStep[] = [],
): JsonObject {
  const migrations = { up, down: [] } as unknown as JsonObject;
  return { name, version, body: { type: 'object' }, mergePolicies: {}, migrations };
}

function registryOf(...definitions: readonly JsonObject[]): SchemaRegistry {
  const registry = new SchemaRegistry();
  for (const definition of definitions) registry.define(definition);
  return registry;
}

test('the built-in schema is there, committed, and followed by every namespace', () => {
  const registry = registryOf();
  expect(registry.names()).toEqual(['memory']);
  expect(registry.committed('memory')).toBe(1);
  expect(registry.schemaOf('default')).toBe('memory');
  expect(registry.image()).toEqual(EMPTY_REGISTRY);
});

test('Z4: a version is defined once; the same again changes nothing, another one is refused', () => {
  const registry = registryOf(definitionOf(1));
  const image = registry.image();
  expect(registry.problemWithDefining(definitionOf(1))).toBeUndefined();
  registry.define(definitionOf(1));
  expect(registry.image()).toEqual(image);
  const other = { ...definitionOf(1), body: { type: 'object', title: 'Another' } };
  expect(registry.problemWithDefining(other)).toBe(
    'note version 1 may not follow note version 1: a version never changes once it is defined.',
  );
  expect(registry.problemWithDefining(definitionOf(3))).toBe(
    'note version 3 may not follow note version 1: version 2 is missing.',
  );
});

test('Z4: a later version of the built-in schema may follow it, an older definition may not', () => {
  const registry = registryOf();
  expect(registry.problemWithDefining(definitionOf(1, 'memory'))).toContain('never changes');
  expect(registry.problemWithDefining(definitionOf(3, 'memory'))).toContain('version 2 is missing');
});

test('only a defined version is committed, and an older one again', () => {
  const registry = registryOf(definitionOf(1), definitionOf(2));
  expect(registry.committed('note')).toBe(1);
  expect(registry.problemWithCommitting('note', 3)).toBe(
    'note version 3 is not defined; there are versions 1 to 2.',
  );
  expect(registry.problemWithCommitting('nothing', 1)).toBe('No schema "nothing" is defined.');
  registry.commit('note', 2);
  registry.commit('note', 1);
  expect(registry.committed('note')).toBe(1);
});

test('a namespace follows one schema for good', () => {
  const registry = registryOf(definitionOf(1), definitionOf(1, 'other'));
  expect(registry.problemWithBinding('notes', 'nothing')).toBe('No schema "nothing" is defined.');
  expect(registry.problemWithBinding('notes', 'note')).toBeUndefined();
  registry.bind('notes', 'note');
  expect(registry.schemaOf('notes')).toBe('note');
  expect(registry.problemWithBinding('notes', 'note')).toBeUndefined();
  expect(registry.problemWithBinding('notes', 'other')).toBe(
    'Namespace "notes" follows the schema "note" already.',
  );
});

test('there are at most 64 names and 64 versions of each', () => {
  const names = Array.from({ length: 63 }, (_, at) => definitionOf(1, `name-${at}`));
  expect(registryOf(...names).problemWithDefining(definitionOf(1))).toBe(
    '64 schemas are defined; at most 64 may be.',
  );
  const versions = Array.from({ length: 64 }, (_, at) => definitionOf(at + 1));
  expect(registryOf(...versions).problemWithDefining(definitionOf(65))).toBe(
    'note has 64 versions; at most 64 may be.',
  );
});

test('Z8: equal registries have equal images, which survive a snapshot', () => {
  const [a, b] = [definitionOf(1, 'a'), definitionOf(1, 'b')];
  const [first, second] = [registryOf(a, b), registryOf(b, a)];
  for (const registry of [first, second]) registry.commit('b', 1);
  first.bind('x', 'a');
  first.bind('y', 'b');
  second.bind('y', 'b');
  second.bind('x', 'a');
  expect(second.image()).toEqual(first.image());
  const bytes = encodeValue(registryImageField, first.image());
  const restored = new SchemaRegistry(decodeValue(registryImageField, bytes, 'schemas'));
  expect(restored.image()).toEqual(first.image());
  expect(encodeValue(registryImageField, restored.image())).toEqual(bytes);
});

test.each([
  { what: 'no schema', definitions: [{ name: 'note' }] },
  { what: 'a schema of another name', definitions: [definitionOf(1, 'other')] },
  { what: 'a hole', definitions: [definitionOf(2)] },
  { what: 'no version that could be committed', definitions: [] },
])('a snapshot with $what is refused', ({ definitions }) => {
  const image = { schemas: [{ name: 'note', committed: 1, definitions }], namespaces: [] };
  expect(() => encodeValue(registryImageField, image)).toThrow();
});
