import { expect, test } from 'vitest';
import { PACKAGES, runTool } from './planted-workspace.ts';

// `pnpm test` is the one command the README names, so it has to notice a type error as well.
// Nothing is emitted: a stale dist would let a broken source pass.

test.each([...PACKAGES.map((name) => `packages/${name}`), 'tsconfig.test.json'])(
  '%s has no type errors',
  async (project) => {
    const { output } = await runTool('tsc', ['-p', project, '--pretty', 'false']);
    expect(output).toBe('');
  },
);
