import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeValue, encodeValue } from '../codec.ts';
import { actorId, nodeId } from '../ids.ts';
import { text } from '../wire/field.ts';
import { WireError } from '../wire/wire-error.ts';
import {
  type DottedVersionSet,
  dottedVersionSetField,
  joinSets,
  NEVER_WRITTEN,
  type Sibling,
  writeSet,
  writeSetBlind,
} from './dotted-version-set.ts';
import { covers, EMPTY_VECTOR, type VersionVector } from './version-vector.ts';

type Entry = DottedVersionSet<string>;

const ACTORS = [1, 2, 3].map((epoch) => actorId(nodeId('f'.repeat(32)), epoch));
const [A, B] = ACTORS as [(typeof ACTORS)[number], (typeof ACTORS)[number]];
const field = dottedVersionSetField(text(64));

function sibling(actor: typeof A, counter: number): Sibling<string> {
  return { dot: { actor, counter }, value: `${ACTORS.indexOf(actor)}:${counter}` };
}

function valuesOf(set: Entry): readonly string[] {
  return set.siblings.map(({ value }) => value);
}

/**
 * Twin: no dots and no vectors. A replica remembers every write that it has ever heard of, and
 * each write remembers all writes that it replaced, directly or not.
 */
interface History {
  readonly heard: ReadonlySet<string>;
}

class Twin {
  readonly #past = new Map<string, ReadonlySet<string>>();

  write(at: History, value: string, seen: ReadonlySet<string>): History {
    this.#past.set(value, seen);
    return { heard: new Set([...at.heard, ...seen, value]) };
  }

  /** What was heard of and replaced by nothing that was heard of. */
  current(at: History): readonly string[] {
    const replaced = new Set([...at.heard].flatMap((value) => [...(this.#past.get(value) ?? [])]));
    return [...at.heard].filter((value) => !replaced.has(value)).toSorted();
  }
}

type Act =
  | { readonly kind: 'write'; readonly at: number; readonly read: number; readonly gap: number }
  | { readonly kind: 'blind'; readonly at: number; readonly gap: number }
  | { readonly kind: 'fresh'; readonly at: number; readonly gap: number }
  | { readonly kind: 'sync'; readonly at: number; readonly from: number }
  | { readonly kind: 'read'; readonly at: number };

const replica = fc.nat(ACTORS.length - 1);
// Counters are shared with other keys, so those of one key have gaps.
const gap = fc.integer({ min: 1, max: 3 });
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write' as const), at: replica, read: fc.nat(20), gap }),
    fc.record({ kind: fc.constant('blind' as const), at: replica, gap }),
    fc.record({ kind: fc.constant('fresh' as const), at: replica, gap }),
    fc.record({ kind: fc.constant('sync' as const), at: replica, from: replica }),
    fc.record({ kind: fc.constant('read' as const), at: replica }),
  ),
  { maxLength: 30 },
);

/** Replicas and clients doing something, and the twin doing the same. */
class World {
  readonly sets: Entry[] = ACTORS.map(() => NEVER_WRITTEN);
  readonly histories: History[] = ACTORS.map(() => ({ heard: new Set<string>() }));
  readonly twin = new Twin();
  readonly #counters = ACTORS.map(() => 0);
  /** What clients have read and may write with later. */
  readonly #reads: { context: VersionVector; seen: ReadonlySet<string> }[] = [];

  act(act: Act): void {
    const set = this.sets[act.at] as Entry;
    const history = this.histories[act.at] as History;
    switch (act.kind) {
      case 'read':
        this.#reads.push({ context: set.context, seen: history.heard });
        return;
      case 'sync': {
        this.sets[act.at] = joinSets(set, this.sets[act.from] as Entry);
        const other = this.histories[act.from] as History;
        this.histories[act.at] = { heard: new Set([...history.heard, ...other.heard]) };
        return;
      }
      case 'blind': {
        const next = this.#next(act.at, act.gap);
        this.sets[act.at] = writeSetBlind(set, next);
        this.histories[act.at] = this.twin.write(history, next.value, history.heard);
        return;
      }
      case 'fresh':
      case 'write': {
        const next = this.#next(act.at, act.gap);
        const nothing = { context: EMPTY_VECTOR, seen: new Set<string>() };
        const read =
          act.kind === 'write' ? (this.#reads[act.read % this.#reads.length] ?? nothing) : nothing;
        this.sets[act.at] = writeSet(set, next, read.context);
        this.histories[act.at] = this.twin.write(history, next.value, read.seen);
      }
    }
  }

  #next(at: number, step: number): Sibling<string> {
    const counter = (this.#counters[at] as number) + step;
    this.#counters[at] = counter;
    return sibling(ACTORS[at] as typeof A, counter);
  }
}

function worldAfter(script: readonly Act[]): World {
  const world = new World();
  for (const act of script) world.act(act);
  return world;
}

test('V2, V3, V4: replicas have exactly the values that causal histories give them', () => {
  fc.assert(
    fc.property(acts, (script) => {
      const world = new World();
      for (const act of script) {
        world.act(act);
        const { at } = act;
        const current = world.twin.current(world.histories[at] as History);
        expect(valuesOf(world.sets[at] as Entry).toSorted()).toEqual(current);
      }
    }),
    { numRuns: 1000 },
  );
});

test('V5: join is commutative, associative and idempotent, byte for byte', () => {
  const bytes = (set: Entry): string => Buffer.from(encodeValue(field, set)).toString('hex');
  fc.assert(
    fc.property(acts, (script) => {
      const [a, b, c] = worldAfter(script).sets as [Entry, Entry, Entry];
      expect(bytes(joinSets(a, b))).toBe(bytes(joinSets(b, a)));
      expect(bytes(joinSets(joinSets(a, b), c))).toBe(bytes(joinSets(a, joinSets(b, c))));
      expect(bytes(joinSets(a, a))).toBe(bytes(a));
      expect(bytes(joinSets(joinSets(a, b), a))).toBe(bytes(joinSets(a, b)));
    }),
    { numRuns: 300 },
  );
});

test('V2: a write replaces what its writer read and stands beside what it did not', () => {
  const first = writeSet(NEVER_WRITTEN as Entry, sibling(A, 1), EMPTY_VECTOR);
  const second = writeSet(first, sibling(A, 2), first.context);
  expect(valuesOf(second)).toEqual(['0:2']);
  const stale = writeSet(second, sibling(A, 5), first.context);
  expect(valuesOf(stale)).toEqual(['0:2', '0:5']);
  expect(valuesOf(writeSet(stale, sibling(A, 6), stale.context))).toEqual(['0:6']);
});

test('V2: a writer that read more than this replica has replaces also what arrives later', () => {
  const elsewhere = writeSet(NEVER_WRITTEN as Entry, sibling(B, 1), EMPTY_VECTOR);
  const here = writeSet(NEVER_WRITTEN as Entry, sibling(A, 1), elsewhere.context);
  expect(valuesOf(joinSets(here, elsewhere))).toEqual(['0:1']);
});

test('V3: concurrent writes of two islands are both kept, until somebody has read both', () => {
  const before = writeSetBlind(NEVER_WRITTEN as Entry, sibling(A, 1));
  const left = writeSetBlind(before, sibling(A, 2));
  const right = writeSetBlind(before, sibling(B, 1));
  const healed = joinSets(left, right);
  expect(valuesOf(healed)).toEqual(['0:2', '1:1']);
  const resolved = writeSet(healed, sibling(B, 2), healed.context);
  expect(valuesOf(joinSets(resolved, healed))).toEqual(['1:2']);
});

test('V4: a replica that was away does not bring back what was replaced', () => {
  const old = writeSetBlind(NEVER_WRITTEN as Entry, sibling(A, 1));
  const replaced = writeSetBlind(old, sibling(B, 1));
  expect(joinSets(replaced, old)).toEqual(replaced);
  expect(joinSets(old, replaced)).toEqual(replaced);
});

test.each([0, 1, 3, 1.5, Number.NaN])('V6: counter %d after 3 was seen is refused', (counter) => {
  const set = writeSetBlind(NEVER_WRITTEN as Entry, sibling(A, 3));
  expect(() => writeSetBlind(set, sibling(A, counter))).toThrow(RangeError);
  expect(() => writeSet(NEVER_WRITTEN, sibling(A, counter), set.context)).toThrow(RangeError);
});

test('V1: every sibling is covered by the context', () => {
  fc.assert(
    fc.property(acts, (script) => {
      for (const { siblings, context } of worldAfter(script).sets) {
        expect(siblings.filter(({ dot }) => !covers(context, dot))).toEqual([]);
      }
    }),
  );
});

test('V7: a set comes back from its bytes, whose number is known before', () => {
  fc.assert(
    fc.property(acts, (script) => {
      for (const set of worldAfter(script).sets) {
        const bytes = encodeValue(field, set);
        expect(decodeValue(field, bytes)).toEqual(set);
        expect(field.bytes(set)).toBe(bytes.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('V7: these bytes are what this set has been since the first version', () => {
  const set = joinSets(
    writeSetBlind(NEVER_WRITTEN as Entry, sibling(A, 1)),
    writeSetBlind(NEVER_WRITTEN as Entry, sibling(B, 300)),
  );
  const node = `c410${'ff'.repeat(16)}`;
  expect(Buffer.from(encodeValue(field, set)).toString('hex')).toBe(
    `92` +
      `92` +
      `92` +
      `92` +
      `92${node}01` +
      `01` +
      `a3303a31` +
      `92` +
      `92` +
      `92${node}02` +
      `cd012c` +
      `a5313a333030` +
      `92` +
      `92` +
      `92${node}01` +
      `01` +
      `92` +
      `92${node}02` +
      `cd012c`,
  );
});

const both = [sibling(A, 1), sibling(B, 1)] as const;
const context: VersionVector = both.map(({ dot }) => dot);

test.each([
  { what: 'siblings out of order', set: { siblings: both.toReversed(), context } },
  { what: 'a sibling twice', set: { siblings: [both[0], both[0]], context } },
  { what: 'a sibling that it has not seen', set: { siblings: both, context: [both[0].dot] } },
])('V7: a set with $what is refused in both directions', ({ set }) => {
  expect(() => encodeValue(field, set)).toThrow(WireError);
  const raw = [
    set.siblings.map(({ dot, value }) => [dotToWire(dot), value]),
    set.context.map(dotToWire),
  ];
  expect(() => field.fromWire(raw)).toThrow(WireError);
});

function dotToWire({ counter, actor }: Sibling<string>['dot']): [[Uint8Array, number], number] {
  return [[new Uint8Array(16).fill(0xff), Number(actor.split('.')[1])], counter];
}
