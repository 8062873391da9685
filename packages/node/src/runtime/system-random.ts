import { randomInt } from 'node:crypto';
import { Random } from '@memgrid/core';

/**
 * A generator that no other process shares. Node ids come from it, so its seed must not be
 * guessable from the time of day or equal on two machines that boot from one image: 2^48 - 1 is
 * the largest range that the operating system's generator offers here.
 */
export function systemRandom(): Random {
  return Random.of(randomInt(2 ** 48 - 1));
}
