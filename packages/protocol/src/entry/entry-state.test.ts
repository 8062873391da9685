import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinSets, NEVER_WRITTEN, writeSet } from '../causality/dotted-version-set.ts';
import { EMPTY_VECTOR } from '../causality/version-vector.ts';
import { actorId, nodeId } from '../ids.ts';
import type { WireValue } from '../wire/msgpack.ts';
import type { EntryState, StoredWrite } from './entry.ts';
import { entryStateField } from './entry-fields.ts';
import { isVisible, winnerOf } from './entry-state.ts';
import { formatVersion, parseVersion } from './version-text.ts';

const A = actorId(nodeId('0a000000000000000000000000000001'), 3);
const B = actorId(nodeId('0b000000000000000000000000000002'), 0);

function write(overrides: Partial<StoredWrite> = {}): StoredWrite {
  return {
    kind: 'put',
    timestamp: { ms: 100, counter: 0 },
    expiresAt: 0,
    autonomous: false,
    entry: Uint8Array.of(1),
    ...overrides,
  };
}

function stateOf(...writes: readonly (readonly [typeof A, number, StoredWrite])[]): EntryState {
  let state: EntryState = NEVER_WRITTEN;
  for (const [actor, counter, value] of writes) {
    state = joinSets(
      state,
      writeSet(NEVER_WRITTEN, { dot: { actor, counter }, value }, EMPTY_VECTOR),
    );
  }
  return state;
}

test('D7: the newest write wins, by the clock, its counter, and the actor where both agree', () => {
  const at = (ms: number, counter: number): StoredWrite => write({ timestamp: { ms, counter } });
  expect(winnerOf(stateOf([A, 1, at(101, 0)], [B, 1, at(100, 9)]))?.dot.actor).toBe(A);
  expect(winnerOf(stateOf([A, 1, at(100, 1)], [B, 1, at(100, 0)]))?.dot.actor).toBe(A);
  expect(winnerOf(stateOf([A, 1, at(100, 0)], [B, 1, at(100, 0)]))?.dot.actor).toBe(B);
  expect(winnerOf(NEVER_WRITTEN)).toBeUndefined();
});

test('D7: the order in which writes arrived changes nothing', () => {
  const values = fc.array(
    fc.tuple(fc.constantFrom(A, B), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(values, (list) => {
      // A dot names one write, so what it wrote follows from it.
      const writes = list.map(([actor, counter]) => {
        const ms = (counter * 7) % 3;
        return [actor, counter, write({ timestamp: { ms, counter: 0 } })] as const;
      });
      const forth = winnerOf(stateOf(...writes));
      expect(winnerOf(stateOf(...writes.toReversed()))).toEqual(forth);
    }),
  );
});

test.each([
  { name: 'a put', state: stateOf([A, 1, write()]), visible: true },
  { name: 'nothing', state: NEVER_WRITTEN, visible: false },
  { name: 'a delete', state: stateOf([A, 1, write({ kind: 'delete' })]), visible: false },
  { name: 'expiry later', state: stateOf([A, 1, write({ expiresAt: 1_001 })]), visible: true },
  { name: 'expiry now', state: stateOf([A, 1, write({ expiresAt: 1_000 })]), visible: false },
  {
    name: 'a delete beside an older put',
    state: stateOf(
      [A, 1, write()],
      [B, 1, write({ kind: 'delete', timestamp: { ms: 101, counter: 0 } })],
    ),
    visible: false,
  },
  {
    name: 'an expired one beside an older one that lasts',
    state: stateOf(
      [A, 1, write()],
      [B, 1, write({ expiresAt: 900, timestamp: { ms: 101, counter: 0 } })],
    ),
    visible: false,
  },
])('D7: $name is visible: $visible', ({ state, visible }) => {
  expect(isVisible(state, 1_000)).toBe(visible);
});

test('W3: a state keeps what a newer version added to a write, also through a join', () => {
  const raw = entryStateField.toWire(stateOf([A, 1, write()])) as WireValue[];
  const [[sibling]] = raw as [[WireValue[]]];
  (sibling[1] as WireValue[]).push('of a newer version');
  const read = entryStateField.fromWire(raw);
  const joined = joinSets(read, NEVER_WRITTEN);
  expect(entryStateField.toWire(joined)).toEqual(raw);
});

const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const uint53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('D8: a version is read as it was written, and versions sort by time', () => {
  const version = fc
    .tuple(
      hex,
      uint53,
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.integer({ min: 0, max: 0xffff }),
    )
    .map(([node, epoch, counter, ms, tick]) => ({
      dot: { actor: actorId(nodeId(node), epoch), counter },
      timestamp: { ms, counter: tick },
    }));
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(parseVersion(formatVersion(a))).toEqual(a);
      if (a.timestamp.ms < b.timestamp.ms) {
        expect(formatVersion(a) < formatVersion(b)).toBe(true);
      }
    }),
  );
});

test('D8: a text that is no version is none, and the text of one is unique', () => {
  const text = formatVersion({
    dot: { actor: A, counter: 70_001 },
    timestamp: { ms: 1_790_000_000_123, counter: 5 },
  });
  expect(text).toBe('01a0c4506c7b0005-0a000000000000000000000000000001.3-70001');
  for (let length = 0; length < text.length - 4; length++) {
    expect(parseVersion(text.slice(0, length))).toBeUndefined();
  }
  const changed = [
    `${text} `,
    text.toUpperCase(),
    text.replace('-70001', '-0'),
    `${text}999999999999`,
  ];
  for (const other of changed) expect(parseVersion(other)).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (other) => {
      const version = parseVersion(other);
      if (version !== undefined) expect(formatVersion(version)).toBe(other);
    }),
  );
});
