import { bareEntry } from '@memgrid/protocol';
import type { EntryBody } from '@memgrid/protocol';

/** An entry of user `u` that says nothing; override the interesting part. */
export function plainBody(overrides: Partial<EntryBody> = {}): EntryBody {
  return { ...bareEntry({ userId: 'u' }), checksum: '', ...overrides };
}
