import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryChecksum,
  entryPatchField,
  STASH_FIELD,
  validateEntry,
  type EntryBody,
  type JsonObject,
  type SchemaProblem,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { SchemaEntryRules, type RuledEntry } from './schema-entry-rules.ts';
import { SchemaRegistry } from './schema-registry.ts';

const NOW = 1_700_000_000_000;

/** Understands `required` of metadata and one enumeration: enough to see whether it was asked. */
function compile(body: JsonObject): (value: JsonObject) => readonly SchemaProblem[] {
  if (body['title'] === 'broken') throw new RangeError('No such pattern.');
  const required = (body['required'] ?? []) as readonly string[];
  return (value) => {
    const metadata = value['metadata'] as JsonObject;
    return required
      .filter((name) => name.startsWith('$') === false && metadata[name] === undefined)
      .filter((name) => !['content', 'categories', 'metadata'].includes(name))
      .map((name) => ({ path: `/metadata/${name}`, problem: 'must be there.' }));
  };
}

const NOTE_1 = { name: 'note', version: 1, body: { type: 'object', title: 'One' } };
const NOTE_2 = {
  name: 'note',
  version: 2,
  body: { type: 'object', required: ['mood'] },
  migrations: {
    up: [{ kind: 'move', from: '/metadata/feeling', to: '/metadata/mood' }],
    down: [{ kind: 'move', from: '/metadata/mood', to: '/metadata/feeling' }],
  },
};

function rulesOf(committed = 2): { rules: SchemaEntryRules; registry: SchemaRegistry } {
  const registry = new SchemaRegistry();
  registry.define(NOTE_1);
  registry.define(NOTE_2);
  registry.commit('note', committed);
  registry.bind('notes', 'note');
  return { rules: new SchemaEntryRules({ registry: () => registry, compile }), registry };
}

function entryOf(metadata: JsonObject, schema?: { name: string; version: number }): Uint8Array {
  const given = { userId: 'ada', content: 'prefers tabs', metadata, ...(schema && { schema }) };
  const entry = validateEntry(given, { namespace: 'notes', nowMs: NOW, categories: 'any' });
  if (entry.kind === 'invalid') throw new Error('The entry of this test is none.');
  return entry.bytes;
}

type Admitted = ReturnType<SchemaEntryRules['admitted']>;

function bodyOf(ruled: RuledEntry | Admitted): EntryBody {
  if (ruled.kind === 'failed') throw new Error(ruled.failure.message);
  return 'body' in ruled ? ruled.body : decodeValue(entryBodyField, ruled.entry);
}

function failureOf(ruled: RuledEntry | Admitted): string {
  return ruled.kind === 'failed' ? `${ruled.failure.code}: ${ruled.failure.message}` : 'none';
}

test('Z5: an entry that names no version is one of the committed version', () => {
  const { rules } = rulesOf();
  const body = bodyOf(rules.admitted('notes', entryOf({ mood: 'calm' })));
  expect(body).toMatchObject({ schema: 'note', schemaVersion: 2, metadata: { mood: 'calm' } });
});

test('Z5: what an older writer sends is stored in the committed version', () => {
  const { rules } = rulesOf();
  const old = entryOf({ feeling: 'calm', other: 1 }, { name: 'note', version: 1 });
  const body = bodyOf(rules.admitted('notes', old));
  expect(body).toMatchObject({ schemaVersion: 2, metadata: { mood: 'calm', other: 1 } });
  expect(body.checksum).toBe(entryChecksum(body));
  expect(bodyOf(rules.readAs(body, 1))).toMatchObject({
    schemaVersion: 1,
    metadata: { feeling: 'calm', other: 1 },
  });
});

test('Z5: what a newer writer sends is stored in the committed version until that is raised', () => {
  const { rules, registry } = rulesOf(1);
  const written = entryOf({ mood: 'calm' }, { name: 'note', version: 2 });
  expect(bodyOf(rules.admitted('notes', written)).metadata).toEqual({ feeling: 'calm' });
  registry.commit('note', 2);
  expect(bodyOf(rules.admitted('notes', written)).metadata).toEqual({ mood: 'calm' });
});

test('Z6: an entry that its schema refuses is not stored, and every problem is told', () => {
  const { rules } = rulesOf();
  expect(failureOf(rules.admitted('notes', entryOf({})))).toContain(
    '/metadata/mood: must be there.',
  );
});

test('Z6: an entry of another schema than the namespace follows is refused', () => {
  const { rules } = rulesOf();
  const memory = entryOf({}, { name: 'memory', version: 1 });
  expect(failureOf(rules.admitted('notes', memory))).toContain(
    'namespace "notes" follows the schema note, not memory.',
  );
});

test('Z6: a stash that no migration has made is refused', () => {
  const { rules } = rulesOf();
  const forged = entryOf({ mood: 'calm', [STASH_FIELD]: 'mine' });
  expect(failureOf(rules.admitted('notes', forged))).toContain('/metadata/$stash');
});

test('Z6: a schema that cannot be compiled lets nothing through', () => {
  const { rules, registry } = rulesOf();
  registry.define({ name: 'bad', version: 1, body: { title: 'broken' } });
  registry.bind('bad', 'bad');
  expect(failureOf(rules.admitted('bad', entryOf({})))).toContain('No such pattern.');
});

test('Z6: bytes that are no entry are a problem and no exception', () => {
  const { rules } = rulesOf();
  expect(failureOf(rules.admitted('notes', new Uint8Array([0xc1])))).toContain('INVALID_ENTRY');
});

test.each([
  {
    from: 7,
    to: 2,
    expected:
      'SCHEMA_UNKNOWN: There is no way from note version 7 to version 2: version 7 is not defined; there are versions 1 to 2.',
  },
  {
    from: 1,
    to: 4,
    expected:
      'SCHEMA_UNKNOWN: There is no way from note version 1 to version 4: version 3 is not defined; there are versions 1 to 2.',
  },
])(
  'Z7: between $from and $to the error names both and what is missing',
  ({ from, to, expected }) => {
    const { rules } = rulesOf();
    const body = decodeValue(
      entryBodyField,
      entryOf({ mood: 'calm' }, { name: 'note', version: from }),
      'entry',
    );
    expect(failureOf(rules.readAs(body, to))).toBe(expected);
  },
);

test('Z7: a way of a billion versions is refused without walking it', () => {
  const { rules } = rulesOf();
  const far = entryOf({}, { name: 'note', version: 1_000_000_000 });
  expect(failureOf(rules.admitted('notes', far))).toContain('no way from note version 1000000000');
});

const patchOf = (patch: JsonObject): Uint8Array => encodeValue(entryPatchField, patch);

test('Z5: a patch is laid over the committed version of an older entry', () => {
  const { rules } = rulesOf();
  const old = entryOf({ feeling: 'calm' }, { name: 'note', version: 1 });
  const patched = rules.patched(old, patchOf({ metadata: { extra: true } }), NOW + 5);
  if (patched.kind !== 'entry') throw new Error(patched.problems.join());
  expect(decodeValue(entryBodyField, patched.entry, 'entry')).toMatchObject({
    schemaVersion: 2,
    metadata: { mood: 'calm', extra: true },
    updatedAt: NOW + 5,
  });
});

test('Z6: a patch whose result the schema refuses changes nothing', () => {
  const { rules } = rulesOf();
  const entry = entryOf({ mood: 'calm' }, { name: 'note', version: 2 });
  expect(rules.patched(entry, patchOf({ metadata: { mood: null } }), NOW)).toEqual({
    kind: 'problems',
    problems: ['/metadata/mood: must be there.'],
  });
  expect(rules.patched(entry, patchOf({ metadata: { [STASH_FIELD]: 1 } }), NOW)).toMatchObject({
    kind: 'problems',
  });
});

test("Z5: an older writer's patch speaks of its own version", () => {
  const { rules } = rulesOf();
  const entry = entryOf({ mood: 'calm' }, { name: 'note', version: 2 });
  const patched = rules.patched(entry, patchOf({ metadata: { feeling: 'angry' } }), NOW, 1);
  if (patched.kind !== 'entry') throw new Error(patched.problems.join());
  expect(decodeValue(entryBodyField, patched.entry, 'entry')).toMatchObject({
    schemaVersion: 2,
    metadata: { mood: 'angry' },
  });
});

function shownMetadata(rules: SchemaEntryRules, entry: Uint8Array, version?: number): unknown {
  const shown = rules.shown(entry, version);
  if (shown.kind === 'failed') return `${shown.failure.code}: ${shown.failure.message}`;
  return decodeValue(entryBodyField, shown.entry, 'entry').metadata;
}

test('Z2: readers of both versions are shown one entry, however it is stored', () => {
  const { rules } = rulesOf();
  const old = entryOf({ feeling: 'calm' }, { name: 'note', version: 1 });
  const present = entryOf({ mood: 'calm' }, { name: 'note', version: 2 });
  for (const stored of [old, present]) {
    expect(shownMetadata(rules, stored)).toEqual({ mood: 'calm' });
    expect(shownMetadata(rules, stored, 2)).toEqual({ mood: 'calm' });
    expect(shownMetadata(rules, stored, 1)).toEqual({ feeling: 'calm' });
  }
  expect(rules.shown(present, 2)).toEqual({ kind: 'entry', entry: present });
});

test('Z7: a reader of an unknown version is told which one is missing', () => {
  const { rules } = rulesOf();
  const entry = entryOf({ mood: 'calm' }, { name: 'note', version: 2 });
  expect(shownMetadata(rules, entry, 3)).toBe(
    'SCHEMA_UNKNOWN: There is no way from note version 2 to version 3: version 3 is not defined; there are versions 1 to 2.',
  );
});

test('where nobody has defined anything, nothing is looked at', () => {
  const registry = new SchemaRegistry();
  const rules = new SchemaEntryRules({ registry: () => registry, compile });
  const junk = new Uint8Array([0xc1]);
  const shown = rules.shown(junk, undefined);
  expect(shown.kind === 'entry' && shown.entry).toBe(junk);
});

test('Z6: an entry that arrives with another checksum than its own is refused', () => {
  const { rules } = rulesOf();
  const body = decodeValue(entryBodyField, entryOf({ mood: 'good' }), 'entry');
  const changed = encodeValue(entryBodyField, { ...body, content: 'prefers spaces' });
  const ruled = rules.admitted('notes', changed);
  expect(ruled.kind === 'failed' && ruled.failure.message).toMatch(/checksum: .* is not that of/);
});
