import { nodeId, type Timestamp } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockComparison, HYBRID_CLOCK, HybridClock } from './hybrid-clock.ts';

const WALL = 1_700_000_000_000;

function clockOf(bound = 0, wall = WALL): HybridClock {
  const clock = new HybridClock(bound, wall);
  clock.boundStored(wall + 1_000_000);
  return clock;
}

function compare(a: Timestamp, b: Timestamp): number {
  return a.ms - b.ms || a.counter - b.counter;
}

test('K1: readings only grow, whatever the wall clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -100_000, max: 100_000 })), (jumps) => {
      const clock = clockOf();
      let last = clock.tick(WALL);
      for (const jump of jumps) {
        const next = clock.tick(WALL + jump);
        expect(compare(next, last)).toBeGreaterThan(0);
        last = next;
      }
    }),
  );
});

test('K1: more readings than the counter holds borrow the next millisecond', () => {
  const clock = clockOf();
  let last = clock.tick(WALL);
  for (let count = 0; count <= HYBRID_CLOCK.counterMax + 1; count += 1) {
    const next = clock.tick(WALL);
    expect(compare(next, last)).toBeGreaterThan(0);
    last = next;
  }
  expect(last.ms).toBe(WALL + 1);
});

test('K2: a reading after a followed message is later than the message', () => {
  const reading = fc.record({
    ms: fc.integer({ min: WALL - 5_000, max: WALL + 5_000 }),
    counter: fc.integer({ min: 0, max: HYBRID_CLOCK.counterMax }),
  });
  fc.assert(
    fc.property(fc.array(reading), (remotes) => {
      const clock = clockOf();
      for (const remote of remotes) {
        expect(clock.observe(remote, WALL).kind).toBe('followed');
        expect(compare(clock.tick(WALL), remote)).toBeGreaterThan(0);
      }
    }),
  );
});

test('K3: nothing beyond the durable bound is issued', () => {
  const clock = new HybridClock(0, WALL);
  expect(clock.tick(WALL + 10)).toEqual({ ms: WALL, counter: 1 });
  const bound = clock.nextBound(WALL + 10);
  expect(bound).toBe(WALL + 10 + HYBRID_CLOCK.boundAheadMs);
  expect(clock.nextBound(WALL + 10)).toBeUndefined();
  expect(clock.tick(WALL + 20).ms).toBe(WALL);
  clock.boundStored(bound ?? 0);
  expect(clock.tick(WALL + 20)).toEqual({ ms: WALL + 20, counter: 0 });
  expect(clock.tick(WALL + 60_000).ms).toBe(bound);
});

test('K3: however long the disk is silent, a restart is later than every reading', () => {
  const clock = new HybridClock(0, WALL);
  const bound = clock.nextBound(WALL) ?? 0;
  clock.boundStored(bound);
  let last = clock.tick(WALL + 3_600_000);
  for (let count = 0; count <= 2 * HYBRID_CLOCK.counterMax; count += 1) {
    last = clock.tick(WALL + 3_600_000);
  }
  expect(last.ms).toBe(bound + 1);
  clock.observe({ ms: WALL + 3_600_000, counter: 7 }, WALL + 3_600_000);
  last = clock.tick(WALL + 3_600_000);
  const restarted = new HybridClock(bound, WALL - 3_600_000);
  expect(compare(restarted.tick(WALL - 3_600_000), last)).toBeGreaterThan(0);
});

test('K3: a restart begins beyond the persisted bound when the wall clock went back', () => {
  const { ms } = new HybridClock(WALL + 3_000, WALL - 3_600_000).latest;
  expect(ms).toBe(WALL + 3_000 + HYBRID_CLOCK.restartSkipMs);
});

test.each([
  { ahead: 100, kind: 'followed', ms: WALL + 100 },
  { ahead: 5_000, kind: 'followed', ms: WALL + 5_000 },
  { ahead: 5_001, kind: 'capped', ms: WALL + 5_000 },
  { ahead: 60_000, kind: 'capped', ms: WALL + 5_000 },
  { ahead: 60_001, kind: 'refused', ms: WALL },
  { ahead: 8 * 3_600_000, kind: 'refused', ms: WALL },
  { ahead: -3_600_000, kind: 'followed', ms: WALL },
])('K4: a remote clock $ahead ms ahead is $kind', ({ ahead, kind, ms }) => {
  const clock = clockOf();
  const reading = clock.observe({ ms: WALL + ahead, counter: 0 }, WALL);
  expect(reading).toEqual({ kind, aheadMs: ahead });
  expect(clock.latest.ms).toBe(ms);
});

test.each([
  { offsets: [], suspect: false },
  { offsets: [3_600_000], suspect: false },
  { offsets: [3_600_000, 3_600_000], suspect: true },
  { offsets: [-3_600_000, -3_600_000, 5], suspect: true },
  { offsets: [3_600_000, 1, 5], suspect: false },
])('K5: peers at $offsets ms make this clock suspect: $suspect', ({ offsets, suspect }) => {
  const comparison = new ClockComparison();
  for (const [at, offset] of offsets.entries()) {
    comparison.note(nodeId(String(at).padStart(32, '0')), offset);
  }
  expect(comparison.suspect).toBe(suspect);
});

test('K3: many quick restarts do not carry the clock away', () => {
  let bound = 0;
  for (let start = 0; start < 60; start += 1) {
    const wall = WALL + start * 500;
    const clock = new HybridClock(bound, wall);
    bound = clock.nextBound(wall) ?? bound;
    clock.boundStored(bound);
    clock.tick(wall);
    expect(clock.latest.ms - wall).toBeLessThan(HYBRID_CLOCK.boundAheadMsMax + 1_000);
  }
});

test('K3: a clock far ahead of the wall asks for a bound once, not at every turn', () => {
  const clock = new HybridClock(WALL + 20_000, WALL);
  const bound = clock.nextBound(WALL) ?? 0;
  expect(bound).toBeGreaterThan(clock.latest.ms);
  clock.boundStored(bound);
  for (let turn = 0; turn < 1_000; turn += 1) {
    clock.tick(WALL + turn);
    expect(clock.nextBound(WALL + turn)).toBeUndefined();
  }
});
