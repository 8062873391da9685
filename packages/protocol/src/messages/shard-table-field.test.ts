import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCommand, encodeCommand } from '../codec.ts';
import { type Generation, nodeId, shardId, type NodeId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { pack, unpack, type WireValue } from '../wire/msgpack.ts';
import { shardTableField } from './shard-table-field.ts';
import type { ShardConfig, ShardStage } from './shards.ts';

const NODES = Array.from({ length: 12 }, (_, i) => nodeId((i + 1).toString(16).padStart(32, '0')));
const [A, B, C, D] = NODES as [NodeId, NodeId, NodeId, NodeId];

function configOf(overrides: Partial<ShardConfig> = {}): ShardConfig {
  return {
    shard: shardId(0, 4096),
    epoch: 1,
    stage: 'stable',
    primary: A,
    primaryGeneration: 1 as Generation,
    replicas: [A, B, C],
    next: [],
    session: 0,
    ...overrides,
  };
}

function roundTrip(configs: readonly ShardConfig[]): readonly ShardConfig[] {
  const bytes = pack(shardTableField.toWire(configs));
  expect(bytes.length).toBe(shardTableField.bytes(configs));
  return shardTableField.fromWire(unpack(bytes, bytes.length));
}

const nodes = (minLength: number): fc.Arbitrary<NodeId[]> =>
  fc.uniqueArray(fc.constantFrom(...NODES), { minLength, maxLength: LIMITS.replicasMax });

const tables = fc
  .uniqueArray(
    fc.record({
      shard: fc.integer({ min: 0, max: 4095 }).map((shard) => shardId(shard, 4096)),
      epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      stage: fc.constantFrom<ShardStage>('stable', 'admit', 'dual', 'switch'),
      primary: fc.constantFrom(...NODES),
      primaryGeneration: fc.nat().map((generation) => generation as Generation),
      replicas: nodes(1),
      next: nodes(0),
      session: fc.nat(),
    }),
    { selector: ({ shard }) => shard },
  )
  .map((configs) => configs.toSorted((a, b) => a.shard - b.shard));

test('W11: any table of shards survives its encoding, whose length is known before', () => {
  fc.assert(fc.property(tables, (configs) => void expect(roundTrip(configs)).toEqual(configs)));
});

test('W3: what a later version says of a shard is kept', () => {
  const configs = [configOf({ unknownFields: ['new', 7] })];
  expect(roundTrip(configs)).toEqual(configs);
});

test('W11: 1,024 shards on twelve nodes, each on the move, fit into one command', () => {
  const changes = Array.from({ length: 1024 }, (_, shard) => {
    const at = (i: number): NodeId => NODES[(shard + i) % NODES.length] as NodeId;
    return configOf({
      shard: shardId(shard, 1024),
      epoch: 70_000,
      stage: 'dual',
      primary: at(0),
      primaryGeneration: 300 as Generation,
      replicas: [at(0), at(1), at(2)],
      next: [at(1), at(2), at(3)],
      session: 69_999,
    });
  });
  const command = { kind: 'assignShards', changes } as const;
  const bytes = encodeCommand(command);
  expect(bytes.length).toBeLessThan(LIMITS.commandBytesMax / 2);
  expect(decodeCommand(bytes)).toEqual(command);
});

const valid = shardTableField.toWire([configOf()]) as readonly [WireValue[], WireValue[][]];
const [nodeList, [row]] = valid as unknown as [WireValue[], [WireValue[]]];
const withField = (at: number, value: WireValue): WireValue => [nodeList, [row.with(at, value)]];
const stranger = new Uint8Array(16);

test.each<[string, WireValue, RegExp]>([
  ['the same shard twice', [nodeList, [row, row]], /a shard after the one before it/],
  ['no shard', withField(0, 4096), /from 0 to 4095/],
  ['epoch 0', withField(1, 0), /from 1 to/],
  ['an unknown stage', withField(2, 9), /one of/],
  ['a primary beyond the list', withField(3, 7), /a node's place/],
  ['no replica', withField(5, []), /at least one node/],
  ['a replica twice', withField(5, [0, 1, 1]), /distinct nodes/],
  ['too many replicas', withField(5, [0, 1, 2, 3, 4, 5, 6, 7]), /at most 7 values/],
  ['a node twice', [[...nodeList, nodeList[0] as WireValue], [row]], /distinct nodes/],
  ['a node that nobody uses', [[...nodeList, stranger], [row]], /a list of 3 nodes/],
  ['places out of order', withField(5, [1, 0, 2]), /a node's place of at most 0/],
  ['no list', 7, /a list/],
])('W5: a table with %s is refused', (_name, raw, problem) => {
  expect(() => shardTableField.fromWire(raw)).toThrow(problem);
});

test('W6: a table in the wrong order is refused at its origin', () => {
  const unordered = [configOf({ shard: shardId(1, 8) }), configOf({ replicas: [A, B, D] })];
  expect(() => shardTableField.toWire(unordered)).toThrow(/a shard after the one before it/);
});
