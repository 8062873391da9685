export { BREAKABLE_RULES } from '../breakable-rules.ts';
export type { BreakableRule } from '../breakable-rules.ts';
export { breakRule, mendRules } from './breaks.ts';
export { FakeGrid } from './fake-grid.ts';
export type { FakeNode, Gate, Said } from './fake-grid.ts';
export { plannerDay } from './planner-storm.ts';
export type { PlannerDay } from './planner-storm.ts';
