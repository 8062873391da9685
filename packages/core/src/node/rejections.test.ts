import { clusterId, nodeId, type RejectReason } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { Rejections } from './rejections.ts';

const OWN = clusterId('c'.repeat(32));
const PEER = nodeId('d'.repeat(32));

function at(seconds: number): Instant {
  return (seconds * 1_000) as Instant;
}

function rejection(reason: RejectReason, address = 'b:1') {
  return { address, reason, detail: `Said ${address}.` };
}

test('N7: a conflict that is said again and again for six seconds ends the node', () => {
  const rejections = new Rejections([]);
  for (const second of [0, 2, 4, 5]) rejections.note(at(second), rejection('identityInUse'));
  expect(rejections.verdict(OWN)).toBeUndefined();
  rejections.note(at(6), rejection('identityInUse'));
  rejections.note(at(6), rejection('wrongCluster', 'x:1'));
  expect(rejections.verdict(OWN)).toEqual({ code: 'identityInUse', detail: 'Said b:1.' });
});

test('N7: a conflict said once by a peer that is never heard again ends nothing', () => {
  const rejections = new Rejections([]);
  rejections.connected(at(0), PEER);
  rejections.note(at(0), rejection('identityInUse'));
  rejections.note(at(30), rejection('protocolMismatch'));
  expect(rejections.verdict(OWN)).toBeUndefined();
});

test('N7: a connection ends a conflict', () => {
  const rejections = new Rejections([]);
  rejections.note(at(0), rejection('identityInUse'));
  rejections.connected(at(4), PEER);
  rejections.note(at(11), rejection('identityInUse'));
  expect(rejections.verdict(OWN)).toBeUndefined();
  // Also one that has ended by then.
  rejections.note(at(12), rejection('identityInUse'));
  rejections.connected(at(13), PEER);
  rejections.disconnected(at(15), PEER);
  rejections.note(at(18), rejection('identityInUse'));
  expect(rejections.verdict(OWN)).toBeUndefined();
});

test('N7: a connection that the other side ends at once does not', () => {
  const rejections = new Rejections([]);
  for (const second of [0, 2, 4, 6]) {
    rejections.note(at(second), rejection('identityInUse'));
    // The peer dials, and hangs up when it hears who is there.
    rejections.connected(at(second + 0.5), PEER);
    rejections.disconnected(at(second + 0.502), PEER);
  }
  expect(rejections.verdict(OWN)?.code).toBe('identityInUse');
});

test.each(['expelled', 'staleGeneration'] as const)('N7: %s is believed at once', (reason) => {
  const rejections = new Rejections([]);
  rejections.note(at(0), rejection(reason));
  expect(rejections.verdict(OWN)?.code).toBe(reason === 'expelled' ? 'expelled' : 'staleDirectory');
});

test('N7: another cluster behind every seed counts only before anybody else was met', () => {
  const seeds = ['a:1', 'b:1', 'self:1'];
  const rejections = new Rejections(seeds);
  rejections.reachedSelf('self:1');
  rejections.note(at(0), rejection('wrongCluster', 'a:1'));
  expect(rejections.verdict(OWN)).toBeUndefined();
  rejections.note(at(0), rejection('wrongCluster', 'b:1'));
  expect(rejections.verdict(OWN)?.code).toBe('wrongCluster');
  rejections.connected(at(1), PEER);
  expect(rejections.verdict(OWN)).toBeUndefined();
});
