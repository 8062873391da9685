import { expect, test } from 'vitest';
import { diskRoom } from './disk-room.ts';

const MIB = 1024 * 1024;

test.each([
  { used: 10, bytesMax: 0, free: 1000, max: 10 + 872, why: 'no limit: what the disk has' },
  { used: 10, bytesMax: 100, free: 1000, max: 100, why: 'the limit' },
  { used: 10, bytesMax: 100, free: 150, max: 32, why: 'less than the limit is there' },
  { used: 10, bytesMax: 100, free: 5, max: 10, why: 'only the reserve is left' },
  { used: 110, bytesMax: 100, free: 1000, max: 100, why: 'the limit was lowered' },
])('$used MiB used, at most $bytesMax, $free free: $why', ({ used, bytesMax, free, max }) => {
  const room = diskRoom({
    usedBytes: used * MIB,
    bytesMax: bytesMax * MIB,
    freeBytes: free * MIB,
  });
  expect(room).toEqual({ usedBytes: used * MIB, maxBytes: max * MIB });
});
