import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['memgrid-source'] },
  ssr: { resolve: { conditions: ['memgrid-source'] } },
  test: {
    // Two cores: one worker for each.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/cluster/**', '**/node_modules/**', '**/dist/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real processes with real timers: last and alone, so that nothing else starves them.
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
