import type { EntryBody } from '@memgrid/protocol';

/** An entry of user `u` that says nothing; override the interesting part. */
export function plainBody(overrides: Partial<EntryBody> = {}): EntryBody {
  return {
    userId: 'u',
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
    ...overrides,
  };
}
