import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryPatchField,
  failedResult,
  patchEntry,
  problemText,
  WireError,
  type EntryBody,
  type JsonObject,
} from '@memgrid/protocol';
import type { EntryAdmission } from '../gateway/gateway-io.ts';
import type { EntryRules } from '../shards/shards-io.ts';

const IMMUTABLE = 'immutable: the entry was stored as immutable, so it can only be deleted.';

/** What holds for every entry, whatever the schema of its namespace. */
export const plainEntryRules: EntryRules & EntryAdmission = {
  admitted(_namespace, entry) {
    const owner = decoded<EntryBody>(() => decodeValue(entryBodyField, entry, 'entry'));
    if (typeof owner === 'string') return refused(owner);
    // Encoded anew, so that equal entries are equal bytes whoever sent them.
    const bytes = decoded(() => encodeValue(entryBodyField, owner));
    return typeof bytes === 'string' ? refused(bytes) : { kind: 'entry', entry: bytes, owner };
  },

  shown: (entry) => ({ kind: 'entry', entry }),

  patched(entry, patch, nowMs) {
    const body = decoded<EntryBody>(() => decodeValue(entryBodyField, entry, 'entry'));
    if (typeof body === 'string') return { kind: 'problems', problems: [body] };
    const changes = decoded<JsonObject>(() => decodeValue(entryPatchField, patch, 'patch'));
    if (typeof changes === 'string') return { kind: 'problems', problems: [changes] };
    const result = patchEntry(body, changes, { nowMs, categories: 'any' });
    if (result.kind === 'immutable') return { kind: 'problems', problems: [IMMUTABLE] };
    if (result.kind === 'invalid') {
      return { kind: 'problems', problems: result.problems.map(problemText) };
    }
    const bytes = decoded(() => encodeValue(entryBodyField, result.body));
    if (typeof bytes === 'string') return { kind: 'problems', problems: [bytes] };
    return { kind: 'entry', entry: bytes, expiresAt: result.body.expiresAt };
  },
};

function refused(problem: string): ReturnType<EntryAdmission['admitted']> {
  return { kind: 'failed', failure: failedResult('INVALID_ENTRY', { problems: [problem] }) };
}

/** The value, or in a sentence why the bytes (or the fields) make none. */
function decoded<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}
