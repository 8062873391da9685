import { expect, test } from 'vitest';
import { sessionStorm } from '../testing/session-storm.ts';

const SEEDS = Array.from({ length: 80 }, (_, at) => at + 1);

test('Q1, Q3, Q4, Q10, Q14, Q16: through any storm a session keeps its promises', () => {
  const problems = SEEDS.map((seed) => ({ seed, problems: sessionStorm(seed) }));
  expect(problems.filter((it) => it.problems.length > 0)).toEqual([]);
});
