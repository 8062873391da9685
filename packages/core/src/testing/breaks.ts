import type { BreakableRule } from '../breakable-rules.ts';

const brokenRules = new Set<BreakableRule>();

/** The test build's version of `../breaks.ts`. */
export function broken(rule: BreakableRule): boolean {
  return brokenRules.has(rule);
}

/** Breaks `rule` in every machine of this process until `mendRules`. */
export function breakRule(rule: BreakableRule): void {
  brokenRules.add(rule);
}

export function mendRules(): void {
  brokenRules.clear();
}
