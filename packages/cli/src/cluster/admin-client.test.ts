import { expect, test } from 'vitest';
import { stagedNode } from '../testing/staged-node.ts';
import type { Answer } from '../testing/staged-node.ts';
import { AdminClient } from './admin-client.ts';

async function ask(answer: Answer, token = ''): Promise<unknown> {
  await using node = await stagedNode(() => answer);
  return await new AdminClient({ url: node.url, timeoutMs: 300, token }).get('/cluster/status');
}

test('the body of an answer comes back', async () => {
  expect(await ask({ body: { phase: 'member' } })).toEqual({ phase: 'member' });
});

test('the token is shown, the body is JSON', async () => {
  await using node = await stagedNode(() => ({ body: {} }));
  const client = new AdminClient({ url: node.url, timeoutMs: 1_000, token: 'secret' });
  await client.post('/cluster/coordinator/handover', { to: 'abcd' });
  expect(node.asked).toEqual(['POST /cluster/coordinator/handover Bearer secret {"to":"abcd"}']);
});

const refusal = (code: string): unknown => ({ error: { code, message: 'No.', hint: 'Ask so.' } });

test.each([
  { what: 'a refused token', answer: { status: 401, body: refusal('UNAUTHORISED') }, exitCode: 4 },
  { what: 'a web page', answer: { status: 403, body: refusal('FORBIDDEN') }, exitCode: 4 },
  { what: 'an unknown path', answer: { status: 404, body: refusal('NOT_FOUND') }, exitCode: 5 },
  { what: 'a conflict', answer: { status: 409, body: refusal('CONFLICT') }, exitCode: 6 },
  { what: 'a starting node', answer: { status: 503, body: refusal('STARTING') }, exitCode: 1 },
  { what: 'another server', answer: { status: 200, body: '<html>' }, exitCode: 3 },
  { what: 'an error of another server', answer: { status: 502, body: 'bad gateway' }, exitCode: 3 },
  { what: 'silence', answer: 'silence' as const, exitCode: 3 },
])('$what ends with exit code $exitCode and a hint', async ({ answer, exitCode }) => {
  await expect(ask(answer)).rejects.toMatchObject({
    name: 'CommandError',
    exitCode,
    hint: expect.any(String) as string,
  });
});

test('nobody at the address: the reason is the system’s own', async () => {
  const { url, ...gone } = await stagedNode(() => 'silence');
  await gone[Symbol.asyncDispose]();
  const client = new AdminClient({ url, timeoutMs: 1_000, token: '' });
  await expect(client.get('/')).rejects.toThrow('ECONNREFUSED');
});

test('silence names the time that was waited', async () => {
  await expect(ask('silence')).rejects.toThrow('did not answer within 300 ms');
});
