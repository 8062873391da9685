import { actorId, makeOperationId, WireError } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labNode } from '../testing/shard-lab.ts';
import { decodeOutcomes, OUTCOMES_MAX, type OutcomeRecord, OutcomeRows } from './outcome-rows.ts';
import type { RememberedOperation } from './remembered-operations.ts';

const MS = 1_800_000_000_000;

interface OutcomeToKeep {
  readonly operationId: string;
  readonly outcome: RememberedOperation;
}

function encodeOutcomes(kept: readonly OutcomeToKeep[], rows = new OutcomeRows()): OutcomeRecord {
  for (const { operationId, outcome } of kept) rows.add(operationId, outcome);
  return rows.take();
}

const word = fc.nat(0xffffffff);
const count = fc.maxSafeNat();

const kept: fc.Arbitrary<OutcomeToKeep> = fc
  .record({
    id: fc.tuple(word, word, word),
    ms: fc.nat(2 ** 48 - 1),
    actor: fc.nat(3),
    counter: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    timestamp: fc.record({ ms: fc.nat(2 ** 48 - 1), counter: fc.nat(0xffff) }),
    at: fc.record({ epoch: count, index: count }),
    fingerprint: word,
  })
  .map(({ id, ms, actor, counter, timestamp, at, fingerprint }) => {
    const dot = { actor: actorId(labNode(1), 1 + actor), counter };
    return {
      operationId: makeOperationId(ms, id),
      outcome: { version: { dot, timestamp }, at, fingerprint },
    };
  });

test('F16: outcomes come back from the disk as they were', () => {
  fc.assert(
    fc.property(fc.array(kept, { maxLength: 80 }), fc.array(kept), (outcomes, earlier) => {
      const rows = new OutcomeRows();
      encodeOutcomes(earlier, rows);
      const { value, youngestMs } = encodeOutcomes(outcomes, rows);
      expect(rows.count).toBe(0);
      const found = [...decodeOutcomes(value, 'here')];
      expect(found.map(({ operationId, outcome }) => ({ operationId, outcome }))).toEqual(outcomes);
      expect(Math.max(0, ...found.map(({ ms }) => ms))).toBe(youngestMs);
    }),
  );
});

test('F16: text that is no operation id is not kept', () => {
  const [one] = fc.sample(kept, 1) as [OutcomeToKeep];
  const { value, youngestMs } = encodeOutcomes([{ ...one, operationId: 'nonsense' }]);
  expect([[...decodeOutcomes(value, 'here')], youngestMs]).toEqual([[], 0]);
});

test('the largest record is far below what one write to the disk may hold', () => {
  const dot = { actor: actorId(labNode(1), 1), counter: 1 };
  const version = { dot, timestamp: { ms: MS, counter: 1 } };
  const outcome = { version, at: { epoch: 1, index: 1 }, fingerprint: 1 };
  const outcomes = Array.from({ length: OUTCOMES_MAX }, (_, number) => {
    return { operationId: makeOperationId(MS, [number, 1, 1]), outcome };
  });
  const { value } = encodeOutcomes(outcomes);
  expect(value.byteLength).toBeLessThan(256 * 1024);
  expect([...decodeOutcomes(value, 'here')]).toHaveLength(OUTCOMES_MAX);
});

test('bytes that are no outcomes are refused by the name of their place', () => {
  const [one] = fc.sample(kept, 1) as [OutcomeToKeep];
  const { value } = encodeOutcomes([one]);
  for (const bytes of [Uint8Array.of(0xc1), value.subarray(0, 20), new Uint8Array(0)]) {
    expect(() => [...decodeOutcomes(bytes, 'here')]).toThrow(WireError);
  }
});
