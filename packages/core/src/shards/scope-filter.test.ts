import { encodeValue, entryBodyField, LIMITS, type Scope } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainBody } from '../testing/plain-body.ts';
import { ScopeFilter } from './scope-filter.ts';

// Some share a beginning, some are longer than a head of one byte can say.
const part = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'ä',
  'x'.repeat(31),
  'x'.repeat(32),
  'é'.repeat(60),
);
const owner = fc.record({ userId: part, agentId: part, appId: part, runId: part });

function isOf(entry: Omit<Scope, 'namespace'>, scope: Omit<Scope, 'namespace'>): boolean {
  return (['userId', 'agentId', 'appId', 'runId'] as const).every((name) => {
    return scope[name] === '' || scope[name] === entry[name];
  });
}

test('an entry is of a scope when it has every part that is named', () => {
  fc.assert(
    fc.property(owner, owner, fc.nat(15), (own, other, same) => {
      // Half of the parts are those of the entry, or a filter would hardly ever match.
      const scope = {
        namespace: 'n',
        userId: (same & 1) === 0 ? own.userId : other.userId,
        agentId: (same & 2) === 0 ? own.agentId : other.agentId,
        appId: (same & 4) === 0 ? own.appId : other.appId,
        runId: (same & 8) === 0 ? own.runId : other.runId,
      };
      const entry = encodeValue(entryBodyField, plainBody(own));
      expect(new ScopeFilter(scope).matches(entry)).toBe(isOf(own, scope));
    }),
  );
});

test('the longest part of a scope is found', () => {
  const userId = 'u'.repeat(LIMITS.scopePartBytesMax);
  const filter = new ScopeFilter({ namespace: 'n', userId, agentId: '', appId: '', runId: 'r' });
  const runs = ['r', 's'].map((runId) => encodeValue(entryBodyField, plainBody({ userId, runId })));
  expect(runs.map((entry) => filter.matches(entry))).toEqual([true, false]);
});
