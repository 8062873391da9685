import { expect, test } from 'vitest';
import { decodeClientMessage, encodeClientMessage } from './client-codec.ts';
import { ERROR_CODES } from './error-codes.ts';
import { actorId, nodeId, shardId } from './ids.ts';
import type { Answer } from './messages/operations.ts';
import { errorOfResult, failedResult, type FailedResult } from './operation-failure.ts';
import { LIMITS } from './limits.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';

const B = nodeId('0b000000000000000000000000000002');

function answerWith(result: FailedResult): Answer {
  return { id: 1, shard: shardId(3, 8), position: { epoch: 0, index: 0 }, result };
}

function travelled(result: FailedResult): FailedResult {
  const bytes = encodeClientMessage({ type: 'answers', answers: [answerWith(result)] });
  return resultIn(bytes);
}

function resultIn(bytes: Uint8Array): FailedResult {
  const decoded = decodeClientMessage(bytes);
  if (decoded.kind !== 'message' || decoded.message.type !== 'answers') {
    throw new Error(JSON.stringify(decoded));
  }
  return decoded.message.answers[0]?.result as FailedResult;
}

test('W10: a failed operation arrives as the error of its code, with details', () => {
  const current = {
    dot: { actor: actorId(B, 0), counter: 5 },
    timestamp: { ms: 7, counter: 0 },
  };
  const failed = failedResult('VERSION_CONFLICT', { current: 'v5' }, { current });
  const received = travelled(failed);
  expect(received).toEqual(failed);
  expect(errorOfResult(received)).toMatchObject({
    code: 'VERSION_CONFLICT',
    message: 'The entry exists in version v5; the write asked for another version, or for none.',
    details: { current: 'v5' },
    applied: 'no',
    retry: 'never',
  });
});

test('W10: what a node knows better than the table is what the caller reads', () => {
  const details = { shard: 3, problem: 'Its primary is gone.' };
  const options = { applied: 'no', hint: B, message: 'Wait a little.' } as const;
  const error = errorOfResult(travelled(failedResult('SHARD_UNAVAILABLE', details, options)));
  expect(ERROR_CODES.SHARD_UNAVAILABLE.applied).toBe('unknown');
  expect(error).toMatchObject({ applied: 'no', message: 'Wait a little.', details });
  expect(failedResult('SHARD_UNAVAILABLE', details, options).hint).toBe(B);
});

test('W10: a code of a newer version keeps its number, its sentence and what happened', () => {
  const answers = [answerWith(failedResult('OVERLOADED', { waiting: 5, max: 4 }))];
  const bytes = encodeClientMessage({ type: 'answers', answers });
  const raw = unpack(bytes, bytes.length) as WireValue[];
  const [[answer]] = raw[1] as [[WireValue[]]];
  (answer[3] as WireValue[])[1] = 4_000;
  const received = resultIn(pack(raw));
  const expected = {
    code: 'UNKNOWN_CODE',
    message: '5 requests are waiting; at most 4 may.',
    details: { wire: 4_000 },
    applied: 'no',
  };
  expect(errorOfResult(received)).toMatchObject(expected);
  // As a node passes it on that does not know the code either.
  expect(errorOfResult(travelled(received))).toMatchObject(expected);
});

test('an error names the operation that it is about, and a read has none', () => {
  const failed = failedResult('TIMEOUT', { timeoutMs: 5 }, { applied: 'unknown' });
  expect(errorOfResult(failed, 'an-id').operationId).toBe('an-id');
  expect(errorOfResult(failed).operationId).toBeUndefined();
});

test('W10: details that are none of the code are a bad message, and never a crash', () => {
  const failed = { ...failedResult('CLOSED', {}), details: Uint8Array.of(0xc1) };
  const error = errorOfResult(failed);
  expect(error).toMatchObject({ code: 'BAD_MESSAGE', applied: 'no' });
  expect(error.message).toContain('details: byte 0: expected a list');
});

test('W6: of a thousand problems the first 64 travel', () => {
  const problems = Array.from({ length: 1_000 }, (_, i) => `Problem ${i}.`);
  const error = errorOfResult(travelled(failedResult('INVALID_ENTRY', { problems })));
  expect(error.details).toEqual({ problems: problems.slice(0, LIMITS.problemsMax) });
});
