import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['memgrid-source'] },
  ssr: { resolve: { conditions: ['memgrid-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Two cores: one worker for each. A cluster test starts processes of its own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
