import type { BreakableRule } from '@memgrid/core/testing';

/**
 * Rules that are hunted with a planner, an ideal control group and nodes that only report: whatever
 * breaks there does no harm to entries, because replicas check for themselves, and so a whole
 * cluster seldom shows it.
 */
export const PLANNER_HUNTS: ReadonlySet<BreakableRule> = new Set<BreakableRule>([
  'control.epoch-compare-and-set',
  'planner.live-majority-for-failover',
  'planner.caught-up-before-switch',
  'planner.active-before-stable',
  'planner.generation-mismatch-bumps',
]);
