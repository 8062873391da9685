export { BREAKABLE_RULES } from '../breakable-rules.ts';
export type { BreakableRule } from '../breakable-rules.ts';
export { breakRule, mendRules } from './breaks.ts';
