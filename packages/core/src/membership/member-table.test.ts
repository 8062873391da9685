import type { NodeId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { at, updateOf } from '../testing/membership-fixture.ts';
import { LEFT_REMEMBERED_MAX, MemberTable } from './member-table.ts';

const LIVENESS = ['alive', 'suspect', 'dead', 'left'] as const;

const change = fc.record({
  of: fc.constantFrom('b', 'c', 'd', 'e', 'f'),
  generation: fc.integer({ min: 1, max: 2 ** 40 }),
  incarnation: fc.integer({ min: 0, max: 2 ** 40 }),
  liveness: fc.constantFrom(...LIVENESS),
});

function tableOf(changes: readonly Parameters<typeof updateOf>[0][]): MemberTable {
  const table = new MemberTable(updateOf({ of: 'a' }), at(0));
  changes.forEach((shape, index) => {
    const update = updateOf(shape);
    const member = table.get(update.nodeId);
    if (member === undefined) table.add(update, at(index));
    else table.change(member, update, at(index));
  });
  return table;
}

test('M10: the digest depends on what is believed, not on how it came about', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const last = new Map(changes.map((shape) => [shape.of, shape]));
      const rebuilt = tableOf([...last.values()].reverse());
      expect(tableOf(changes).digest()).toEqual(rebuilt.digest());
    }),
  );
});

test('M10: tables that differ in one member have different digests', () => {
  fc.assert(
    fc.property(change, change, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      const bothLeft = a.liveness === 'left' && b.liveness === 'left';
      fc.pre(!same && !bothLeft);
      expect(tableOf([a]).digest()).not.toEqual(tableOf([b]).digest());
    }),
  );
});

test('M10: the digest is part of what nodes agree on and never changes by itself', () => {
  expect(
    tableOf([
      { of: 'b', liveness: 'suspect' },
      { of: 'c', liveness: 'dead' },
    ]).digest(),
  ).toMatchInlineSnapshot(`
    {
      "count": 3,
      "hashHigh": 3121594334,
      "hashLow": 1902354375,
    }
  `);
});

test('every member is in exactly the list of its kind', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const table = tableOf(changes);
      const others = table.sorted().filter((member) => member !== table.self);
      const of = (...kinds: string[]) =>
        others.filter((member) => kinds.includes(member.update.liveness));
      expect(new Set(table.active)).toEqual(new Set(of('alive', 'suspect')));
      expect(new Set(table.missing)).toEqual(new Set(of('dead')));
      expect(table.suspectCount).toBe(of('suspect').length);
      table.active.forEach((member, slot) => expect(member.slot).toBe(slot));
    }),
  );
});

test('a sample holds different members, no more than asked for, and only willing ones', () => {
  const table = new MemberTable(updateOf({ of: 'a' }), at(0));
  for (let index = 0; index < 300; index += 1) {
    const update = {
      ...updateOf(),
      nodeId: index.toString(16).padStart(32, '0') as NodeId,
    };
    table.add(update, at(0));
  }
  const random = Random.of(7);
  for (const count of [0, 1, 3, 100, 300]) {
    const sample = table.sample(random, count, (member) => member.slot % 2 === 0);
    expect(new Set(sample).size).toBe(sample.length);
    expect(sample.length).toBeLessThanOrEqual(count);
    expect(sample.every((member) => member.slot % 2 === 0)).toBe(true);
  }
  expect(table.sample(random, 3)).toHaveLength(3);
});

test('M20: the oldest goodbyes are forgotten', () => {
  const table = new MemberTable(updateOf({ of: 'a' }), at(0));
  const idAt = (index: number) => index.toString(16).padStart(32, '0') as NodeId;
  for (let index = 0; index <= LEFT_REMEMBERED_MAX; index += 1) {
    table.add({ ...updateOf({ liveness: 'left' }), nodeId: idAt(index) }, at(index));
  }
  expect(table.size).toBe(LEFT_REMEMBERED_MAX + 1);
  expect(table.get(idAt(0))).toBeUndefined();
  expect(table.get(idAt(1))).toBeDefined();
});
