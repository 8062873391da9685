import { createHash } from 'node:crypto';
import type { Digest } from '@memgrid/core';

export const sha256: Digest = (bytes) =>
  new Uint8Array(createHash('sha256').update(bytes).digest());
