import { expect, test } from 'vitest';
import { givenUp } from './given-up.ts';

const GONE = new Set(['x', 'y']);
type Stage = 'stable' | 'admit' | 'dual' | 'switch';

test.each<{ what: string; stage: Stage; replicas: string; next: string; becomes: string }>([
  { what: 'elsewhere', stage: 'stable', replicas: 'abc', next: '', becomes: 'untouched' },
  { what: 'with a majority left', stage: 'stable', replicas: 'abx', next: '', becomes: 'held' },
  { what: 'without a majority', stage: 'stable', replicas: 'axy', next: '', becomes: 'closed' },
  { what: 'with half of two copies', stage: 'stable', replicas: 'ax', next: '', becomes: 'closed' },
  { what: 'with no copy', stage: 'stable', replicas: 'xy', next: '', becomes: 'lost' },
  { what: 'that can roll back', stage: 'dual', replicas: 'abx', next: 'axy', becomes: 'held' },
  { what: 'that cannot', stage: 'dual', replicas: 'axy', next: 'abc', becomes: 'closed' },
  { what: 'half moved', stage: 'switch', replicas: 'abc', next: 'axy', becomes: 'closed' },
])('a shard $what is $becomes', ({ stage, replicas, next, becomes }) => {
  const shard = { shard: 7, stage, replicas: [...replicas], next: [...next] };
  const { held, closed, lost } = givenUp([shard], GONE);
  expect({ held, closed: closed.length, lost: lost.length }).toEqual({
    held: becomes === 'untouched' ? 0 : 1,
    closed: becomes === 'closed' || becomes === 'lost' ? 1 : 0,
    lost: becomes === 'lost' ? 1 : 0,
  });
});
