import { actorId, makeOperationId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labNode } from '../testing/shard-lab.ts';
import { FIRST_OPERATION, OperationMemory } from './operation-memory.ts';
import { type RememberedOperation, RememberedOperations } from './remembered-operations.ts';

const START_MS = 1_800_000_000_000;
const ROOM = 64 * 1024 * 1024;

function outcomeOf(number: number): RememberedOperation {
  const dot = { actor: actorId(labNode(1 + (number % 3)), 1 + (number % 2)), counter: number };
  const timestamp = { ms: START_MS + number, counter: number % 0x10000 };
  return {
    version: { dot, timestamp },
    at: { epoch: 2 ** 40 + number, index: 2 ** 41 + number },
    fingerprint: 0xffffffff - number,
  };
}

function idOf(ms: number, number: number): string {
  return makeOperationId(START_MS + ms, [number, number * 7, number]);
}

interface Copy {
  readonly operations: RememberedOperations;
  readonly twin: Map<string, RememberedOperation>;
}

function copyIn(memory: OperationMemory): Copy {
  const twin = new Map<string, RememberedOperation>();
  const operations = new RememberedOperations(memory, (period, place) => {
    expect(twin.delete(period.idAt(place))).toBe(true);
  });
  return { operations, twin };
}

/** Everything by pages of three, as a stream asks for it. */
function allOf({ operations }: Copy): Map<string, RememberedOperation> {
  const all = new Map<string, RememberedOperation>();
  for (let cursor: typeof FIRST_OPERATION | undefined = FIRST_OPERATION; cursor !== undefined;) {
    const { found, next }: ReturnType<typeof operations.page> = operations.page(cursor, 3);
    for (const { operationId, outcome } of found) all.set(operationId, outcome);
    cursor = next;
  }
  return all;
}

const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ copy: fc.nat(2), ms: fc.nat(20_000), age: fc.constant(-1) }),
  },
  { weight: 1, arbitrary: fc.record({ copy: fc.nat(2), ms: fc.nat(0), age: fc.nat(20_000) }) },
);

test('F16: whatever was remembered is remembered still, or refused by its age', () => {
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 120 }),
      fc.integer({ min: 1, max: 40_000 }),
      (acts, max) => {
        const memory = new OperationMemory(max, 7);
        const copies = [copyIn(memory), copyIn(memory), copyIn(memory)];
        const ids: { readonly id: string; readonly ms: number; readonly copy: Copy }[] = [];
        for (const [number, { copy: at, ms, age }] of acts.entries()) {
          const copy = copies[at] as Copy;
          if (age >= 0) {
            memory.forgetUpTo(START_MS + age);
            continue;
          }
          const id = idOf(ms, number);
          ids.push({ id, ms, copy });
          // It may be the oldest of too many itself.
          copy.twin.set(id, outcomeOf(number));
          copy.operations.remember(id, outcomeOf(number));
        }
        for (const { id, ms, copy } of ids) {
          const known = copy.operations.get(id);
          expect(known).toEqual(copy.twin.get(id));
          expect(known !== undefined || START_MS + ms <= copy.operations.floor).toBe(true);
        }
        for (const copy of copies) {
          expect(allOf(copy)).toEqual(copy.twin);
          expect(copy.operations.count).toBe(copy.twin.size);
        }
      },
    ),
  );
});

test('F16: an id belongs to its shard, and another outcome of it replaces the first', () => {
  const memory = new OperationMemory(ROOM, 7);
  const [one, other] = [copyIn(memory), copyIn(memory)];
  const id = idOf(1, 1);
  one.operations.remember(id, outcomeOf(1));
  expect(other.operations.get(id)).toBeUndefined();
  one.operations.remember(id, outcomeOf(2));
  expect(one.operations.get(id)).toEqual(outcomeOf(2));
  expect(one.operations.count).toBe(1);
});

test('F16: the oldest go first, whatever shard they are of, and none that need not', () => {
  const memory = new OperationMemory(1024 * 1024, 7);
  const [idle, hot] = [copyIn(memory), copyIn(memory)];
  for (let number = 0; number < 100; number += 1) {
    const id = idOf(number, number);
    idle.twin.set(id, outcomeOf(number));
    idle.operations.remember(id, outcomeOf(number));
  }
  for (let number = 0; number < 25_000; number += 1) {
    const id = idOf(1_000 + number, number);
    hot.twin.set(id, outcomeOf(number));
    hot.operations.remember(id, outcomeOf(number));
  }
  expect(idle.operations.count).toBe(0);
  expect(idle.operations.floor).toBe(START_MS + 99);
  expect(memory.bytes).toBeLessThanOrEqual(1024 * 1024);
  // One busy shard has the room of all: a multiple of what each of them would have of its own.
  expect(hot.operations.count).toBeGreaterThan(10_000);
  expect(hot.operations.get(idOf(25_999, 24_999))).toEqual(outcomeOf(24_999));
});

test('F16: the latest stay however small the room is', () => {
  const memory = new OperationMemory(1, 7);
  const copy = copyIn(memory);
  for (const ms of [0, 100, 200]) {
    copy.twin.set(idOf(ms, ms), outcomeOf(ms));
    copy.operations.remember(idOf(ms, ms), outcomeOf(ms));
  }
  expect(copy.operations.count).toBe(3);
});

test('F16: a busy node remembers an operation in less than a hundred bytes', () => {
  const memory = new OperationMemory(ROOM, 7);
  const { operations } = copyIn(memory);
  for (let number = 0; number < 10_000; number += 1) {
    operations.remember(idOf(number, number), outcomeOf(number));
  }
  expect(memory.bytes / operations.count).toBeLessThan(100);
});

test('F16: a copy that is given up hears of nothing any more', () => {
  const memory = new OperationMemory(ROOM, 7);
  const told: string[] = [];
  const operations = new RememberedOperations(memory, (period, place) => {
    told.push(period.idAt(place));
  });
  const ids = [1, 300, 600].map((ms) => idOf(ms, ms));
  for (const id of ids) operations.remember(id, outcomeOf(1));
  operations.close();
  memory.forgetUpTo(START_MS + 60_000);
  expect([told, operations.count, memory.bytes]).toEqual([[], 0, 0]);
});

test('F16: text that is no operation id is never remembered', () => {
  const memory = new OperationMemory(ROOM, 7);
  const { operations } = copyIn(memory);
  const texts = [
    '',
    'nonsense',
    '',
    '01980000-0000-8000-8000-000000000001',
    '01980000-0000-7000-c000-000000000001',
    '01980000-0000-7000-8000-00000000000A',
    '01980000-0000-7000-8000-0000000000010',
    '01980000x0000-7000-8000-000000000001',
    '0198000g-0000-7000-8000-000000000001',
  ];
  for (const id of texts) {
    operations.remember(id, outcomeOf(1));
    expect(operations.get(id)).toBeUndefined();
  }
  expect(operations.count).toBe(0);
});

test('F16: ids that differ in little are told apart', () => {
  const memory = new OperationMemory(ROOM, 0x9e3779b9);
  const { operations } = copyIn(memory);
  // Of one moment, and in both halves the same number: a plain mixture of them would be 0.
  const ids = Array.from({ length: 5_000 }, (_, at) => makeOperationId(START_MS, [at, at, 0]));
  for (const [at, id] of ids.entries()) operations.remember(id, outcomeOf(at));
  expect(ids.every((id, at) => operations.get(id)?.at.index === 2 ** 41 + at)).toBe(true);
});
