import { nodeId, term } from '@memgrid/protocol';
import type { Generation } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { LogLines } from './log-lines.ts';
import type { LogLinesOptions } from './log-lines.ts';

const peer = nodeId('ab'.repeat(16));

function linesOf(overrides: Partial<LogLinesOptions> = {}) {
  const written: string[] = [];
  const lines = new LogLines({
    level: 'info',
    format: 'json',
    to: { write: (line) => written.push(line) },
    ...overrides,
  });
  return { lines, written };
}

test('one event is one JSON object on one line, under its stable name', () => {
  const { lines, written } = linesOf();
  lines.identify('cd'.repeat(16), 3);
  lines.show({ name: 'coordinator.elected', term: term(7), leader: peer });
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^\{.*\}\n$/);
  const line: unknown = JSON.parse(written[0] ?? '');
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
    node: 'cd'.repeat(16),
    generation: 3,
    term: 7,
    leader: peer,
    event: 'coordinator.elected',
  });
});

test("a member's generation does not hide the generation of the node that speaks", () => {
  const { lines, written } = linesOf();
  lines.identify('cd'.repeat(16), 3);
  lines.show({ name: 'member.restarted', member: peer, generation: 9 as Generation });
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ generation: 3, memberGeneration: 9 });
  expect(written[0]?.match(/"generation"/g)).toHaveLength(1);
});

test('events below the level are not shown', () => {
  const { lines, written } = linesOf({ level: 'warn' });
  lines.show({ name: 'coordinator.elected', term: term(7), leader: peer });
  lines.show({ name: 'loop.stalled', stalledMs: 400 });
  expect(written).toHaveLength(1);
});

test('a handshake that is refused for an ordinary reason is no warning', () => {
  const { lines, written } = linesOf({ level: 'warn' });
  for (const reason of ['self', 'duplicate', 'wrongCluster'] as const) {
    lines.show({ name: 'peer.rejected', address: 'a:1', reason, detail: '' });
  }
  expect(written.map((line) => (JSON.parse(line) as { reason: string }).reason)).toEqual([
    'wrongCluster',
  ]);
});

test('text puts the same facts on one line for a person', () => {
  const { lines, written } = linesOf({ format: 'text' });
  lines.identify('cd'.repeat(16), 3);
  lines.show({ name: 'node.stopped', code: 'left', detail: 'All said.\nBye' });
  expect(written[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info {2}cdcdcdcd\.3 node\.stopped code=left detail="All said\.\\nBye"\n$/,
  );
});
