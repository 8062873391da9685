import type { NodeInput } from '@memgrid/core';
import { expect, test } from 'vitest';
import { Requests } from './requests.ts';

function requestsOf(accepts = true) {
  const pushed: NodeInput[] = [];
  const requests = new Requests((input) => {
    pushed.push(input);
    return accepts;
  });
  return { requests, pushed };
}

test('every request gets its own answer', async () => {
  const { requests, pushed } = requestsOf();
  const first = requests.ask({ kind: 'readIndex' }, 60_000);
  const second = requests.ask({ kind: 'readIndex' }, 60_000);
  expect(pushed.map((input) => input.kind === 'request' && input.request)).toEqual([1, 2]);
  requests.answer(2, { kind: 'failed', reason: 'noLeader', detail: '' });
  requests.answer(1, { kind: 'failed', reason: 'notLeader', detail: '' });
  expect(await first).toMatchObject({ reason: 'notLeader' });
  expect(await second).toMatchObject({ reason: 'noLeader' });
});

test('no answer in time is an answer, and the late one finds nobody', async () => {
  const { requests } = requestsOf();
  expect(await requests.ask({ kind: 'readIndex' }, 1)).toEqual({
    kind: 'failed',
    reason: 'timeout',
    detail: 'No answer within 1 ms.',
  });
  requests.answer(1, { kind: 'failed', reason: 'noLeader', detail: '' });
});

test('a full inbox, too many requests and the end are answered at once', async () => {
  const full = requestsOf(false).requests;
  expect(await full.ask({ kind: 'readIndex' }, 60_000)).toMatchObject({ reason: 'overloaded' });
  const { requests } = requestsOf();
  const waiting = Array.from({ length: 1_024 }, () => requests.ask({ kind: 'readIndex' }, 60_000));
  expect(await requests.ask({ kind: 'readIndex' }, 60_000)).toMatchObject({ reason: 'overloaded' });
  requests.close();
  expect(new Set((await Promise.all(waiting)).map((reply) => JSON.stringify(reply))).size).toBe(1);
  expect(await waiting[0]).toMatchObject({ reason: 'shuttingDown' });
  expect(await requests.ask({ kind: 'readIndex' }, 60_000)).toMatchObject({
    reason: 'shuttingDown',
  });
});
