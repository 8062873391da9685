import { WORKLOADS, type WorkloadName } from 'memgrid/bench';

/** Of clients that can do whatever memgrid does, but keep nothing in their own process. */
export const ALL_BUT_NEAR: ReadonlySet<WorkloadName> = new Set(
  WORKLOADS.filter((name) => name !== 'near'),
);
