import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow beyond what a full collection left, before the next one. */
const GROWTH_PERCENT = 50;

/**
 * Tells V8 to collect before its old generation is half again as large as what is needed; left to
 * itself it lets it grow up to fourfold. For a process that is a node and nothing else: the setting
 * is of the process, and a program that runs a node among other things has its own mind about it.
 *
 * What a node writes lives for seconds (records until they are applied everywhere), which is long
 * enough to reach the old generation and to be scattered over its pages. With 300,000 entries of
 * 300 bytes put as fast as they went, on Node 24.21: 1,180 MB resident without, 810 MB with it, in
 * the same time (decision 8).
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
