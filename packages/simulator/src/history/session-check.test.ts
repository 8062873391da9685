import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HistoryEvent } from './history-event.ts';
import { checkSessions, compareVersions } from './session-check.ts';

type Done = readonly [process: number, f: string, version?: readonly number[], key?: string];

function historyOf(...done: readonly Done[]): readonly HistoryEvent[] {
  return done.flatMap(([process, f, version, key = 'k'], at): readonly HistoryEvent[] => [
    { index: 2 * at, process, type: 'invoke', f, key, time: at },
    {
      ...{ index: 2 * at + 1, process, type: 'ok', f, key, time: at },
      ...(version === undefined ? {} : { version }),
    },
  ]);
}

test.each<{ readonly name: string; readonly done: readonly Done[] }>([
  {
    name: 'its own write',
    done: [
      [0, 'write', [5]],
      [0, 'read', [5]],
    ],
  },
  {
    name: 'a later write',
    done: [
      [0, 'write', [5]],
      [0, 'read', [6, 1]],
    ],
  },
  {
    name: 'another process is behind',
    done: [
      [0, 'write', [5]],
      [1, 'read', [4]],
    ],
  },
  {
    name: 'another key',
    done: [
      [0, 'write', [5]],
      [0, 'read', [4], 'j'],
    ],
  },
  {
    name: 'nothing, before anything',
    done: [
      [0, 'read', []],
      [0, 'read', [1]],
    ],
  },
])('Y7: kept: $name', ({ done }) => {
  expect(checkSessions(historyOf(...done))).toEqual([]);
});

test.each<{ readonly name: string; readonly done: readonly Done[]; readonly kind: string }>([
  {
    name: 'older than its write',
    done: [
      [0, 'write', [5]],
      [0, 'read', [4, 9]],
    ],
    kind: 'readYourWrites',
  },
  {
    name: 'older than its delete',
    done: [
      [0, 'delete', [5, 1]],
      [0, 'read', [5]],
    ],
    kind: 'readYourWrites',
  },
  {
    name: 'nothing after its cas',
    done: [
      [0, 'cas', [5]],
      [0, 'read', []],
    ],
    kind: 'readYourWrites',
  },
  {
    name: 'older than a read',
    done: [
      [0, 'read', [5]],
      [0, 'read', [4]],
    ],
    kind: 'monotonicReads',
  },
  {
    name: 'older than a read, not the last',
    done: [
      [0, 'read', [5]],
      [1, 'read', [3]],
      [0, 'read', [5]],
      [0, 'read', [4]],
    ],
    kind: 'monotonicReads',
  },
])('Y7: broken: $name', ({ done, kind }) => {
  expect(checkSessions(historyOf(...done))).toMatchObject([{ kind, process: 0, key: 'k' }]);
});

test('Y7: the sentence has both versions and both lines', () => {
  const [violation] = checkSessions(historyOf([0, 'write', [5, 2]], [0, 'read', [4]]));
  expect(violation?.explanation).toBe(
    'Process 0 read version [4] in line 4 although it knew version [5, 2] of line 2.',
  );
});

test('Y7: an answer without a version cannot be judged and is refused', () => {
  expect(() => checkSessions(historyOf([0, 'write', [5]], [0, 'read']))).toThrow(
    'Line 4: a session\'s read needs a "key" and a "version".',
  );
});

test('Y7: versions are ordered totally', () => {
  const version = fc.array(fc.nat(2), { maxLength: 3 });
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
      expect(compareVersions(a, b) === 0).toBe(a.join() === b.join());
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }
    }),
  );
});
