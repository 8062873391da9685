import { failedResult, shardId } from '@memgrid/protocol';
import type { Answer, Operation } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { OperationMeter } from './operation-meter.ts';

const SHARD = shardId(1, 8);

function operationOf(id: number, body: Operation['body']): Operation {
  return {
    id,
    shard: SHARD,
    operationId: '',
    body,
    read: 'one',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: 1,
    noAutonomous: false,
    atLeast: 0,
  };
}

function answerOf(id: number, result: Answer['result']): Answer {
  return { id, shard: SHARD, position: { epoch: 0, index: 0 }, result };
}

test('each operation is measured once, from its question to its answer, with its outcome', () => {
  let nowMs = 1_000;
  const seen: unknown[] = [];
  const meter = new OperationMeter(
    () => nowMs,
    (measured) => seen.push(measured),
  );
  const get = { kind: 'get', namespace: 'n', key: 'k' } as const;
  const condition = { kind: 'always' } as const;
  const remove = { kind: 'delete', namespace: 'n', key: 'k', condition } as const;
  const operations = [1, 4, 5].map((id) => operationOf(id, get));
  operations.push(operationOf(2, remove), operationOf(3, remove));
  meter.received(-1, { type: 'operations', operations });
  nowMs += 20;
  const absent = { kind: 'absent', source: 'primary', stalenessMs: 0 } as const;
  const answers = [
    answerOf(1, absent),
    answerOf(2, failedResult('TIMEOUT', { timeoutMs: 1 }, { applied: 'unknown' })),
    answerOf(3, failedResult('OVERLOADED', { waiting: 1, max: 1 })),
    answerOf(4, absent),
    answerOf(5, absent),
  ];
  meter.sent(-1, { type: 'answers', answers });
  meter.sent(-1, { type: 'answers', answers });
  meter.sent(-2, { type: 'answers', answers });
  expect(seen).toEqual([
    { kind: 'get', outcome: 'ok', seconds: 0.02, count: 1 },
    { kind: 'delete', outcome: 'unknown', seconds: 0.02, count: 1 },
    { kind: 'delete', outcome: 'failed', seconds: 0.02, count: 1 },
    { kind: 'get', outcome: 'ok', seconds: 0.02, count: 2 },
  ]);
});

test('what a lost connection waited for is forgotten', () => {
  const seen: unknown[] = [];
  const meter = new OperationMeter(
    () => 0,
    (measured) => seen.push(measured),
  );
  const get = { kind: 'get', namespace: 'n', key: 'k' } as const;
  meter.received(-1, { type: 'operations', operations: [operationOf(1, get)] });
  meter.gone(-1);
  const absent = { kind: 'absent', source: 'primary', stalenessMs: 0 } as const;
  meter.sent(-1, { type: 'answers', answers: [answerOf(1, absent)] });
  expect(seen).toEqual([]);
});

test('numbers that all want one place do not keep the node busy', () => {
  let measured = 0;
  const meter = new OperationMeter(
    () => 0,
    ({ count }) => (measured += count),
  );
  const get = { kind: 'get', namespace: 'n', key: 'k' } as const;
  // In one table of places this takes minutes: each look passes all that came before.
  const ids = Array.from({ length: 60_000 }, (_, at) => (at + 1) * 2 ** 32);
  meter.received(-1, { type: 'operations', operations: ids.map((id) => operationOf(id, get)) });
  meter.received(-1, { type: 'operations', operations: ids.map((id) => operationOf(id, get)) });
  const absent = { kind: 'absent', source: 'primary', stalenessMs: 0 } as const;
  for (const id of ids) meter.sent(-1, { type: 'answers', answers: [answerOf(id, absent)] });
  expect(measured).toBe(ids.length);
});
