import type { Random } from '../random.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/**
 * A UUID of version 7 (RFC 9562): 48 bits of milliseconds since 1970 and 74 random bits. Replicas
 * forget operation ids by the time in them, so it has to be the cluster's time.
 */
export function makeOperationId(wallMs: number, random: Random): string {
  const high = Math.floor(wallMs / 0x1_0000);
  const low = wallMs % 0x1_0000;
  const a = random.uint32();
  const b = random.uint32();
  const c = random.uint32();
  return (
    `${hex(high >>> 24)}${hex(high >>> 16)}${hex(high >>> 8)}${hex(high)}-` +
    `${hex(low >>> 8)}${hex(low)}-` +
    `${hex(0x70 | ((a >>> 24) & 0x0f))}${hex(a >>> 16)}-` +
    `${hex(0x80 | ((a >>> 8) & 0x3f))}${hex(a)}-` +
    `${hex(b >>> 24)}${hex(b >>> 16)}${hex(b >>> 8)}${hex(b)}${hex(c >>> 24)}${hex(c >>> 16)}`
  );
}

function hex(byte: number): string {
  return HEX[byte & 0xff] as string;
}
