import {
  answerBytes,
  failedResult,
  LIMITS,
  operationBytes,
  shardId,
  type Answer,
  type Operation,
  type OperationBody,
} from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerWeight, operationWeight } from './message-weight.ts';

const SHARD = shardId(4095, 4096);
const name = (max: number): fc.Arbitrary<string> =>
  fc.string({ minLength: 1, maxLength: max, unit: 'grapheme' }).filter((text) => {
    const bytes = operationBytesOf({ kind: 'get', namespace: 'n', key: text });
    return bytes !== undefined;
  });

function operationOf(body: OperationBody): Operation {
  return {
    id: Number.MAX_SAFE_INTEGER,
    shard: SHARD,
    operationId: 'x'.repeat(LIMITS.operationIdBytesMax),
    body,
    read: 'strong',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: Number.MAX_SAFE_INTEGER,
    noAutonomous: true,
    atLeast: Number.MAX_SAFE_INTEGER,
  };
}

/** Undefined for what may not travel. */
function operationBytesOf(body: OperationBody): number | undefined {
  try {
    return operationBytes(operationOf(body));
  } catch {
    return undefined;
  }
}

const condition = { kind: 'always' } as const;
const bytes = fc.uint8Array({ minLength: 1, maxLength: 2_000 });
const body: fc.Arbitrary<OperationBody> = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), namespace: fc.constant('n'), key: name(30) }),
  fc
    .record({ key: name(30), entry: bytes })
    .map(({ key, entry }) => ({ kind: 'put', namespace: 'n', key, entry, condition }) as const),
  fc
    .record({ key: name(30), patch: bytes })
    .map(
      ({ key, patch }) =>
        ({ kind: 'update', namespace: 'n', key, patch, schemaVersion: 0, condition }) as const,
    ),
  name(30).map(
    (userId) =>
      ({
        kind: 'list',
        scope: { namespace: 'n', userId, agentId: '', appId: '', runId: '' },
        after: '',
        limit: 1_000,
        countOnly: false,
        schemaVersion: 0,
      }) as const,
  ),
);

test('H13: the estimate of an operation is never below the truth', () => {
  fc.assert(
    fc.property(body, (one) => {
      expect(operationWeight(operationOf(one))).toBeGreaterThanOrEqual(operationBytesOf(one) ?? 0);
    }),
  );
});

test('H13: the estimate of an answer is never below the truth', () => {
  const version = {
    dot: { actor: `${'a'.repeat(32)}.4294967295` as never, counter: Number.MAX_SAFE_INTEGER },
    timestamp: { ms: 281_474_976_710_655, counter: 65_535 },
  };
  const found = { key: '\u{1f600}'.repeat(30), entry: new Uint8Array(2_000), version };
  const results: readonly Answer['result'][] = [
    { kind: 'absent', source: 'primary', stalenessMs: Number.MAX_SAFE_INTEGER },
    { kind: 'found', found, source: 'quorum', stalenessMs: Number.MAX_SAFE_INTEGER },
    {
      kind: 'listed',
      entries: Array.from({ length: 50 }, () => found),
      count: Number.MAX_SAFE_INTEGER,
      more: true,
      source: 'replica',
      stalenessMs: Number.MAX_SAFE_INTEGER,
    },
    {
      kind: 'history',
      steps: Array.from({ length: 50 }, () => ({
        version,
        kind: 'update' as const,
        entry: new Uint8Array(10),
        position: { epoch: Number.MAX_SAFE_INTEGER, index: Number.MAX_SAFE_INTEGER },
      })),
      complete: true,
    },
    failedResult('INVALID_ENTRY', { problems: ['é'.repeat(200)] }, { current: version }),
  ];
  for (const result of results) {
    const position = { epoch: Number.MAX_SAFE_INTEGER, index: Number.MAX_SAFE_INTEGER };
    const answer: Answer = { id: Number.MAX_SAFE_INTEGER, shard: SHARD, position, result };
    expect(answerWeight(answer), result.kind).toBeGreaterThanOrEqual(answerBytes(answer));
  }
});
