import { entryChecksum } from './entry-checksum.ts';
import type { EntryBody } from './entry.ts';

const BARE: EntryBody = {
  userId: '',
  agentId: '',
  appId: '',
  runId: '',
  content: '',
  category: '',
  categories: [],
  metadata: {},
  createdAt: 0,
  updatedAt: 0,
  expiresAt: 0,
  immutable: false,
  schema: '',
  schemaVersion: 0,
  checksum: '',
  upstreamId: '',
  upstreamState: 'none',
  upstreamHash: '',
  upstreamConfirmedAt: 0,
  superseded: [],
};

/**
 * An entry with what is given and every other field at its default, its checksum right. For those
 * who make entries themselves (simulations, measurements); callers' input goes through
 * `validateEntry`, and nothing is checked here.
 */
export function bareEntry(fields: Partial<Omit<EntryBody, 'checksum'>>): EntryBody {
  const body = { ...BARE, ...fields };
  return { ...body, checksum: entryChecksum(body) };
}
