import { createHash, timingSafeEqual } from 'node:crypto';

/** The header with which a token is shown. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/**
 * Whether the header shows the token. Always true when none is configured.
 *
 * Compared by digest and in constant time: neither the length nor the first wrong letter can be
 * measured from outside.
 */
export function showsToken(header: string | undefined, token: string): boolean {
  if (token === '') return true;
  return timingSafeEqual(digest(header ?? ''), digest(bearer(token)));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
