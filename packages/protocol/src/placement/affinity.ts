import { mix32 } from './hash.ts';

/** Bits after the point of a logarithm. */
const FRACTION_BITS = 24;
const ONE = 2 ** FRACTION_BITS;
/** Keeps a distance positive: log2 of the greatest weight, 10,000, is below it. */
const WEIGHT_LOG_MAX = 14 * ONE;

/** What a member brings to its distance from every shard. */
export interface Anchor {
  readonly high: number;
  readonly low: number;
  /** `log2Fixed` of its weight. */
  readonly weightLog: number;
}

/**
 * How far a member is from a shard: the smaller, the better they suit each other.
 *
 * This is weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): of independent draws
 * `-log(u) / weight` the smallest falls on each member in proportion to its weight, and a change
 * of one member changes no other's draw. The logarithm of the draw is returned, because order is
 * all that matters and its range is small. `Math.log` may differ in the last bit between two
 * engines, and then two nodes would place a shard differently; this uses whole numbers only.
 *
 * @returns a whole number below 2^30.
 */
export function distance(anchor: Anchor, shard: number): number {
  const drawn = mix32(mix32(mix32(shard + 1) ^ anchor.high) ^ anchor.low);
  const exponential = 32 * ONE - log2Fixed(drawn + 1);
  return log2Fixed(exponential + 1) - anchor.weightLog + WEIGHT_LOG_MAX;
}

/**
 * `log2(value) * 2^24`, rounded down to within the precision of 26 bits; never decreasing.
 *
 * @param value a whole number from 1 to 2^32.
 */
export function log2Fixed(value: number): number {
  const exponent = value === 2 ** 32 ? 32 : 31 - Math.clz32(value);
  // The mantissa has 26 bits, so its square is below 2^52 and exact.
  let mantissa = Math.floor(value * 2 ** (25 - exponent));
  let log = exponent;
  for (let bit = 0; bit < FRACTION_BITS; bit++) {
    const square = mantissa * mantissa;
    log *= 2;
    if (square >= 2 ** 51) {
      log += 1;
      mantissa = Math.floor(square / 2 ** 26);
    } else {
      mantissa = Math.floor(square / 2 ** 25);
    }
  }
  return log;
}
