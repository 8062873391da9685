import type { GroupConfig, LogEntry, LogIndex, LogPayload, Term } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idOf } from '../testing/raft-group.ts';
import { NOBODY } from './group-config.ts';
import { Log, plus } from './log.ts';

const at = (index: number): LogIndex => index as LogIndex;
const inTerm = (term: number): Term => term as Term;
const configOf = (count: number): GroupConfig => ({
  ...NOBODY,
  voters: Array.from({ length: count }, (_, number) => idOf(number + 1)),
});

function entryOf(index: number, term: number, payload: LogPayload = { kind: 'blank' }): LogEntry {
  return { index: at(index), term: inTerm(term), payload };
}

/** A log behind a snapshot at `after`, with one entry for each of `terms`. */
function logOf(terms: readonly number[], after = 0, snapshotTerm = 0): Log {
  const state = new Uint8Array(0);
  const snapshot = { index: at(after), term: inTerm(snapshotTerm), config: configOf(1), state };
  return new Log(
    snapshot,
    terms.map((term, number) => entryOf(after + 1 + number, term)),
  );
}

const ALL = { to: at(1_000), entriesMax: 1_000, bytesMax: 1e9 };

test.each([
  { mine: [1, 1], theirs: { index: 2, term: 1 }, ok: true, why: 'equal logs' },
  { mine: [1, 1], theirs: { index: 1, term: 1 }, ok: false, why: 'shorter, same term' },
  { mine: [1, 1, 1], theirs: { index: 1, term: 2 }, ok: true, why: 'shorter, later term' },
  { mine: [1, 2], theirs: { index: 9, term: 1 }, ok: false, why: 'longer, earlier term' },
  { mine: [], theirs: { index: 0, term: 0 }, ok: true, why: 'two empty logs' },
])('E3: section 5.4.1, $why', ({ mine, theirs, ok }) => {
  expect(logOf(mine).isBehindOrEqual(at(theirs.index), inTerm(theirs.term))).toBe(ok);
});

test.each([
  { terms: [1, 1, 4, 4, 5], from: 5, term: 4, index: 4, found: 4 },
  { terms: [1, 1, 4, 4, 5], from: 5, term: 3, index: 2, found: 1 },
  { terms: [1, 1, 4, 4, 5], from: 99, term: 9, index: 5, found: 5 },
  { terms: [2, 2], from: 2, term: 1, index: 0, found: 0 },
])('E8: up to index $from, term $term ends at $index', ({ terms, from, term, index, found }) => {
  const hint = logOf(terms).lastIndexUpToTerm(at(from), inTerm(term));
  expect(hint).toEqual({ index, term: found });
});

test('the term before the first entry is known only at the snapshot', () => {
  const log = logOf([3, 3, 4], 10, 2);
  expect([9, 10, 11, 13, 14].map((index) => log.termAt(at(index)))).toEqual([
    undefined,
    2,
    3,
    4,
    undefined,
  ]);
});

test('E10: a configuration is in force once appended and gone once truncated', () => {
  const log = logOf([1]);
  log.append(entryOf(2, 1, { kind: 'config', config: configOf(3) }));
  log.append(entryOf(3, 1, { kind: 'config', config: configOf(5) }));
  expect([log.config, log.configIndex]).toEqual([configOf(5), 3]);
  log.truncateFrom(at(3));
  expect([log.config, log.configIndex]).toEqual([configOf(3), 2]);
  log.truncateFrom(at(2));
  expect([log.config, log.configIndex]).toEqual([configOf(1), 0]);
});

test('E14: compaction keeps the configuration at its index and the trailing entries', () => {
  const log = logOf([1, 1, 1, 1]);
  log.append(entryOf(5, 1, { kind: 'config', config: configOf(3) }));
  log.append(entryOf(6, 1, { kind: 'config', config: configOf(5) }));
  const config = log.configAt(at(5));
  const snapshot = { index: at(5), term: inTerm(1), config, state: new Uint8Array(1) };
  expect(log.compact(snapshot, 2)).toEqual([1, 2, 3]);
  expect(config).toEqual(configOf(3));
  expect([log.firstIndex, log.lastIndex, log.config]).toEqual([4, 6, configOf(5)]);
  log.truncateFrom(at(6));
  expect([log.config, log.configIndex]).toEqual([configOf(3), 5]);
});

test('a slice holds at least one entry and otherwise keeps its bounds', () => {
  const log = logOf([]);
  for (let index = 1; index <= 9; index += 1) {
    log.append(entryOf(index, 1, { kind: 'command', command: new Uint8Array(84) }));
  }
  const indexes = (bounds: Partial<typeof ALL>): number[] =>
    log.slice(at(3), { ...ALL, ...bounds }).map((entry) => entry.index);
  expect(indexes({ bytesMax: 10 })).toEqual([3]);
  expect(indexes({ bytesMax: 200 })).toEqual([3, 4]);
  expect(indexes({ entriesMax: 3 })).toEqual([3, 4, 5]);
  expect(indexes({ to: at(4) })).toEqual([3, 4]);
});

test('a gap or a term that goes back is a mistake of ours', () => {
  expect(() => logOf([2]).append(entryOf(3, 2))).toThrow('leaves a gap');
  expect(() => logOf([2]).append(entryOf(2, 1))).toThrow('goes back');
});

test('the log is the same as a plain array, whatever is done to it', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), bytes: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(4) }),
    fc.record({ kind: fc.constant('compact' as const), back: fc.nat(4), trailing: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const log = logOf([]);
      let twin: LogEntry[] = [];
      let base = 0;
      for (const it of operations) {
        const last = log.lastIndex;
        if (it.kind === 'append') {
          const payload = { kind: 'command', command: new Uint8Array(it.bytes) } as const;
          log.append(entryOf(last + 1, 1, payload));
          twin.push(entryOf(last + 1, 1, payload));
        } else if (it.kind === 'truncate') {
          const from = Math.max(base + 1, last - it.back);
          log.truncateFrom(at(from));
          twin = twin.filter((entry) => entry.index < from);
        } else {
          const index = last - it.back;
          if (index <= base) continue;
          const state = new Uint8Array(0);
          log.compact(
            { index: at(index), term: inTerm(1), config: log.configAt(at(index)), state },
            it.trailing,
          );
          base = index;
          twin = twin.filter((entry) => entry.index > index - it.trailing);
        }
        expect(log.slice(log.firstIndex, ALL)).toEqual(
          twin.filter((e) => e.index >= log.firstIndex),
        );
        expect(log.lastIndex).toBe(twin.at(-1)?.index ?? plus(at(base), 0));
        const bytes = twin.filter((entry) => entry.index > base).length;
        expect(log.bytesAfterSnapshot > 0).toBe(bytes > 0);
      }
    }),
  );
});
