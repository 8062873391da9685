import type { Liveness, MemberUpdate, NodeId } from '@memgrid/protocol';

/**
 * Hashes of member states, two independent 32-bit lanes each.
 *
 * Part of what two nodes must agree on, bit for bit: both sides of an exchange XOR these over
 * their tables and compare. Integers only. The mixing steps are the finaliser of MurmurHash3
 * (Austin Appleby, public domain).
 */
const SEVERITY: Readonly<Record<Liveness, number>> = { alive: 1, suspect: 2, dead: 3, left: 4 };

const HIGH_SEED = 0x243f6a88;
const LOW_SEED = 0x85a308d3;

/** The part of the hash that never changes: computed once for each member. */
export function idLanes(id: NodeId): { readonly high: number; readonly low: number } {
  let high = HIGH_SEED;
  let low = LOW_SEED;
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995) + at;
  }
  return { high: finish(high), low: finish(low) };
}

/** One lane for one state of a member. Signed 32 bits: stays a small integer in the engine. */
export function stateLane(idLane: number, update: MemberUpdate): number {
  let hash = idLane;
  hash = step(hash, update.generation | 0);
  hash = step(hash, (update.generation / 0x1_0000_0000) | 0);
  hash = step(hash, update.incarnation | 0);
  hash = step(hash, (update.incarnation / 0x1_0000_0000) | 0);
  return finish(step(hash, SEVERITY[update.liveness]));
}

function step(hash: number, value: number): number {
  const mixed = Math.imul(value ^ (value >>> 15), 0xcc9e2d51);
  const joined = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((joined << 13) | (joined >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
