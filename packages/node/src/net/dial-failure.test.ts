import { expect, test } from 'vitest';
import { dialFailure } from './dial-failure.ts';

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test.each([
  ['refused', ['ECONNREFUSED']],
  ['refused', ['ECONNREFUSED', 'ECONNREFUSED']],
  ['refused', ['EADDRNOTAVAIL', 'ECONNREFUSED']],
  ['unreachable', ['EHOSTUNREACH', 'ECONNREFUSED']],
  ['timeout', ['ETIMEDOUT', 'ECONNREFUSED']],
  ['unreachable', ['ENETUNREACH']],
  ['unreachable', ['EADDRNOTAVAIL', 'ENETUNREACH']],
] as const)('the whole name is %s when its addresses say %j', (failure, codes) => {
  expect(dialFailure(new AggregateError(codes.map(coded)))).toBe(failure);
});

test.each([
  ['ECONNREFUSED', 'refused'],
  ['ENOTFOUND', 'unreachable'],
  ['ECONNRESET', 'unreachable'],
  ['EPROTO', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
] as const)('%s means %s', (code, failure) => {
  expect(dialFailure(coded(code))).toBe(failure);
});

test('an error without a code is no evidence of anything', () => {
  expect(dialFailure(new Error('Unexpected server response: 503'))).toBe('unreachable');
});
