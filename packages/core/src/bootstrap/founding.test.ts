import {
  clusterId,
  generation,
  LIMITS,
  nodeId,
  type FoundingPlan,
  type MemberRecord,
  type NodeId,
} from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { after, type Instant } from '../machine.ts';
import { Random } from '../random.ts';
import type { FoundingEffect, FoundingInput, FoundingPromise } from './founding-io.ts';
import { Founding } from './founding.ts';
import { problemWithPromise } from './promise.ts';
import { spreadOverZones, targetVotersFor } from './target-voters.ts';

const START = 0 as Instant;

function id(digit: number): NodeId {
  return nodeId(digit.toString(16).repeat(32));
}

function recordOf(digit: number, overrides: Partial<MemberRecord> = {}): MemberRecord {
  return {
    nodeId: id(digit),
    generation: generation(1),
    address: `host${digit}:7700`,
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: digit,
    ...overrides,
  };
}

function planOf(founder: number, members: readonly number[], attempt = 1): FoundingPlan {
  return {
    clusterId: clusterId(`${founder}${attempt}`.padStart(32, '0')),
    founder: id(founder),
    attempt,
    members: members.map((digit) => recordOf(digit)),
    config: { voters: members.map(id), votersOutgoing: [], learners: [] },
    targetVoters: members.length,
  };
}

interface Island {
  readonly nodes: Map<NodeId, Founding>;
  readonly founded: Map<NodeId, FoundingPlan>;
  readonly stored: Map<NodeId, FoundingPromise>;
  readonly reconnects: { readonly from: NodeId; readonly peer: NodeId }[];
  input(to: NodeId, input: FoundingInput): void;
  run(ms: number): void;
  now: Instant;
}

/** Connected nodes that answer each other at once and whose disks are perfect. */
function islandOf(
  digits: readonly number[],
  options: { expect: number; seeds: readonly number[]; silent?: readonly number[] },
): Island {
  const queue: { to: NodeId; input: FoundingInput }[] = [];
  const island: Island = {
    nodes: new Map(),
    founded: new Map(),
    stored: new Map(),
    reconnects: [],
    now: START,
    input: (to, input) => {
      const node = island.nodes.get(to);
      if (node !== undefined) carryOut(to, node.step(island.now, input));
    },
    run: (ms) => {
      for (let elapsed = 0; elapsed < ms; elapsed += 50) {
        island.now = after(island.now, 50);
        for (const [at, node] of island.nodes) carryOut(at, node.wake(island.now));
        while (queue.length > 0) {
          const next = queue.shift();
          if (next !== undefined) island.input(next.to, next.input);
        }
      }
    },
  };
  function carryOut(from: NodeId, effects: readonly FoundingEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send' && !(options.silent ?? []).map(id).includes(from)) {
        queue.push({ to: effect.to, input: { kind: 'message', from, body: effect.body } });
      } else if (effect.kind === 'reconnect') {
        island.reconnects.push({ from, peer: effect.peer });
      } else if (effect.kind === 'storePromise') {
        island.stored.set(from, effect.promise);
        queue.push({ to: from, input: { kind: 'stored', ticket: effect.ticket } });
      } else if (effect.kind === 'founded') {
        island.founded.set(from, effect.plan);
        for (const member of effect.plan.members) {
          const body = { type: 'foundCommit', plan: effect.plan } as const;
          queue.push({ to: member.nodeId, input: { kind: 'message', from, body } });
        }
      }
    }
  }
  for (const digit of digits) {
    const founding = new Founding(
      {
        self: recordOf(digit),
        seeds: options.seeds.map((seed) => `host${seed}:7700`),
        expect: options.expect,
        votersMax: undefined,
        promise: undefined,
      },
      Random.of(digit),
      START,
    );
    island.nodes.set(id(digit), founding);
  }
  for (const digit of digits) {
    for (const seed of options.seeds) {
      if (digits.includes(seed)) {
        island.input(id(digit), { kind: 'seedReached', seed: `host${seed}:7700` });
      }
    }
    for (const other of digits) {
      if (other === digit) continue;
      island.input(id(digit), { kind: 'peerUp', peer: id(other), address: `host${other}:7700` });
    }
  }
  return island;
}

test('B2: connected nodes found one cluster, led by the lowest id', () => {
  const island = islandOf([3, 1, 2], { expect: 3, seeds: [1, 2, 3] });
  island.run(1_000);
  const plans = [...island.founded.values()];
  expect(plans).toHaveLength(3);
  expect(new Set(plans.map((plan) => plan.clusterId)).size).toBe(1);
  expect(plans[0]?.founder).toBe(id(1));
  expect(plans[0]?.config.voters).toEqual([id(1), id(2), id(3)]);
});

test('B1: fewer nodes than expected found nothing and say why', () => {
  const island = islandOf([1, 2], { expect: 3, seeds: [1, 2] });
  island.run(10_000);
  expect(island.founded.size).toBe(0);
  expect(island.nodes.get(id(1))?.waitingFor()).toBe('2 of the 3 expected nodes are here.');
});

test('B1: two halves of six nodes with shared seeds found nothing', () => {
  const seeds = [1, 2, 3, 4, 5, 6];
  for (const half of [
    [1, 2, 3],
    [4, 5, 6],
  ]) {
    const island = islandOf(half, { expect: 3, seeds });
    island.run(10_000);
    expect(island.founded.size).toBe(0);
    expect(island.nodes.get(id(half[0] ?? 0))?.waitingFor()).toMatch(
      /^No answer yet from the seeds /,
    );
  }
});

test('B1: two halves that were one before the split found nothing', () => {
  const everybody = [1, 2, 3, 4, 5, 6];
  const island = islandOf(everybody, { expect: 3, seeds: [1, 4] });
  for (const digit of everybody) {
    const gone = digit <= 3 ? [4, 5, 6] : [1, 2, 3];
    for (const other of gone) island.input(id(digit), { kind: 'peerDown', peer: id(other) });
    const seed = digit <= 3 ? 'host4:7700' : 'host1:7700';
    island.input(id(digit), { kind: 'seedLost', seed });
  }
  for (const [self, founding] of island.nodes) {
    const effects = founding.wake(after(START, 10_000));
    expect(effects.filter((effect) => effect.kind === 'storePromise')).toEqual([]);
    expect(founding.waitingFor()).toBe(
      `No answer yet from the seed host${self < id(4) ? 4 : 1}:7700.`,
    );
  }
});

test('B1: of more nodes than can found together the lowest ids do', () => {
  const self = recordOf(0);
  const founding = new Founding(
    { self, seeds: [], expect: 3, votersMax: undefined, promise: undefined },
    Random.of(1),
    START,
  );
  const effects: FoundingEffect[] = [];
  for (let at = 1; at <= 70; at += 1) {
    const member = recordOf(0, {
      nodeId: nodeId(at.toString(16).padStart(32, 'a')),
      address: `many${at}:7700`,
    });
    const peer = member.nodeId;
    founding.step(START, { kind: 'peerUp', peer, address: member.address });
    const known = { member, expect: 3, unreachedSeeds: [] };
    const body = { type: 'discover', peers: [known] } as const;
    founding.step(START, { kind: 'message', from: peer, body });
  }
  for (let at = 0; at < 10; at += 1) effects.push(...founding.wake(after(START, at * 500)));
  const sizes = effects.flatMap((effect) =>
    effect.kind === 'send' && effect.body.type === 'discover' ? [effect.body.peers.length] : [],
  );
  expect(Math.max(...sizes)).toBe(LIMITS.foundingPeersMax);
  const promise = effects.find((effect) => effect.kind === 'storePromise');
  expect(promise?.promise.plan?.members).toHaveLength(LIMITS.foundingPeersMax);
});

test('B3: whoever will not promise is named', () => {
  const island = islandOf([1, 2], { expect: 2, seeds: [1, 2], silent: [1, 2] });
  const plan = island.stored.get(id(1))?.plan ?? planOf(1, [1, 2]);
  island.input(id(1), {
    kind: 'message',
    from: id(2),
    body: { type: 'discover', peers: [{ member: recordOf(2), expect: 2, unreachedSeeds: [] }] },
  });
  island.run(1_000);
  const proposed = island.stored.get(id(1))?.plan ?? plan;
  const detail = 'This node promised to found with somebody else.';
  island.input(id(1), {
    kind: 'message',
    from: id(2),
    body: { type: 'foundResp', clusterId: proposed.clusterId, promised: false, detail },
  });
  expect(island.nodes.get(id(1))?.waitingFor()).toBe(`host2:7700 does not promise: ${detail}`);
});

test('B1: contradicting expectations are explained, not averaged', () => {
  const island = islandOf([1, 2, 3], { expect: 3, seeds: [1, 2, 3] });
  const other = { member: recordOf(4), expect: 5, unreachedSeeds: [] };
  island.input(id(1), { kind: 'peerUp', peer: id(4), address: 'host4:7700' });
  const body = { type: 'discover', peers: [other] } as const;
  island.input(id(1), { kind: 'message', from: id(4), body });
  expect(island.nodes.get(id(1))?.waitingFor()).toBe(
    'This node expects 3 nodes, but host4:7700 expects 5.',
  );
});

test('B3: one silent member keeps everybody from founding', () => {
  const island = islandOf([1, 2, 3], { expect: 3, seeds: [1], silent: [] });
  island.nodes.delete(id(3));
  island.run(10_000);
  expect(island.founded.size).toBe(0);
});

test('B4: whoever promised one plan refuses a rival founder whose plan leaves somebody out', () => {
  expect(problemWithPromise(planOf(1, [1, 2, 3]), planOf(2, [2, 4, 5]))).toMatch(/promised/);
  expect(problemWithPromise(planOf(1, [1, 2, 3]), planOf(2, [2, 3, 4]))).toBeUndefined();
  expect(problemWithPromise(planOf(1, [1, 2]), planOf(2, [2, 3]))).toBeUndefined();
  const loneVoter = { ...planOf(1, [1, 2]), config: planOf(1, [1]).config };
  expect(problemWithPromise(loneVoter, planOf(2, [2, 3]))).toMatch(/promised/);
});

test('B4: a promise gives way to a plan that its founder has to promise too, also when a member is gone', () => {
  // Node 3 lost its disk and came back as node 1, the lowest now; only node 2 could complete the old plan.
  expect(problemWithPromise(planOf(2, [2, 3, 4]), planOf(1, [1, 2, 4]))).toBeUndefined();
});

test('B4: the same founder may only go forward', () => {
  expect(problemWithPromise(planOf(1, [1, 2], 1), planOf(1, [1, 2, 3], 2))).toBeUndefined();
  expect(problemWithPromise(planOf(1, [1, 2], 2), planOf(1, [1, 2, 3], 1))).toMatch(/Attempt 1/);
});

test('B4: two plans that a promise may leave for each other never both complete', () => {
  // The dumb twin: try all orders in which members of two plans promise one and then the other.
  const members = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(
      members,
      members,
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      (a, b, order) => {
        const first = planOf(Math.min(...a), a);
        const second = planOf(
          Math.min(...b),
          b.filter((digit) => digit !== 0),
          2,
        );
        fc.pre(first.founder !== second.founder);
        const committed = { first: 0, second: 0 };
        for (const digit of new Set([...a, ...b])) {
          let held: FoundingPlan | undefined;
          const wish = order[digit] === true ? [first, second] : [second, first];
          for (const plan of wish) {
            if (!plan.members.some((member) => member.nodeId === id(digit))) continue;
            if (problemWithPromise(held, plan) === undefined) held = plan;
          }
          if (held === first) committed.first += 1;
          if (held === second) committed.second += 1;
        }
        const both = committed.first === a.length && committed.second === b.length;
        expect(both && a.some((digit) => b.includes(digit))).toBe(false);
      },
    ),
  );
});

test('B5: a commit for a plan that was not promised is ignored', () => {
  const island = islandOf([2], { expect: 3, seeds: [1] });
  const body = { type: 'foundCommit', plan: planOf(1, [1, 2, 3]) } as const;
  island.input(id(2), { kind: 'message', from: id(1), body });
  expect(island.founded.size).toBe(0);
});

test('B6: a promise that was made before a crash still counts for the commit', () => {
  const plan = planOf(1, [1, 2, 3]);
  const restarted = new Founding(
    {
      self: recordOf(2, { generation: generation(2), instance: 99 }),
      seeds: ['host1:7700'],
      expect: 3,
      votersMax: undefined,
      promise: { plan, attempt: 0 },
    },
    Random.of(2),
    START,
  );
  const body = { type: 'foundCommit', plan } as const;
  const effects = restarted.step(START, { kind: 'message', from: id(1), body });
  expect(effects).toContainEqual({ kind: 'founded', plan });
});

test('B6: a request about an earlier process of this node is refused', () => {
  const island = islandOf([2], { expect: 3, seeds: [1] });
  const plan = planOf(1, [1, 2, 3]);
  const stale = { ...plan, members: plan.members.map((m) => ({ ...m, instance: 77 })) };
  const founding = island.nodes.get(id(2));
  const body = { type: 'foundRequest', plan: stale } as const;
  const effects = founding?.step(START, { kind: 'message', from: id(1), body }) ?? [];
  expect(effects[0]).toMatchObject({ kind: 'send', body: { type: 'foundResp', promised: false } });
});

test.each([
  { members: 1, voters: 1 },
  { members: 2, voters: 1 },
  { members: 3, voters: 3 },
  { members: 4, voters: 3 },
  { members: 5, voters: 5 },
  { members: 60, voters: 5 },
])('B7: $members members have $voters voters', ({ members, voters }) => {
  expect(targetVotersFor(members, undefined)).toBe(voters);
});

test('B7: seven voters only by option', () => {
  expect(targetVotersFor(60, 7)).toBe(7);
  expect(targetVotersFor(60, 3)).toBe(3);
});

test('B7: voters are spread over the zones', () => {
  const candidates = [1, 2, 3, 4, 5, 6].map((digit) => ({
    nodeId: id(digit),
    zone: digit <= 4 ? 'a' : digit === 5 ? 'b' : 'c',
  }));
  expect(spreadOverZones(candidates, 3)).toEqual([id(1), id(5), id(6)]);
  expect(spreadOverZones(candidates, 5)).toEqual([id(1), id(5), id(6), id(2), id(3)]);
});

test('B8: a silent connection is made anew, one that speaks is left alone', () => {
  const island = islandOf([1, 2, 3], { expect: 5, seeds: [1], silent: [3] });
  island.run(2_000);
  expect(island.reconnects).toEqual([]);
  island.run(2_000);
  const redialled = island.reconnects.map(({ from, peer }) => [from, peer]);
  expect(redialled).toEqual([
    [id(1), id(3)],
    [id(2), id(3)],
  ]);
});
