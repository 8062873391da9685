import type { BreakableRule } from './breakable-rules.ts';

/**
 * Whether a safety rule is broken on purpose. Always false here.
 *
 * The test build resolves `#breaks` to `testing/breaks.ts` instead (the import condition
 * `memgrid-breaks`), where tests can break one rule and see the simulator notice. The switch
 * does not exist in anything that is published.
 */
export function broken(_rule: BreakableRule): boolean {
  return false;
}
