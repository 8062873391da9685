import { timeUuid, uuidMs, uuidVersion } from './uuid.ts';

/**
 * Names one write, for as long as somebody may ask what became of it: a UUID of version 7
 * (RFC 9562). The time in it tells a shard whether it can still remember the write.
 *
 * @param ms since 1970, by the clock of the nodes as far as the client knows it.
 * @param random three random numbers from 0 to 2^32 - 1; 74 of their bits are used.
 * @throws RangeError for a time out of range.
 */
export function makeOperationId(ms: number, random: readonly [number, number, number]): string {
  const [high, low, more] = random;
  return timeUuid(7, ms, { bits: more & 0xfff, random: [high, low] });
}

/** When the operation id was made, in milliseconds since 1970; undefined for any other text. */
export function operationIdMs(id: string): number | undefined {
  return uuidVersion(id) === 7 ? uuidMs(id) : undefined;
}
