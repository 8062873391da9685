import { groupEpoch, logIndex, nodeId, term, type ProposeResp } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { RemoteRequests, type RemoteEffect } from './remote-requests.ts';

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));
const at = (ms: number): Instant => ms as Instant;
const EPOCH = groupEpoch(1);
const CHANGE = { id: 7, command: new Uint8Array([1]), groupEpoch: EPOCH };

function answer(outcome: ProposeResp['outcome']): ProposeResp {
  return { type: 'proposeResp', groupEpoch: EPOCH, term: term(1), request: CHANGE.id, outcome };
}

function targets(effects: readonly RemoteEffect[]) {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.to] : []));
}

test('N3: a change follows the hint of whoever does not lead, and is sent nowhere twice at once', () => {
  const remote = new RemoteRequests();
  expect(targets(remote.start(at(0), CHANGE, A))).toEqual([A]);
  expect(targets(remote.wake(at(1_500), A))).toEqual([]);
  expect(targets(remote.proposed(at(1_600), answer({ kind: 'notLeader', leader: B })))).toEqual([
    B,
  ]);
  const done = remote.proposed(at(1_700), answer({ kind: 'committed', index: logIndex(9) }));
  expect(done).toMatchObject([{ kind: 'outcome', outcome: { outcome: { kind: 'committed' } } }]);
  expect(remote.proposed(at(1_700), answer({ kind: 'unknown' }))).toEqual([]);
  expect(remote.wakeAt).toBeUndefined();
});

test('N3: two nodes that each name the other are not asked in a circle', () => {
  const remote = new RemoteRequests();
  let sends = targets(remote.start(at(0), CHANGE, A)).length;
  for (let count = 0; count < 100; count += 1) {
    const leader = count % 2 === 0 ? B : A;
    sends += targets(remote.proposed(at(0), answer({ kind: 'notLeader', leader }))).length;
  }
  expect(sends).toBeLessThan(10);
  expect(targets(remote.wake(remote.wakeAt ?? at(0), A))).toEqual([A]);
});

test('N3: a change that may have been appended ends as unknown, one that was not does not', () => {
  const sent = new RemoteRequests();
  sent.start(at(0), CHANGE, A);
  expect(sent.wake(at(3_000), A)).toMatchObject([{ outcome: { outcome: { kind: 'unknown' } } }]);
  const unsent = new RemoteRequests();
  unsent.start(at(0), CHANGE, undefined);
  expect(unsent.wake(at(3_000), undefined)).toMatchObject([
    { outcome: { outcome: { kind: 'notLeader' } } },
  ]);
});
