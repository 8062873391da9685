import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardId } from '../ids.ts';
import { decodeCursor, encodeCursor } from './list-cursor.ts';
import {
  OPAQUE_KINDS,
  type OpaqueKind,
  opaqueRoom,
  readOpaque,
  writeOpaque,
} from './opaque-text.ts';

const scope = { namespace: 'acme', userId: 'ada', agentId: '', appId: '', runId: '' };
const place = { shard: shardId(17, 1024), after: 'note-4' };
const KINDS = Object.keys(OPAQUE_KINDS) as OpaqueKind[];

test('D8: a cursor is read as it was written, and only for its own list', () => {
  const text = encodeCursor(scope, place);
  expect(decodeCursor(scope, text)).toEqual({ kind: 'place', place });
  for (const other of [
    { ...scope, namespace: 'acm' },
    { ...scope, userId: '', agentId: 'ada' },
    { ...scope, runId: 'r' },
  ]) {
    expect(decodeCursor(other, text)).toEqual({
      kind: 'invalid',
      problem: 'it belongs to a list of another scope.',
    });
  }
});

test('D8: opaque text is read as it was written, in letters that survive everywhere', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), fc.uint8Array({ maxLength: 300 }), (kind, bytes) => {
      const text = writeOpaque(kind, bytes);
      expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(opaqueRoom(text.length)).toBe(bytes.length);
      const read = readOpaque(kind, text);
      expect(read.kind === 'bytes' && [...read.bytes]).toEqual([...bytes]);
      for (const other of KINDS) {
        if (other !== kind) expect(readOpaque(other, text).kind).toBe('invalid');
      }
    }),
  );
});

test('D8: a text that was cut, or changed in one letter, is refused', () => {
  const text = encodeCursor(scope, place);
  for (let at = 0; at < text.length; at++) {
    expect(decodeCursor(scope, text.slice(0, at)).kind).toBe('invalid');
    const letter = text[at] === 'A' ? 'B' : 'A';
    const changed = text.slice(0, at) + letter + text.slice(at + 1);
    expect(decodeCursor(scope, changed)).toMatchObject({
      kind: 'invalid',
      problem: expect.stringMatching(/^it .*\.$/),
    });
  }
});

test('D8: any text is a cursor or a described problem', () => {
  const forged = fc.uint8Array({ maxLength: 40 }).map((bytes) => writeOpaque('cursor', bytes));
  fc.assert(
    fc.property(fc.oneof(fc.string(), forged), (text) => {
      const read = decodeCursor(scope, text);
      if (read.kind === 'invalid') expect(read.problem).toMatch(/\.$/);
      else expect(encodeCursor(scope, read.place)).toBe(text);
    }),
  );
});
