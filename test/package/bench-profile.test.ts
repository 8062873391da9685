import { expect, test } from 'vitest';
import { callTree, layersOf } from '../../bench/profile/call-tree.ts';
import { summaryOf, type CpuProfile, type ProfileNode } from '../../bench/profile/cpu-profile.ts';
import { flameGraph } from '../../bench/profile/flame-graph.ts';
import { layerOf } from '../../bench/profile/layers.ts';
import { withProfiles } from '../../bench/profile/performance-page.ts';
import type { ProfiledProcess } from '../../bench/profile/profile-text.ts';

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

test.each([
  ['core/shards', 'shards'],
  ['core/membership', 'cluster'],
  ['core', 'event loop'],
  ['protocol', 'messages'],
  ['protocol/entry', 'entry'],
  ['node:net', 'network'],
  ['node:internal/timers', 'event loop'],
  ['native functions', 'disk'],
  ['node:buffer', 'disk'],
  ['a-package-that-nobody-knows', 'disk'],
  ['ws-of-somebody-else', 'disk'],
] as const)('%s, called by the disk, is of the layer %s', (part, layer) => {
  expect(layerOf(part, 'disk')).toBe(layer);
});

test('the layers have all the time that was not idle', () => {
  const tree = callTree(PROFILE);
  const { totalUs, idleUs } = summaryOf(PROFILE);
  expect(Object.fromEntries(layersOf(tree))).toEqual({
    engine: 70,
    garbage: 60,
    network: 40,
    shards: 30,
    messages: 30,
  });
  expect(tree.us).toBe(totalUs - idleUs);
});

test('a flame graph has a box for each call, below and within that of its caller', () => {
  const svg = flameGraph(callTree(PROFILE), { title: 'set <one>', operations: 10 });
  const drawn =
    /<title>(\(.*?\)|[^ :]+).*?<\/title><rect class="\S+" x="(\S+)" y="(\d+)" width="(\S+)"/g;
  const boxes = [...svg.matchAll(drawn)].map(([, name, x, y, width]) => ({
    name,
    x: Number(x),
    y: Number(y),
    right: Number(x) + Number(width),
  }));
  expect(boxes.map(({ name }) => name)).toEqual([
    'step',
    'step',
    'write',
    'pack',
    'writev',
    '(garbage collector)',
  ]);
  const [outer, inner] = boxes;
  expect(inner?.y).toBeGreaterThan(outer?.y ?? 0);
  expect(inner?.x).toBeGreaterThanOrEqual(outer?.x ?? 0);
  expect(inner?.right).toBeLessThanOrEqual((outer?.right ?? 0) + 0.1);
  expect(svg).toContain('set &lt;one&gt;');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('a flame graph of a process that did nothing can be drawn', () => {
  const nothing = { nodes: [nodeOf(1, '(root)')], samples: [], timeDeltas: [] };
  expect(flameGraph(callTree(nothing), { title: 'get', operations: 0 })).not.toMatch(
    /NaN|Infinity/,
  );
});

test('the page says by layer, in words, where the time went, and leads to the picture', () => {
  const process: ProfiledProcess = {
    workload: 'set',
    where: 'one node',
    who: 'the node',
    operations: 10,
    perSecond: 1_000,
    cpuUs: 25,
    summary: summaryOf(PROFILE),
    tree: callTree(PROFILE),
    file: 'set-1-node',
  };
  const marks = [
    '<!-- profiled: begin (written by `pnpm bench --profile --record`) -->',
    '<!-- profiled: end -->',
  ];
  const on = { commit: '1a2b3c4', machine: 'A machine', date: '2026-05-08T13:56:07.000Z' };
  const page = withProfiles(
    ['before', marks[0], 'old', marks[1], 'after'].join('\n'),
    [process],
    on,
  );
  expect(page).toContain(
    '- set, the node: 23.0 µs, most of it in engine (30 %), garbage (26 %) and network (17 %).',
  );
  expect(page).toMatch(/\| shards \| [a-z ,]+ \| 3\.00 \(13 %\) \|/);
  expect(page).toContain('as the kernel counts | 25.00 |');
  expect(page).toContain('(../bench/reports/profile-set-1-node.svg)');
  expect(page).not.toContain('old');
  expect([page.startsWith('before'), page.endsWith('after')]).toEqual([true, true]);
});
