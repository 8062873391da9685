import { nodeId, shardId, type Generation, type NodeId, type ShardConfig } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { servingSet, writeSets } from './shard-sets.ts';
import { shardTransition } from './shard-transition.ts';

const NODES = Array.from({ length: 7 }, (_, i) => nodeId((i + 1).toString(16).padStart(32, '0')));
const [A, B, C, D, E] = NODES as [NodeId, NodeId, NodeId, NodeId, NodeId];

const stable: ShardConfig = {
  shard: shardId(5, 8),
  epoch: 7,
  stage: 'stable',
  primary: A,
  primaryGeneration: 1 as Generation,
  replicas: [A, B, C],
  next: [],
  session: 0,
};
const admit: ShardConfig = { ...stable, stage: 'admit', next: [B, C, D], session: 7 };
const dual: ShardConfig = { ...admit, stage: 'dual', session: 5 };
const switched: ShardConfig = { ...dual, stage: 'switch', primary: B };
const ended = { stage: 'stable', next: [], session: 0 } as const;

const after = (before: ShardConfig, change: Partial<ShardConfig>): ShardConfig => {
  return { ...before, epoch: before.epoch + 1, ...change };
};

test.each<[string, ShardConfig, Partial<ShardConfig>]>([
  ['another primary', stable, { primary: B }],
  ['a new life of the primary', stable, { primaryGeneration: 2 as Generation }],
  ['the beginning of a move', stable, { stage: 'admit', next: [B, C, D], session: 8 }],
  ['another primary while joiners are admitted', admit, { primary: C }],
  ['writes to both sets', admit, { stage: 'dual' }],
  ['a rollback before writes go to both', admit, ended],
  ['another primary while both are written', dual, { primary: C }],
  ['a rollback after that', dual, { ...ended, primary: C }],
  ['reads from the next set', dual, { stage: 'switch', primary: D }],
  ['another primary among those who are next', switched, { primary: D }],
  ['the end of a move', switched, { ...ended, replicas: [D, B, C], primary: D }],
])('C8: %s may follow', (_name, before, change) => {
  expect(shardTransition(before, after(before, change))).toBeUndefined();
});

test.each<[string, ShardConfig, Partial<ShardConfig>, RegExp]>([
  ['an epoch later', stable, { epoch: 9 }, /does not follow 7/],
  ['the same epoch', stable, { epoch: 7 }, /does not follow 7/],
  ['other replicas at once', stable, { replicas: [A, B, D] }, /only at the end of a move/],
  ['fewer replicas at once', stable, { replicas: [A, B] }, /only at the end of a move/],
  [
    'both sets at once',
    stable,
    { stage: 'dual', next: [B, C, D], session: 8 },
    /cannot be followed by "dual"/,
  ],
  ['an old session', stable, { stage: 'admit', next: [D], session: 5 }, /is session 8/],
  ['a move to nowhere', stable, { stage: 'admit', next: [B, C, A], session: 8 }, /where it begins/],
  ['a move without a next set', stable, { stage: 'admit', session: 8 }, /there is a next set/],
  ['a session without a move', stable, { session: 8 }, /there is no session/],
  ['a primary without data', stable, { primary: D }, /not one of those who serve/],
  ['no replica', stable, { replicas: [] }, /needs a replica/],
  ['a replica twice', stable, { replicas: [A, B, B] }, /listed twice/],
  ['another target', admit, { next: [B, C, E] }, /cannot change where it leads/],
  ['another session', admit, { stage: 'dual', session: 6 }, /keeps its session/],
  [
    'a switch without data',
    admit,
    { stage: 'switch', primary: B },
    /cannot be followed by "switch"/,
  ],
  [
    'the end before the switch',
    dual,
    { ...ended, replicas: [B, C, D], primary: B },
    /only at the end/,
  ],
  ['a primary of the old set', switched, { primary: A }, /not one of those who serve/],
  ['a way back', switched, { ...ended, primary: B }, /only at the end of a move/],
  ['reads from the old set again', switched, { stage: 'dual' }, /cannot be followed by "dual"/],
])('C8: %s may not follow', (_name, before, change, problem) => {
  expect(shardTransition(before, after(before, change))).toMatch(problem);
});

test('C8: a shard begins in epoch 1, stable', () => {
  expect(shardTransition(undefined, { ...stable, epoch: 1 })).toBeUndefined();
  expect(shardTransition(undefined, stable)).toMatch(/does not follow 0/);
  expect(shardTransition(undefined, { ...admit, epoch: 1 })).toMatch(/cannot begin in "admit"/);
});

const subset = fc.shuffledSubarray(NODES, { minLength: 1, maxLength: 5 });
const configs: fc.Arbitrary<ShardConfig> = fc
  .record({
    stage: fc.constantFrom('stable', 'admit', 'dual', 'switch'),
    epoch: fc.integer({ min: 1, max: 4 }),
    session: fc.integer({ min: 0, max: 4 }),
    // From few sets, so that related ones meet often.
    replicas: fc.oneof(subset, fc.constantFrom([A, B, C], [B, C, D], [A])),
    next: fc.oneof(subset, fc.constantFrom<NodeId[]>([], [A, B, C], [B, C, D])),
    primary: fc.constantFrom(...NODES),
  })
  .map((config) => ({ ...stable, ...config }));

/** Random changes are hardly ever allowed, so most are one of those that might be. */
const steps = fc
  .tuple(configs, configs, fc.constantFrom('any', 'same', 'begin', 'end'), fc.boolean())
  .map(([before, other, kind, follow]): [ShardConfig, ShardConfig] => {
    const epoch = follow ? before.epoch + 1 : other.epoch;
    const { next, primary, stage } = other;
    if (kind === 'any') return [before, { ...other, epoch }];
    if (kind === 'same') return [before, { ...before, epoch, primary, stage }];
    if (kind === 'begin') {
      return [before, { ...before, epoch, stage: 'admit', next, session: before.epoch + 1 }];
    }
    return [before, { ...before, ...ended, epoch, primary, replicas: before.next }];
  });

/** Every smallest majority of a set. */
function majorities(set: readonly NodeId[]): readonly (readonly NodeId[])[] {
  const size = Math.floor(set.length / 2) + 1;
  const choose = (from: number, count: number): NodeId[][] => {
    if (count === 0) return [[]];
    const chosen: NodeId[][] = [];
    for (let i = from; i <= set.length - count; i++) {
      for (const rest of choose(i + 1, count - 1)) chosen.push([set[i] as NodeId, ...rest]);
    }
    return chosen;
  };
  return choose(0, size);
}

/** One majority of each set that a write needs, in every combination. */
function quorums(config: ShardConfig): readonly (readonly NodeId[])[] {
  return writeSets(config).reduce<readonly (readonly NodeId[])[]>(
    (all, set) => all.flatMap((one) => majorities(set).map((more) => [...one, ...more])),
    [[]],
  );
}

test('C8: every write quorum meets every one of the configuration that follows', () => {
  let allowed = 0;
  const property = fc.property(steps, ([before, next]) => {
    if (!isWellFormed(before) || shardTransition(before, next) !== undefined) return;
    allowed += 1;
    expect(next.epoch).toBe(before.epoch + 1);
    for (const old of quorums(before)) {
      for (const young of quorums(next)) {
        expect(old.some((node) => young.includes(node))).toBe(true);
      }
    }
    // Whoever leads is one of those who were written to before, or is about to be filled.
    expect(servingSet(next)).toContain(next.primary);
  });
  fc.assert(property, { numRuns: 5_000 });
  expect(allowed).toBeGreaterThan(100);
});

function isWellFormed(config: ShardConfig): boolean {
  const moving = config.stage !== 'stable';
  return moving === config.next.length > 0 && moving === config.session > 0;
}
