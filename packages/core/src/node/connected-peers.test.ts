import { groupEpoch, nodeId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { ConnectedPeers, LINK_DOUBT } from './connected-peers.ts';

const PEER = nodeId('a'.repeat(32));
const at = (ms: number): Instant => ms as Instant;

function connected(): ConnectedPeers {
  const peers = new ConnectedPeers();
  peers.add(at(0), PEER, { address: 'a:7700', groupEpoch: groupEpoch(1) });
  return peers;
}

test('N11: one missed probe of a peer that is heard says nothing about the connection', () => {
  const peers = connected();
  peers.heard(at(60_000), PEER);
  expect(peers.probed(at(60_100), PEER, false)).toBe(false);
});

test('N11: two unanswered probes some seconds apart do, although the peer is heard', () => {
  const peers = connected();
  peers.probed(at(1_000), PEER, false);
  peers.heard(at(3_999), PEER);
  expect(peers.probed(at(1_000 + LINK_DOUBT.missedMs), PEER, false)).toBe(true);
});

test('N11: an answer in between ends the doubt', () => {
  const peers = connected();
  peers.probed(at(1_000), PEER, false);
  peers.probed(at(2_000), PEER, true);
  peers.heard(at(4_000), PEER);
  expect(peers.probed(at(1_000 + LINK_DOUBT.missedMs), PEER, false)).toBe(false);
});

test('N11: a missed probe of a peer that is not heard either is enough', () => {
  const peers = connected();
  expect(peers.probed(at(LINK_DOUBT.silentMs), PEER, false)).toBe(true);
});

test('N11: a leader doubts a connection over which its group does not answer, once it had the time', () => {
  const peers = connected();
  peers.heard(at(10_000), PEER);
  expect(peers.isGroupSilent(at(10_000), PEER, LINK_DOUBT.silentMs - 1)).toBe(false);
  expect(peers.isGroupSilent(at(10_000), PEER, LINK_DOUBT.silentMs)).toBe(true);
  expect(peers.isGroupSilent(at(LINK_DOUBT.silentMs - 1), PEER, 60_000)).toBe(false);
  expect(peers.isGroupSilent(at(10_000), nodeId('b'.repeat(32)), 60_000)).toBe(false);
});

test('N11: on a path that is only slow, each vain new connection makes the next one rarer', () => {
  const peers = connected();
  const givenUpAt: number[] = [];
  for (let ms = 0; ms <= 120_000; ms += 1_000) {
    peers.heard(at(ms), PEER);
    if (!peers.probed(at(ms), PEER, false)) continue;
    givenUpAt.push(ms);
    peers.add(at(ms), PEER, { address: 'a:7700', groupEpoch: groupEpoch(1) });
  }
  const pauses = givenUpAt.slice(1).map((ms, index) => ms - (givenUpAt[index] ?? 0));
  expect(givenUpAt[0]).toBe(LINK_DOUBT.missedMs);
  expect(pauses).toEqual([7_000, 13_000, 25_000, 49_000]);
  peers.probed(at(121_000), PEER, true);
  peers.probed(at(122_000), PEER, false);
  expect(peers.probed(at(122_000 + LINK_DOUBT.missedMs), PEER, false)).toBe(true);
});
