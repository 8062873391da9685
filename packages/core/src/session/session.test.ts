import { expect, test } from 'vitest';
import { CALL_DEFAULTS, putOf, SessionRig } from '../testing/session-rig.ts';

test('a call goes out and its answer comes back', () => {
  const rig = new SessionRig();
  const put = rig.put('a', 7);
  rig.advance(100);
  expect(rig.outcomes.get(put)?.kind).toBe('answered');
  const get = rig.get('a');
  rig.advance(100);
  expect(rig.valueOf(get)).toBe(7);
  expect(rig.session.status.phase).toBe('ready');
});
