import type { Generation, NodeId, ReachabilityRow } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { at, idOf, letterOf } from '../testing/membership-fixture.ts';
import { reachabilityConfig, silentAfterMs, unreachedAfterMs } from './reachability-config.ts';
import type { ReachabilityEffect } from './reachability-io.ts';
import { Reachability } from './reachability.ts';

const CONFIG = reachabilityConfig();

/** Node a, watching the others. */
function reachabilityOf(letters: string, self = 'a'): Reachability {
  const machine = new Reachability({
    self: idOf(self),
    generation: 1 as Generation,
    random: Random.of(1),
    now: at(0),
  });
  machine.step(at(0), { kind: 'members', members: [...letters].map(idOf) });
  machine.wake(at(0));
  return machine;
}

function rowOf(owner: string, shape: Partial<ReachabilityRow> = {}): ReachabilityRow {
  const base = { owner: idOf(owner), generation: 1 as Generation, version: 1, knownCount: 4 };
  return { ...base, unreached: [], silent: [], ...shape };
}

const events = (effects: readonly ReachabilityEffect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'event'
      ? [`${effect.event.name} ${effect.event.direction} ${letterOf(effect.event.peer)}`]
      : [],
  );

const sentTo = (effects: readonly ReachabilityEffect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [letterOf(effect.to)] : [])).sort();

function hearAll(machine: Reachability, now: number, letters: string): void {
  for (const letter of letters) machine.step(at(now), { kind: 'heard', peer: idOf(letter) });
}

test('P1: a failed probe is a loss two intervals later, when nothing was heard', () => {
  const machine = reachabilityOf('bcd');
  machine.step(at(1000), { kind: 'missed', peer: idOf('b') });
  hearAll(machine, 2000, 'cd');
  expect(events(machine.wake(at(2999)))).toEqual([]);
  expect(events(machine.wake(at(3000)))).toEqual(['reach.lost to b']);
  expect(machine.unreachedBy(idOf('b'))).toEqual([idOf('a')]);
});

test('P1, P2: a word in between is no loss, and a later probe begins anew', () => {
  const machine = reachabilityOf('bcd');
  machine.step(at(1000), { kind: 'missed', peer: idOf('b') });
  hearAll(machine, 2500, 'bcd');
  machine.step(at(2600), { kind: 'missed', peer: idOf('b') });
  expect(events(machine.wake(at(3000)))).toEqual([]);
  expect(events(machine.wake(at(4600)))).toEqual(['reach.lost to b']);
  expect(events(machine.step(at(5000), { kind: 'heard', peer: idOf('b') }))).toEqual([
    'reach.restored to b',
  ]);
});

test('P1: silence counts after three rounds of probes', () => {
  const machine = reachabilityOf('bcd');
  hearAll(machine, 8000, 'cd');
  expect(events(machine.wake(at(8999)))).toEqual([]);
  expect(events(machine.wake(at(9000)))).toEqual(['reach.lost from b']);
  expect(machine.silentFor(idOf('b'))).toEqual([idOf('a')]);
  expect(events(machine.step(at(9100), { kind: 'heard', peer: idOf('b') }))).toEqual([
    'reach.restored from b',
  ]);
  hearAll(machine, 17_000, 'cd');
  expect(events(machine.wake(at(18_100)))).toEqual(['reach.lost from b']);
});

test('P1: the evidence is counted in intervals and rounds', () => {
  expect(unreachedAfterMs(CONFIG)).toBe(2000);
  expect([1, 2, 3, 10].map((count) => silentAfterMs(CONFIG, count))).toEqual([
    3000, 3000, 6000, 27_000,
  ]);
});

test('P3: several changes within a second make one new version', () => {
  const machine = reachabilityOf('bcd');
  const versionNow = (): number =>
    machine.rows().find((row) => row.owner === idOf('a'))?.version ?? -1;
  expect(versionNow()).toBe(1);
  machine.step(at(0), { kind: 'missed', peer: idOf('b') });
  machine.step(at(100), { kind: 'missed', peer: idOf('c') });
  expect(sentTo(machine.wake(at(2000)))).toEqual(['b', 'c', 'd']);
  expect(sentTo(machine.wake(at(2100)))).toEqual([]);
  hearAll(machine, 2500, 'b');
  expect(sentTo(machine.wake(at(3000)))).toEqual(['b', 'c', 'd']);
  expect(versionNow()).toBe(3);
  expect(machine.rows()[0]?.unreached).toEqual([idOf('c')]);
});

test('P3: a change that is undone before it is told makes no version', () => {
  const machine = reachabilityOf('bcd');
  machine.step(at(100), { kind: 'members', members: ['b', 'c'].map(idOf) });
  machine.step(at(200), { kind: 'members', members: ['b', 'c', 'd'].map(idOf) });
  expect(sentTo(machine.wake(at(1000)))).toEqual([]);
});

test('P3: rows of any order of arrival end in the newest', () => {
  const row = fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    version: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (arrivals) => {
      const machine = reachabilityOf('bcd');
      for (const { generation, version } of arrivals) {
        const rows = [rowOf('b', { generation: generation as Generation, version })];
        machine.step(at(1), { kind: 'message', from: idOf('b'), body: { type: 'rows', rows } });
      }
      const newest = arrivals.reduce((a, b) =>
        b.generation > a.generation || (b.generation === a.generation && b.version > a.version)
          ? b
          : a,
      );
      expect(machine.rows().find((held) => held.owner === idOf('b'))).toMatchObject(newest);
    }),
  );
});

test('P4: in a small group a row is passed to those whom its owner does not reach', () => {
  const machine = reachabilityOf('bcd');
  const rows = [rowOf('b', { unreached: [idOf('c')], silent: [idOf('c')] })];
  const message = { kind: 'message', from: idOf('b'), body: { type: 'rows', rows } } as const;
  expect(sentTo(machine.step(at(1), message))).toEqual(['c']);
  expect(sentTo(machine.step(at(2), message))).toEqual([]);
});

test('P4: in a larger group three members get a new row once, and the rest through them', () => {
  const machine = reachabilityOf('bcdef0123456789');
  const rows = [rowOf('b', { unreached: [idOf('c')] })];
  const message = { kind: 'message', from: idOf('b'), body: { type: 'rows', rows } } as const;
  expect(sentTo(machine.step(at(1), message)).length).toBeGreaterThanOrEqual(2);
  expect(sentTo(machine.step(at(2), message))).toEqual([]);
});

test('P4: all rows are repeated to one member every 30 s', () => {
  const machine = reachabilityOf('bcd');
  const rows = [rowOf('b', { unreached: [idOf('c')] })];
  machine.step(at(1), { kind: 'message', from: idOf('b'), body: { type: 'rows', rows } });
  const repeats: ReachabilityEffect[] = [];
  for (let now = 1000; now <= 90_000; now += 1000) {
    hearAll(machine, now, 'bcd');
    repeats.push(...machine.wake(at(now)));
  }
  const bodies = repeats.flatMap((effect) => (effect.kind === 'send' ? [effect.body.rows] : []));
  expect(bodies).toHaveLength(3);
  expect(bodies[0]?.map((row) => letterOf(row.owner)).sort()).toEqual(['a', 'b']);
});

test('P5: of a thousand members about 32 announce', () => {
  const idAt = (index: number): NodeId => index.toString(16).padStart(32, '0') as NodeId;
  const members = Array.from({ length: 999 }, (_, index) => idAt(index + 1));
  let announcing = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const machine = new Reachability({
      ...{ self: idAt(0), generation: 1 as Generation, random: Random.of(seed), now: at(0) },
    });
    machine.step(at(0), { kind: 'members', members });
    machine.step(at(0), { kind: 'missed', peer: idAt(1) });
    const sent = machine.wake(at(2000)).filter((effect) => effect.kind === 'send');
    if (sent.length === 3) announcing += 1;
    else expect(sent.length).toBeLessThanOrEqual(1);
  }
  // 400 machines, 3.2 % of which are expected to have drawn a lot.
  expect(announcing).toBeGreaterThan(3);
  expect(announcing).toBeLessThan(30);
});

test('P6: rows of strangers and of oneself are not kept, and those of members that left go', () => {
  const machine = reachabilityOf('bcd');
  const rows = [rowOf('e', { unreached: [idOf('b')] }), rowOf('a', { version: 99 }), rowOf('b')];
  machine.step(at(1), { kind: 'message', from: idOf('b'), body: { type: 'rows', rows } });
  expect(machine.rows().map((row) => `${letterOf(row.owner)}${row.version}`)).toEqual(['a1', 'b1']);
  machine.step(at(2), { kind: 'members', members: ['c', 'd'].map(idOf) });
  expect(machine.rows().map((row) => letterOf(row.owner))).toEqual(['a']);
});

test('P2, P6: what is said about strangers changes nothing', () => {
  const machine = reachabilityOf('bcd');
  expect(machine.step(at(1), { kind: 'heard', peer: idOf('f') })).toEqual([]);
  expect(machine.step(at(1), { kind: 'missed', peer: idOf('f') })).toEqual([]);
  expect(machine.unreachedBy(idOf('f'))).toEqual([]);
});
