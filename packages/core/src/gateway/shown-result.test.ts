import { failedResult, type OperationResult } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import type { EntryAdmission } from './gateway-io.ts';
import { shownResult } from './shown-result.ts';

/** Entries of one byte: 1 is shown as 2, 3 cannot be shown, all others stay. */
const rules: EntryAdmission = {
  ...plainEntryRules,
  shown: (entry) => {
    if (entry[0] === 3) {
      const failure = failedResult('SCHEMA_UNKNOWN', { schema: 's', version: 3 });
      return { kind: 'failed', failure };
    }
    return { kind: 'entry', entry: entry[0] === 1 ? Uint8Array.of(2) : entry };
  },
};

const version = { dot: { actor: 'a' as never, counter: 1 }, timestamp: { ms: 1, counter: 0 } };

function listed(...entries: readonly number[]): OperationResult {
  const found = entries.map((byte, at) => {
    return { key: `k${at}`, entry: byte === 0 ? new Uint8Array() : Uint8Array.of(byte), version };
  });
  const facts = { count: 0, more: false, source: 'primary', stalenessMs: 0 } as const;
  return { kind: 'listed', entries: found, ...facts };
}

test('a list of which everything is shown as it is stays the same object', () => {
  const result = listed(7, 0, 8);
  expect(shownResult(result, rules, undefined)).toBe(result);
});

test('what is shown differently takes its place in the list', () => {
  const shown = shownResult(listed(7, 1, 0, 8, 1), rules, undefined);
  expect(shown).toEqual(listed(7, 2, 0, 8, 2));
});

test('one entry that cannot be shown fails the list', () => {
  expect(shownResult(listed(7, 3, 1), rules, undefined)).toMatchObject({ code: 'SCHEMA_UNKNOWN' });
});
