import { generation, nodeId, type NodeId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { MemberView } from '../membership/membership-io.ts';
import type { RegisteredMember } from '../node-status.ts';
import { routeNodes } from './route-nodes.ts';

const SELF = nodeId('1'.repeat(32));
const B = nodeId('2'.repeat(32));

function memberOf(node: NodeId, status: RegisteredMember['status'] = 'normal'): RegisteredMember {
  return {
    nodeId: node,
    generation: generation(1),
    address: 'registered:1',
    zone: 'registered',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: 1,
    status,
  };
}

function viewOf(node: NodeId, liveness: MemberView['liveness']): MemberView {
  return { nodeId: node, liveness, meta: { address: 'gossip:1', zone: 'gossip' } } as MemberView;
}

test.each([
  ['alive', true],
  ['suspect', true],
  ['dead', false],
  ['left', false],
] as const)('N13: a member that is %s by gossip is asked: %s', (liveness, alive) => {
  const nodes = routeNodes(SELF, [memberOf(B)], [viewOf(B, liveness)]);
  expect(nodes).toEqual([{ nodeId: B, address: 'gossip:1', zone: 'gossip', alive }]);
});

test('N13: a member that gossip has not met is known by what it registered', () => {
  expect(routeNodes(SELF, [memberOf(SELF), memberOf(B)], [])).toEqual([
    { nodeId: SELF, address: 'registered:1', zone: 'registered', alive: true },
    { nodeId: B, address: 'registered:1', zone: 'registered', alive: false },
  ]);
});

test.each(['left', 'expelled'] as const)('N13: a member that has %s holds nothing', (status) => {
  expect(routeNodes(SELF, [memberOf(B, status)], [viewOf(B, 'alive')])).toEqual([]);
});
