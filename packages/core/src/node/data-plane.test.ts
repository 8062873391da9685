import {
  encodeValue,
  entryBodyField,
  entryChecksum,
  makeOperationId,
  shardOfEntry,
  type Answer,
  type EntryBody,
  type NodeId,
  type Operation,
  type ShardConfig,
  type ShardId,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { LinkId } from '../link-id.ts';
import { entryOf as doorEntry } from '../testing/gateway-door.ts';
import { NodeRig } from '../testing/node-rig.ts';

const SHARD_COUNT = 8;

function entryOf(userId: string, content: string): EntryBody {
  const said = { content, category: '', categories: [], metadata: {} };
  return doorEntry({ userId, ...said, checksum: entryChecksum(said) });
}

/** A cluster of nodes named a, b, … and clients of them. */
class Grid {
  readonly rig = new NodeRig();
  readonly #clients = new Map<string, LinkId>();
  #lastId = 0;

  constructor(...names: readonly string[]) {
    for (const name of names) this.rig.start(name, { seeds: names, expect: names.length });
    expect(this.rig.runUntil(() => this.serves(), 30_000)).toBe(true);
  }

  /** Every shard has an owner, and every owner serves. */
  serves(): boolean {
    const names = [...this.rig.nodes.keys()];
    const active = new Set<ShardId>();
    for (const name of names) {
      for (const one of this.rig.status(name).shards) if (one.active) active.add(one.shard);
    }
    return active.size === SHARD_COUNT && names.every((name) => this.configs(name).length > 0);
  }

  configs(name: string): readonly ShardConfig[] {
    return this.rig.status(name).control?.shards ?? [];
  }

  nodeOf(name: string): NodeId {
    return this.rig.status(name).nodeId;
  }

  ask(name: string, shard: ShardId, rest: Pick<Operation, 'body'> & Partial<Operation>): Answer {
    const link = this.#clients.get(name) ?? this.rig.connect(name);
    this.#clients.set(name, link);
    this.#lastId += 1;
    return this.rig.asks(name, link, {
      id: this.#lastId,
      shard,
      operationId: '',
      read: 'strong',
      durability: 'quorum',
      sync: 'disk',
      timeoutMs: 2_000,
      noAutonomous: false,
      atLeast: 0,
      ...rest,
    });
  }

  put(name: string, userId: string, content: string): Answer {
    const shard = this.shardOf(userId);
    const entry = encodeValue(entryBodyField, entryOf(userId, content));
    const condition = { kind: 'always' } as const;
    const body = { kind: 'put', namespace: 'n', key: 'k', entry, condition } as const;
    const operationId = makeOperationId(this.rig.wallMs, [this.#lastId, 0, 0]);
    return this.ask(name, shard, { body, operationId });
  }

  get(name: string, userId: string, read: Operation['read'] = 'strong'): string | undefined {
    const body = { kind: 'get', namespace: 'n', key: 'k' } as const;
    const { result } = this.ask(name, this.shardOf(userId), { body, read });
    if (result.kind === 'absent') return undefined;
    if (result.kind !== 'found') throw new Error(`${result.kind}: ${JSON.stringify(result)}`);
    return contentOf(result.found.entry);
  }

  shardOf(userId: string): ShardId {
    return shardOfEntry({ namespace: 'n', userId, key: 'k' }, SHARD_COUNT);
  }

  /** A user whose shard this node is the primary of. */
  userAt(name: string): string {
    const node = this.nodeOf(name);
    for (let user = 0; ; user += 1) {
      const shard = this.shardOf(`u${user}`);
      if (this.configs(name)[shard]?.primary === node) return `u${user}`;
    }
  }

  restart(name: string, seeds: readonly string[]): void {
    const records = this.rig.kill(name);
    this.#clients.delete(name);
    this.rig.start(name, { seeds }, records);
  }

  kill(name: string): void {
    this.rig.kill(name);
    this.#clients.delete(name);
  }
}

function contentOf(entry: Uint8Array): string {
  const text = String.fromCharCode(...entry);
  return /tea|coffee|water/.exec(text)?.[0] ?? '';
}

test('N13: what is put through one node is read through every other', () => {
  const grid = new Grid('a', 'b', 'c');
  const user = grid.userAt('b');
  expect(grid.put('a', user, 'tea').result).toMatchObject({
    kind: 'written',
    acknowledged: 'quorum',
  });
  for (const name of ['a', 'b', 'c']) {
    expect(grid.get(name, user)).toBe('tea');
    expect(grid.get(name, user, 'quorum')).toBe('tea');
  }
  expect(grid.get('c', grid.userAt('c'))).toBeUndefined();
});

test('N13: when the node of a primary dies, another serves what was acknowledged', () => {
  const grid = new Grid('a', 'b', 'c');
  const user = grid.userAt('b');
  grid.put('a', user, 'tea');
  grid.kill('b');
  expect(grid.rig.runUntil(() => grid.serves(), 20_000)).toBe(true);
  expect(grid.get('a', user)).toBe('tea');
  expect(grid.put('c', user, 'coffee').result.kind).toBe('written');
  expect(grid.get('a', user)).toBe('coffee');
});

test('N6: a leaving node gives its primaries away before it goes, and tells its clients', () => {
  const grid = new Grid('a', 'b', 'c');
  const user = grid.userAt('b');
  grid.put('b', user, 'tea');
  grid.put('a', user, 'coffee');
  const leaving = grid.nodeOf('b');
  grid.rig.input('b', { kind: 'shutdown' });
  const told = grid.rig.told.filter(({ node }) => node === 'b').map(({ message }) => message);
  expect(told).toContainEqual({ type: 'clientBye', reason: 'shuttingDown' });
  expect(grid.rig.runUntil(() => grid.rig.halted('b') !== undefined, 3_000)).toBe(true);
  expect(grid.configs('a').map(({ primary }) => primary)).not.toContain(leaving);
  grid.kill('b');
  expect(grid.rig.runUntil(() => grid.serves(), 200)).toBe(true);
  expect(grid.get('a', user)).toBe('coffee');
});

test('N13: a node that comes back has its records, and serves again', () => {
  const grid = new Grid('a', 'b', 'c');
  const user = grid.userAt('b');
  grid.put('a', user, 'tea');
  grid.rig.run(1_000);
  for (const name of ['a', 'b', 'c']) grid.restart(name, ['a', 'b', 'c']);
  expect(grid.rig.runUntil(() => grid.serves(), 30_000)).toBe(true);
  for (const name of ['a', 'b', 'c']) expect(grid.get(name, user)).toBe('tea');
});

test('N13: one that joins takes its share over, and nothing is lost', () => {
  const grid = new Grid('a', 'b', 'c');
  const users = Array.from({ length: 20 }, (_, at) => `u${at}`);
  for (const user of users) grid.put('a', user, 'water');
  grid.rig.start('d', { seeds: ['a', 'b', 'c'] });
  const holds = (): number =>
    grid.configs('a').filter(({ replicas }) => replicas.includes(grid.nodeOf('d'))).length;
  const isSettled = (): boolean => grid.configs('a').every(({ stage }) => stage === 'stable');
  expect(grid.rig.runUntil(() => holds() >= 4 && isSettled(), 120_000)).toBe(true);
  for (const user of users) expect(grid.get('d', user)).toBe('water');
});

test('N13: operations from inside the process are answered as those of clients', () => {
  const grid = new Grid('a');
  const operation: Operation = {
    id: 1,
    shard: grid.shardOf('u1'),
    operationId: '',
    body: { kind: 'get', namespace: 'n', key: 'k' },
    read: 'strong',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: 1_000,
    noAutonomous: false,
    atLeast: 0,
  };
  grid.rig.request('a', 5, { kind: 'operation', operation });
  grid.rig.run(100);
  expect(grid.rig.replies.at(-1)).toMatchObject({
    request: 5,
    reply: { kind: 'answered', answer: { id: 1, result: { kind: 'absent' } } },
  });
});

test('F21: an operator asks a node about the writes that no log has', () => {
  const grid = new Grid('a');
  grid.rig.request('a', 6, { kind: 'orphans', ask: { kind: 'listOrphans', limit: 10 } });
  grid.rig.request('a', 7, { kind: 'orphans', ask: { kind: 'dropOrphan', orphan: 1 } });
  expect(grid.rig.replies.slice(-2)).toEqual([
    {
      node: 'a',
      request: 6,
      reply: { kind: 'orphans', reply: { kind: 'orphans', orphans: [], parked: 0, waiting: 0 } },
    },
    {
      node: 'a',
      request: 7,
      reply: { kind: 'orphans', reply: { kind: 'orphanRefused', reason: 'absent' } },
    },
  ]);
});

test('N13: a client of a node that has no cluster yet is told so', () => {
  const rig = new NodeRig();
  rig.start('a', { seeds: ['b'], expect: 2 });
  rig.run(100);
  rig.connect('a');
  expect(rig.told.at(-1)?.message).toMatchObject({ type: 'clientRefused', reason: 'notFounded' });
});
