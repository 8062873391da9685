import type { ShardFault } from './shard-fault.ts';
import type { ShardDayPlan } from './shard-tuning.ts';

/** Days that may be tried. */
const TRIES_MAX = 400;

/**
 * A smaller day that still fails, by delta debugging: fewer faults, fewer clients, fewer shards, a
 * shorter day. `stillFails` decides what counts as the same failure.
 */
export function shrinkShardDay(
  plan: ShardDayPlan,
  stillFails: (plan: ShardDayPlan) => boolean,
): ShardDayPlan {
  let tries = 0;
  let smallest = plan;
  const accept = (candidate: ShardDayPlan): boolean => {
    tries += 1;
    if (tries > TRIES_MAX || !stillFails(candidate)) return false;
    smallest = candidate;
    return true;
  };
  let before: ShardDayPlan | undefined;
  while (before !== smallest && tries < TRIES_MAX) {
    before = smallest;
    shorten(() => smallest, accept);
    dropFaults(() => smallest, accept);
    simplify(() => smallest, accept);
  }
  return smallest;
}

type Accept = (candidate: ShardDayPlan) => boolean;

function shorten(current: () => ShardDayPlan, accept: Accept): void {
  for (const share of [0.25, 0.5, 0.75, 0.9]) {
    const { faults, tuning } = current();
    const durationMs = Math.round(tuning.durationMs * share);
    const kept = faults.filter(({ atMs }) => atMs < durationMs);
    if (accept({ tuning: { ...tuning, durationMs }, faults: kept })) return;
  }
}

function dropFaults(current: () => ShardDayPlan, accept: Accept): void {
  let chunk = Math.ceil(current().faults.length / 2);
  while (chunk >= 1) {
    let from = 0;
    while (from < current().faults.length) {
      const { faults, tuning } = current();
      const kept: readonly ShardFault[] = [...faults.slice(0, from), ...faults.slice(from + chunk)];
      if (!accept({ tuning, faults: kept })) from += chunk;
    }
    if (chunk === 1) return;
    chunk = Math.ceil(chunk / 2);
  }
}

function simplify(current: () => ShardDayPlan, accept: Accept): void {
  const { clients, listers, shards } = current().tuning;
  const changes = [
    { clients: clients - 1 },
    { listers: listers - 1 },
    { shards: shards - 1 },
    { lossShare: 0 },
    { duplicateShare: 0 },
    { tailShare: 0 },
    { ordered: true },
    { entryBytesMax: 1_000_000 },
  ];
  for (const change of changes) {
    const { faults, tuning } = current();
    const next = { ...tuning, ...change };
    if (next.clients < 1 || next.listers < 0 || next.shards < 1 || isSame(tuning, next)) continue;
    const kept = faults.filter((fault) => !('shard' in fault) || fault.shard < next.shards);
    accept({ tuning: next, faults: kept });
  }
}

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
