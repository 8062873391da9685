import { expect, test } from 'vitest';
import { formatAddress, isLoopback, isWildcard, parseAddress } from './address.ts';

test.each([
  ['127.0.0.1:7700', { host: '127.0.0.1', port: 7700 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['node-1.grid.local:65535', { host: 'node-1.grid.local', port: 65_535 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
])('%s is an address', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(text);
});

test.each([
  '',
  'localhost',
  ':7700',
  'localhost:',
  'localhost:65536',
  'localhost:-1',
  'localhost:7700/peer',
  'user@localhost:7700',
  'localhost:7700?x',
  'http://localhost:7700',
  '::1:7700',
  '[::1:7700',
  'a b:1',
  '-a:1',
  'local\nhost:1',
  `${'a'.repeat(254)}:1`,
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each([
  ['localhost', true, false],
  ['127.9.9.9', true, false],
  ['::1', true, false],
  ['0.0.0.0', false, true],
  ['::', false, true],
  ['10.0.0.1', false, false],
  ['127.evil.example', false, false],
])('%s: loopback %s, wildcard %s', (host, loopback, wildcard) => {
  expect(isLoopback(host)).toBe(loopback);
  expect(isWildcard(host)).toBe(wildcard);
});
