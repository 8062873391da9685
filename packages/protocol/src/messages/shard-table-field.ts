import type { Generation, NodeId, ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, generationField, shardIdField } from '../wire/counters.ts';
import { checked, type Field, integer, list, throughValues, uint } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { type Extensible, extensible, struct } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';
import type { ShardEpoch } from './operations.ts';
import { type ShardConfig, type ShardStage, shardStageField } from './shards.ts';

/** Nodes in one table: more than any cluster has members. */
const NODES_MAX = 10_000;

/** A shard's configuration with places in the table's list of nodes instead of node ids. */
interface Row extends Extensible {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly stage: ShardStage;
  readonly primary: number;
  readonly primaryGeneration: Generation;
  readonly replicas: readonly number[];
  readonly next: readonly number[];
  readonly session: number;
}

interface Table {
  readonly nodes: readonly NodeId[];
  readonly rows: readonly Row[];
}

const place = uint(NODES_MAX - 1);

const places = (lengthMin: 0 | 1): Field<readonly number[]> => {
  const { replicasMax } = LIMITS;
  return checked(list(place, replicasMax), `distinct(${lengthMin},${replicasMax})`, (values) => {
    if (values.length < lengthMin) throw expected('at least one node', values);
    if (new Set(values).size !== values.length) throw expected('distinct nodes', values);
  });
};

const row = extensible<Row>({
  shard: shardIdField,
  epoch: integer<ShardEpoch>(1, Number.MAX_SAFE_INTEGER),
  stage: shardStageField,
  primary: place,
  primaryGeneration: generationField,
  replicas: places(1),
  next: places(0),
  session: countField,
});

const table = struct<Table>({
  nodes: list(nodeIdField, NODES_MAX),
  rows: list(row, LIMITS.shardsMax),
});

/**
 * Many shard configurations, in ascending order of shard, each shard once.
 *
 * Node ids are 18 bytes and a shard names up to fifteen of them, so the ids are listed once, in
 * order of their first use, and the rows refer to them: about 20 bytes a shard. That is how a fail-over of
 * 1,024 shards fits into one control command.
 */
export const shardTableField: Field<readonly ShardConfig[]> = throughValues({
  shape: `shardTable(${table.shape})`,
  optional: false,
  toWire: (configs) => {
    if (!Array.isArray(configs)) throw expected('a list', configs);
    const packed = toTable(configs);
    checkOrder(packed.rows);
    return table.toWire(packed);
  },
  fromWire: (raw) => {
    const packed = table.fromWire(raw);
    checkOrder(packed.rows);
    checkNodes(packed);
    return packed.rows.map((one) => fromRow(one, packed.nodes));
  },
  bytes: (configs) => table.bytes(toTable(configs)),
});

function toTable(configs: readonly ShardConfig[]): Table {
  const places = new Map<NodeId, number>();
  const placeOf = (node: NodeId): number => {
    const known = places.get(node);
    if (known !== undefined) return known;
    places.set(node, places.size);
    return places.size - 1;
  };
  const rows = configs.map((config): Row => {
    const replicas = config.replicas.map(placeOf);
    const next = config.next.map(placeOf);
    return { ...config, primary: placeOf(config.primary), replicas, next };
  });
  return { nodes: [...places.keys()], rows };
}

function fromRow({ primary, replicas, next, ...rest }: Row, nodes: readonly NodeId[]): ShardConfig {
  const nodeAt = (at: number): NodeId => nodes[at] as NodeId;
  return {
    shard: rest.shard,
    epoch: rest.epoch,
    stage: rest.stage,
    primary: nodeAt(primary),
    primaryGeneration: rest.primaryGeneration,
    replicas: replicas.map(nodeAt),
    next: next.map(nodeAt),
    session: rest.session,
    ...(rest.unknownFields === undefined ? {} : { unknownFields: rest.unknownFields }),
  };
}

function checkOrder(rows: readonly Row[]): void {
  for (let i = 1; i < rows.length; i++) {
    const { shard } = rows[i] as Row;
    if (shard <= (rows[i - 1] as Row).shard) {
      throw expected('a shard after the one before it', shard).inside(`[${i}]`);
    }
  }
}

/** The list of nodes is what `toTable` makes: equal tables are equal bytes. */
function checkNodes({ nodes, rows }: Table): void {
  if (new Set(nodes).size !== nodes.length) throw expected('distinct nodes', nodes);
  let used = 0;
  rows.forEach(({ primary, replicas, next }, i) => {
    for (const at of [...replicas, ...next, primary]) {
      if (at > used) throw expected(`a node's place of at most ${used}`, at).inside(`[${i}]`);
      if (at === used) used += 1;
    }
  });
  if (used !== nodes.length) throw expected(`a list of ${used} nodes`, nodes);
}
