import { expect, test } from 'vitest';
import { summaryOf, type CpuProfile, type ProfileNode } from '../../bench/profile/cpu-profile.ts';

const STORE = '/somewhere/node_modules/.pnpm';

function nodeOf(
  id: number,
  functionName: string,
  {
    url = '',
    children = [],
  }: { readonly url?: string; readonly children?: readonly number[] } = {},
): ProfileNode {
  return { id, callFrame: { functionName, url, lineNumber: 9 }, children };
}

const step = 'file:///somewhere/packages/core/src/shards/shards.ts';
const PROFILE: CpuProfile = {
  nodes: [
    nodeOf(1, '(root)', { children: [2, 6, 7, 8, 9] }),
    nodeOf(2, 'step', { url: step, children: [3, 4] }),
    // Calls itself: what is below it counts once.
    nodeOf(3, 'step', { url: step, children: [5] }),
    nodeOf(4, 'pack', { url: `file://${STORE}/msgpackr@2.1.3/node_modules/msgpackr/pack.js` }),
    nodeOf(5, 'write', { url: 'node:internal/streams/writable' }),
    nodeOf(6, '(idle)'),
    nodeOf(7, '(garbage collector)'),
    nodeOf(8, 'writev'),
    nodeOf(9, 'post', { url: 'node:inspector' }),
  ],
  samples: [2, 3, 4, 5, 6, 7, 8, 9],
  timeDeltas: [10, 20, 30, 40, 500, 60, 70, 5],
};

test('time is that of the function itself, and neither idleness nor profiling is anybody’s', () => {
  const { totalUs, idleUs, functions } = summaryOf(PROFILE);
  expect({ totalUs, idleUs }).toEqual({ totalUs: 735, idleUs: 505 });
  expect(functions).toEqual([
    { name: 'writev', us: 70 },
    { name: '(garbage collector)', us: 60 },
    { name: 'write (node:internal/streams/writable:10)', us: 40 },
    { name: 'step (core/src/shards/shards.ts:10)', us: 30 },
    { name: 'pack (msgpackr/pack.js:10)', us: 30 },
  ]);
});

test('a function with what it calls counts once, also when it calls itself', () => {
  expect(summaryOf(PROFILE).inclusive[0]).toEqual({
    name: 'step (core/src/shards/shards.ts:10)',
    us: 100,
  });
});

test('the time of a part of memgrid, of another package, of Node and of the engine', () => {
  expect(summaryOf(PROFILE).packages).toEqual([
    { name: 'native functions', us: 70 },
    { name: 'garbage collection', us: 60 },
    { name: 'node:internal/streams', us: 40 },
    { name: 'core/shards', us: 30 },
    { name: 'msgpackr', us: 30 },
  ]);
});
