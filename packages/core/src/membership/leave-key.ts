import type { MemberMeta, MemberUpdate } from '@memgrid/protocol';
import type { Digest } from '../digest.ts';

/** Bytes of SHA-256 that make a lock. */
const LOCK_BYTES = 16;

/** The lock that `key` opens: half of its SHA-256. Told to everybody; the key only when leaving. */
export function leaveLock(digest: Digest, key: Uint8Array): Uint8Array {
  return digest(key).slice(0, LOCK_BYTES);
}

/** Whether a goodbye was said by the member itself: only it knew the key of its lock. */
export function isSigned(
  digest: Digest,
  update: MemberUpdate,
  meta: MemberMeta | undefined,
): boolean {
  if (update.leaveKey === undefined || meta === undefined) return false;
  return sameBytes(leaveLock(digest, update.leaveKey), meta.leaveLock);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
