import type { Random } from '@memgrid/core';
import { WORLD_EPOCH_MS } from '../sim-clock.ts';

/** As `core/session` makes them: time first, so that replicas can tell how old one is. */
export function operationIdAt(nowUs: number, random: Random): string {
  const ms = Math.floor(WORLD_EPOCH_MS + nowUs / 1000);
  const time = ms.toString(16).padStart(12, '0');
  const luck = random.hex128();
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${luck.slice(0, 3)}`,
    `8${luck.slice(3, 6)}`,
    luck.slice(6, 18),
  ].join('-');
}
