import type { EntryRules } from '../shards/shards-io.ts';

/** What holds for entries of a cluster without schemas. */
export const plainEntryRules: EntryRules = {
  patched: () => ({
    kind: 'problems',
    problems: ['This version of memgrid cannot patch entries.'],
  }),
};
