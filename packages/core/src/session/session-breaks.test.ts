import { afterEach, expect, test, vi } from 'vitest';
import type { BreakableRule } from '../breakable-rules.ts';
import { breakRule, mendRules } from '../testing/breaks.ts';
import { SessionRig } from '../testing/session-rig.ts';
import { sessionStorm } from '../testing/session-storm.ts';

// What the build condition "memgrid-breaks" does for the simulator.
vi.mock('#breaks', () => import('../testing/breaks.ts'));

afterEach(mendRules);

test.each<[BreakableRule, RegExp]>([
  ['session.token-rises', /went back/],
  ['session.same-operation-id', /carried out 2 times/],
  ['session.unknown-stays-unknown', /said not to be applied, and was/],
  ['session.feed-in-order', /The watch showed record/],
  ['near-cache.no-late-fill', /went back|older than the bound/],
  ['near-cache.gap-forgets', /older than the bound/],
])('a storm finds out who breaks %s', { timeout: 60_000 }, (rule, problem) => {
  breakRule(rule);
  let found: string | undefined;
  for (let seed = 1; seed <= 200 && found === undefined; seed += 1) {
    found = sessionStorm(seed).find((sentence) => problem.test(sentence));
  }
  expect(found).toBeDefined();
});

test('a permit that outlives its connection shows who breaks near-cache.permits-end', () => {
  breakRule('near-cache.permits-end');
  const rig = new SessionRig({ nearCache: true });
  rig.put('warm', 1);
  rig.advance(1_000);
  for (let at = 0; at < 2; at += 1) {
    rig.get('warm');
    rig.advance(10);
  }
  expect(rig.session.near('ns', 'warm', rig.now)).toBeDefined();
  for (let place = 0; place < 3; place += 1) for (const link of rig.linksTo(place)) rig.cut(link);
  expect(rig.session.near('ns', 'warm', rig.now)).toBeDefined();
});
