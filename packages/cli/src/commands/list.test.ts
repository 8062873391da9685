import type { Listed, Page } from '@memgrid/client';
import { expect, test } from 'vitest';
import { pageResult } from './list.ts';

const CONTENT = 'prefers tabs over spaces in every language that leaves the choice to people';

function pageOf(overrides: Partial<Page> = {}): Page {
  const entry = {
    id: '01a20ac0-2761-82c4-853c-1f5f689ba8f2',
    userId: 'ada',
    category: 'PATTERN',
    content: CONTENT,
    updatedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    upstream: { state: 'none' },
    superseded: [],
  };
  const items = [{ entry, version: 'v' }] as unknown as readonly Listed[];
  return { items, cursor: undefined, complete: true, stalenessMs: 0, ...overrides };
}

test.each([
  { columns: 110, titles: ['ID', 'OWNER', 'CATEGORY', 'UPDATED (UTC)', 'CONTENT'] },
  { columns: 80, titles: ['ID', 'OWNER', 'CATEGORY', 'CONTENT'] },
  { columns: 60, titles: ['ID', 'CONTENT'] },
])('a terminal of $columns columns has room for $titles', ({ columns, titles }) => {
  const [head = '', row = ''] = pageResult(pageOf(), columns).text.split('\n');
  expect(head.split(/ {2,}/)).toEqual(titles);
  expect(row.length).toBeLessThanOrEqual(columns);
  expect(row).toMatch(/prefers.*…$/);
});

test('through a pipe nothing is cut', () => {
  const { text } = pageResult(pageOf(), Infinity);
  expect(text.endsWith(`2026-01-02 03:04:05  ${CONTENT}`)).toBe(true);
});

test('that there is more is said, with the way to it', () => {
  expect(pageResult(pageOf({ cursor: 'c' }), 80).warnings).toEqual(['There is more: --cursor c']);
});
