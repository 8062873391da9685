import type { NodeId } from '@memgrid/protocol';
import { InvariantError } from '../assert.ts';
import { Random } from '../random.ts';
import { PlannerRig } from './planner-rig.ts';

/** Ten minutes of joins, crashes, restarts, drains and new coordinators, then quiet. */
export function plannerStorm(seed: number): PlannerRig {
  const random = Random.of(seed).split('storm');
  const rig = new PlannerRig({
    random,
    shardCount: 32,
    replicationFactor: 3,
    lostPercent: random.below(21),
    doubledPercent: random.below(21),
    streamMsMax: random.between(100, 15_000),
  });
  const zones = 1 + random.below(3);
  const join = (): NodeId => rig.join({ zone: `zone-${random.below(zones)}` });
  for (let i = 0; i < 4; i++) join();
  const down = new Set<NodeId>();
  for (let i = 0; i < 40; i++) {
    rig.runFor(random.between(100, 20_000));
    happen(rig, { random, down, join });
  }
  for (const node of down) rig.restart(node);
  return rig;
}

interface Weather {
  readonly random: Random;
  readonly down: Set<NodeId>;
  readonly join: () => NodeId;
}

function happen(rig: PlannerRig, { random, down, join }: Weather): void {
  const normal = rig.withStatus('normal');
  const up = normal.filter((node) => !down.has(node));
  const one = random.pick(up) as NodeId;
  switch (random.below(7)) {
    case 0:
      if (normal.length < 9) join();
      break;
    case 1:
    case 2:
      if (up.length > 2) {
        rig.crash(one);
        down.add(one);
      }
      break;
    case 3:
    case 4:
      for (const node of [...down].slice(0, 1)) {
        rig.restart(node);
        down.delete(node);
      }
      break;
    case 5:
      if (up.length > 4) rig.setStatus(one, 'draining');
      break;
    case 6:
      rig.changeCoordinator();
      break;
  }
}

/** What one seed came to; the names are those of a checker's. */
export interface PlannerDay {
  readonly simulatedMs: number;
  readonly problem: { readonly checker: string; readonly message: string } | undefined;
}

/** How long quiet nodes may take until every shard is where placement wants it. */
const SETTLED_WITHIN_MS = 20 * 60_000;

/** A storm, and the quiet after it. */
export function plannerDay(seed: number): PlannerDay {
  let rig: PlannerRig;
  try {
    rig = plannerStorm(seed);
    if (rig.runFor(SETTLED_WITHIN_MS, () => rig.isSettled())) {
      return { simulatedMs: rig.now, problem: undefined };
    }
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    const { message } = error;
    return { simulatedMs: 0, problem: { checker: 'owners-change-safely', message } };
  }
  const message = `After ${SETTLED_WITHIN_MS / 60_000} quiet minutes shards are not in their place.`;
  return { simulatedMs: rig.now, problem: { checker: 'shards-find-their-place', message } };
}
