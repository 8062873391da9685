import type { GroupEpoch, LogEntry, LogIndex, Term } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoreOperation } from '../store-operation.ts';
import { idOf } from '../testing/raft-group.ts';
import type { ElectionRecord } from './election-io.ts';
import {
  forceRecoveredRecord,
  initialRecord,
  recordOperations,
  recoverElection,
} from './recover.ts';

const [a, b, c] = [idOf(1), idOf(2), idOf(3)] as const;
const config = { voters: [a, b, c], votersOutgoing: [], learners: [] };

function entryOf(index: number, term: number): LogEntry {
  const payload = { kind: 'command', command: Uint8Array.of(index) } as const;
  return { index: index as LogIndex, term: term as Term, payload };
}

/** A record with its snapshot at index 4, and entries 3 to 6. */
function recordOf(overrides: Partial<ElectionRecord> = {}): ElectionRecord {
  return {
    groupEpoch: 1 as GroupEpoch,
    term: 3 as Term,
    vote: b,
    snapshot: { index: 4 as LogIndex, term: 2 as Term, config, state: Uint8Array.of(7) },
    entries: [entryOf(3, 1), entryOf(4, 2), entryOf(5, 2), entryOf(6, 3)],
    ...overrides,
  };
}

function diskOf(operations: readonly StoreOperation[]): Map<string, Uint8Array> {
  const disk = new Map<string, Uint8Array>([['node/identity', Uint8Array.of(1)]]);
  for (const operation of operations) {
    if (operation.kind === 'put') disk.set(operation.key, operation.value);
  }
  return disk;
}

test('E17: what was stored comes back', () => {
  expect(recoverElection(diskOf(recordOperations(recordOf())))).toEqual(recordOf());
});

test('a directory that never belonged to a group has no record', () => {
  expect(recoverElection(diskOf([]))).toBeUndefined();
});

const LOG_5 = 'raft/log/0000000000000005';

test.each([
  { name: 'no vote', spoil: (disk) => disk.delete('raft/hard'), problem: /raft\/hard.*missing/ },
  {
    name: 'no snapshot',
    spoil: (disk) => disk.delete('raft/snapshot'),
    problem: /raft\/snapshot.*missing/,
  },
  { name: 'a gap', spoil: (disk) => disk.delete(LOG_5), problem: /0006.*entry before it is 4/ },
  {
    name: 'a log that begins too late',
    spoil: (disk) => ['3', '4', '5'].map((it) => disk.delete(`raft/log/000000000000000${it}`)),
    problem: /0006.*snapshot ends at 4/,
  },
  {
    name: 'a log that ends before the snapshot',
    spoil: (disk) => ['4', '5', '6'].map((it) => disk.delete(`raft/log/000000000000000${it}`)),
    problem: /0003.*ends there, but the snapshot ends at 4/,
  },
  {
    name: 'bytes that are no entry',
    spoil: (disk) => disk.set(LOG_5, Uint8Array.of(0xc1)),
    problem: /0005.*cannot be read/,
  },
  {
    name: 'an entry under another index',
    spoil: (disk) => disk.set(LOG_5, disk.get('raft/log/0000000000000006') as Uint8Array),
    problem: /0005.*holds entry 6, not 5/,
  },
  {
    name: 'a key that is no index',
    spoil: (disk) => disk.set('raft/log/five', Uint8Array.of(1)),
    problem: /raft\/log\/five.*16 hex digits/,
  },
] as readonly {
  readonly name: string;
  readonly spoil: (disk: Map<string, Uint8Array>) => unknown;
  readonly problem: RegExp;
}[])('E17: $name is refused by name', ({ spoil, problem }) => {
  const disk = diskOf(recordOperations(recordOf()));
  spoil(disk);
  expect(() => recoverElection(disk)).toThrow(problem);
});

test.each([
  { name: 'beyond the term', entries: [entryOf(5, 4)], problem: /beyond the current term 3/ },
  { name: 'back', entries: [entryOf(5, 3), entryOf(6, 2)], problem: /is before term 3/ },
  { name: 'against the snapshot', entries: [entryOf(4, 1)], problem: /not the snapshot's 2/ },
])('E17: terms that go $name are refused', ({ entries, problem }) => {
  expect(() => recoverElection(diskOf(recordOperations(recordOf({ entries }))))).toThrow(problem);
});

test('E17: damaged bytes are an error that names its key, or another record, never a crash', () => {
  const healthy = diskOf(recordOperations(recordOf()));
  const keys = [...healthy.keys()].filter((key) => key.startsWith('raft/'));
  const damage = fc.record({ key: fc.constantFrom(...keys), at: fc.nat(200), byte: fc.nat(255) });
  fc.assert(
    fc.property(damage, ({ key, at, byte }) => {
      const disk = new Map(healthy);
      const bytes = new Uint8Array(disk.get(key) as Uint8Array);
      bytes[at % bytes.length] = byte;
      disk.set(key, bytes);
      try {
        recoverElection(disk);
      } catch (error) {
        expect((error as Error).message).toMatch(/^The stored record "raft\//);
      }
    }),
  );
});

test('founders begin with the same record', () => {
  const plan = { groupEpoch: 1 as GroupEpoch, config, state: Uint8Array.of(1, 2) };
  const record = initialRecord(plan);
  expect(record).toEqual(initialRecord(plan));
  expect(record).toMatchObject({ term: 1, snapshot: { index: 1, term: 1 }, entries: [] });
});

test('E16: a forced recovery keeps the log and leaves the other voters behind', () => {
  const record = forceRecoveredRecord(recordOf(), c, Uint8Array.of(9));
  expect(record).toMatchObject({
    groupEpoch: 2,
    term: 3,
    vote: undefined,
    snapshot: { index: 6, term: 3, config: { voters: [c], votersOutgoing: [], learners: [] } },
    entries: [],
  });
  // The new record is written over the old directory, in which the old log still lies.
  const disk = diskOf([...recordOperations(recordOf()), ...recordOperations(record)]);
  expect(recoverElection(disk)?.snapshot).toEqual(record.snapshot);
});
