import type { Liveness } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { updateOf } from '../testing/membership-fixture.ts';
import { mergeVerdict, outranks, relationOf } from './merge-rule.ts';
import type { Known, MergeVerdict, Relation } from './merge-rule.ts';

const SAID = ['alive', 'suspect', 'dead', 'left'] as const;
const RELATIONS = ['olderLife', 'older', 'same', 'newer', 'newerLife'] as const;

/** One letter for each verdict, so that the table can be read as one. */
const LETTERS: Readonly<Record<string, MergeVerdict>> = {
  '-': 'ignore',
  A: 'adopt',
  S: 'adoptAsSuspect',
  C: 'confirm',
  N: 'answer',
  L: 'checkLeave',
  I: 'introduce',
};

/** Each word: the verdicts for olderLife, older, same, newer, newerLife. */
type Table = Record<Known, Record<Liveness, string>>;

const GOSSIP: Table = {
  unknown: { alive: 'IIIII', suspect: 'IIIII', dead: 'IIIII', left: '-----' },
  alive: { alive: '---AA', suspect: '--AAA', dead: '--AAA', left: '-LLLL' },
  suspect: { alive: 'NNNAA', suspect: '--CAA', dead: '--AAA', left: '-LLLL' },
  dead: { alive: 'NNNAA', suspect: '---AA', dead: '---AA', left: '-LLLL' },
  left: { alive: 'NNNNA', suspect: '----A', dead: '----A', left: '----L' },
};

/** The same, but a death is an accusation. */
const TABLE: Table = {
  ...GOSSIP,
  alive: { ...GOSSIP.alive, dead: '--SSS' },
  suspect: { ...GOSSIP.suspect, dead: '--CSS' },
  dead: { ...GOSSIP.dead, dead: '---AS' },
  left: { ...GOSSIP.left, dead: '----S' },
};

const cases = (['gossip', 'table'] as const).flatMap((channel) =>
  (Object.keys(GOSSIP) as Known[]).flatMap((known) =>
    SAID.flatMap((said) =>
      RELATIONS.map((relation, at) => {
        const line = (channel === 'gossip' ? GOSSIP : TABLE)[known][said];
        return { channel, known, said, relation, verdict: LETTERS[line.charAt(at)] };
      }),
    ),
  ),
);

test.each(cases)(
  'M1, M11, M12: $channel: $known held, $relation $said said: $verdict',
  ({ channel, known, said, relation, verdict }) => {
    const update = updateOf({ liveness: said });
    expect(mergeVerdict(known, update, { relation, channel })).toBe(verdict);
  },
);

test.each<{ held: [number, number]; said: [number, number]; relation: Relation }>([
  { held: [2, 5], said: [1, 9], relation: 'olderLife' },
  { held: [1, 9], said: [2, 1], relation: 'newerLife' },
  { held: [1, 5], said: [1, 4], relation: 'older' },
  { held: [1, 5], said: [1, 5], relation: 'same' },
  { held: [1, 5], said: [1, 6], relation: 'newer' },
])('M1, M15: $said against $held is $relation', ({ held, said, relation }) => {
  const of = ([generation, incarnation]: [number, number]) => updateOf({ generation, incarnation });
  expect(relationOf(of(held), of(said))).toBe(relation);
});

const anyUpdate = fc
  .record({
    generation: fc.integer({ min: 1, max: 3 }),
    incarnation: fc.integer({ min: 0, max: 3 }),
    liveness: fc.constantFrom(...SAID),
  })
  .map((shape) => updateOf(shape));

test('M1: updates about one member are totally ordered', () => {
  fc.assert(
    fc.property(anyUpdate, anyUpdate, anyUpdate, (a, b, c) => {
      expect(outranks(a, b) && outranks(b, a)).toBe(false);
      if (outranks(a, b) && outranks(b, c)) expect(outranks(a, c)).toBe(true);
    }),
  );
});

test('M1: what is adopted from gossip always outranks what was held', () => {
  fc.assert(
    fc.property(anyUpdate, anyUpdate, (held, said) => {
      const context = { relation: relationOf(held, said), channel: 'gossip' as const };
      const verdict = mergeVerdict(held.liveness, said, context);
      if (verdict === 'adopt') expect(outranks(said, held)).toBe(true);
      // A goodbye is final whatever its incarnation; everything else that outranks counts.
      if (held.liveness === 'left' || said.liveness === 'left') return;
      expect(verdict === 'adopt').toBe(outranks(said, held));
    }),
  );
});
