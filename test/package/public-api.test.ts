import { expect, test } from 'vitest';
import { exportedNames } from './public-api.ts';

const ENTRY_POINTS = [
  ['protocol', 'packages/protocol/src/index.ts'],
  ['core', 'packages/core/src/index.ts'],
  ['core-testing', 'packages/core/src/testing/index.ts'],
  ['node', 'packages/node/src/index.ts'],
  ['node-config', 'packages/node/src/config/index.ts'],
  ['client', 'packages/client/src/index.ts'],
  ['simulator', 'packages/simulator/src/index.ts'],
  ['cli', 'packages/cli/src/index.ts'],
  ['cli-bench', 'packages/cli/src/bench/index.ts'],
] as const;

// A changed name is a decision: `vitest run test/package -u` records it, and review sees it.
test.each(ENTRY_POINTS)('the public names of %s are the recorded ones', async (name, entry) => {
  const names = exportedNames(entry);
  expect(names.length).toBeGreaterThan(0);
  await expect(`${names.join('\n')}\n`).toMatchFileSnapshot(`api/${name}.txt`);
});
