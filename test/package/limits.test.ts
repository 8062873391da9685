import {
  ELECTION_LAN,
  ELECTION_LOCAL,
  ELECTION_WAN,
  GATEWAY_LIMITS,
  MEMBERSHIP_LAN,
  MEMBERSHIP_LOCAL,
  MEMBERSHIP_WAN,
  PLANNER,
  SESSION_DEFAULTS,
  SHARDS_DEFAULTS,
} from '@memgrid/core';
import { LIMITS } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { readRepositoryFile } from '../tidy/repository.ts';
import { rowsUnder } from './markdown-table.ts';

const markdown = readRepositoryFile('docs/limits.md');

function numbers(heading: string, column: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    rowsUnder(markdown, heading).map((row) => [row[0] ?? '', Number(row[column])]),
  );
}

test('docs/limits.md has every limit of the wire, with its value', () => {
  expect(numbers('On the wire', 1)).toEqual(LIMITS);
});

test.each([
  { heading: 'Membership', column: 1, profile: MEMBERSHIP_LAN },
  { heading: 'Membership', column: 2, profile: MEMBERSHIP_LOCAL },
  { heading: 'Membership', column: 3, profile: MEMBERSHIP_WAN },
  { heading: 'Election', column: 1, profile: ELECTION_LAN },
  { heading: 'Election', column: 2, profile: ELECTION_LOCAL },
  { heading: 'Election', column: 3, profile: ELECTION_WAN },
  { heading: 'Ownership of shards', column: 1, profile: PLANNER },
  { heading: 'Replication of shards', column: 1, profile: SHARDS_DEFAULTS },
  { heading: 'The front door', column: 1, profile: GATEWAY_LIMITS },
  { heading: "A client's session", column: 1, profile: SESSION_DEFAULTS },
])('docs/limits.md, $heading, column $column has every knob, with its value', (row) => {
  expect(numbers(row.heading, row.column)).toEqual(row.profile);
});

test.each(rowsUnder(markdown, 'A node process'))(
  '%s is %s in %s',
  (name = '', value, file = '') => {
    const source = readRepositoryFile(`packages/node/src/${file}`);
    const declared = new RegExp(`const ${name} = ([^;]+);`).exec(source)?.[1] ?? '';
    const factors = declared.split('*').map((factor) => Number(factor.replaceAll('_', '')));
    expect(factors.reduce((product, factor) => product * factor, 1)).toBe(Number(value));
  },
);
