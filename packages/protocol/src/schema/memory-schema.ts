import type { EntrySchema } from './schema.ts';

/** The categories of the built-in schema. */
export const MEMORY_CATEGORIES = ['PATTERN', 'ERROR', 'TEAM', 'PROJECT'] as const;

/** What every cluster knows without anybody having defined it. Later versions may follow it. */
export const MEMORY_SCHEMA: EntrySchema = {
  name: 'memory',
  version: 1,
  body: {
    type: 'object',
    properties: {
      content: { type: 'string' },
      category: { type: 'string', enum: [...MEMORY_CATEGORIES] },
      categories: { type: 'array', items: { type: 'string' } },
      metadata: { type: 'object' },
    },
    required: ['content', 'categories', 'metadata'],
    additionalProperties: false,
  },
  mergePolicies: {},
  migrations: { up: [], down: [] },
};
