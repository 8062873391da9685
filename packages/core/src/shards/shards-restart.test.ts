import {
  encodeValue,
  entryBodyField,
  nodeId,
  type Answer,
  type Generation,
  type Operation,
  type ShardConfig,
  type ShardId,
  type SyncClass,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { parseEntryKey } from '../entries/entry-keys.ts';
import { MemoryEntryTable } from '../entries/memory-entry-table.ts';
import { decodeStoredEntry } from '../entries/stored-entry.ts';
import type { Instant } from '../machine.ts';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import { Random } from '../random.ts';
import { plainBody } from '../testing/plain-body.ts';
import { shardsConfig } from './shards-config.ts';
import type { ShardsEffect, ShardsInput } from './shards-io.ts';
import { Shards } from './shards.ts';

const SELF = nodeId('1'.padStart(32, '0'));
const SHARD = 0 as ShardId;
const WALL_MS = 1_767_225_600_000;

/** A node that holds one shard alone, with a disk that is safe at once and outlives it. */
class LoneNode {
  readonly answers: Answer[] = [];
  /** Records of the log that were written. */
  writtenCount = 0;
  readonly #disk = new Map<string, Uint8Array>();
  #machine: Shards | undefined;
  #generation = 0;
  #epoch = 0;
  #nowMs = 0;
  #count = 0;

  start(): void {
    this.#generation += 1;
    this.#epoch += 1;
    const records = new Map<string, Uint8Array>();
    const entries = new MemoryEntryTable();
    for (const [key, value] of this.#disk) {
      const at = parseEntryKey(key);
      if (at === undefined) records.set(key, value);
      const entry = at === undefined ? undefined : decodeStoredEntry(value);
      if (at !== undefined && entry !== undefined)
        entries.put(at.shard, at.slot, at.key, entry, true);
    }
    this.#machine = new Shards({
      self: SELF,
      generation: this.#generation as Generation,
      config: shardsConfig({ logRecordsMax: 2 }),
      records,
      entries,
      rules: plainEntryRules,
      tick: () => ({ ms: WALL_MS + this.#nowMs, counter: (this.#count += 1) }),
      random: Random.of(1),
      now: this.#nowMs as Instant,
    });
    const config: ShardConfig = {
      shard: SHARD,
      epoch: this.#epoch,
      stage: 'stable',
      primary: SELF,
      primaryGeneration: this.#generation as Generation,
      replicas: [SELF],
      next: [],
      session: 0,
    };
    this.#step({ kind: 'alive', nodes: new Set([SELF]) });
    this.#step({ kind: 'configs', configs: [config] });
  }

  /** Time passes, and everything that is due happens. */
  wait(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const wakeAt = this.#machine?.wakeAt;
      if (wakeAt === undefined || wakeAt > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, wakeAt);
      this.#perform(this.#machine?.wake(this.#nowMs as Instant) ?? []);
    }
    this.#nowMs = untilMs;
  }

  put(key: string, kind: 'always' | 'absent', sync: SyncClass = 'disk'): Answer['result'] {
    this.#count += 1;
    const time = (WALL_MS + this.#nowMs).toString(16).padStart(12, '0');
    const operation: Operation = {
      id: this.#count,
      shard: SHARD,
      operationId: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(this.#count).padStart(12, '0')}`,
      body: {
        kind: 'put',
        namespace: 'n',
        key,
        entry: encodeValue(entryBodyField, plainBody()),
        condition: { kind },
      },
      read: 'strong',
      durability: 'quorum',
      sync,
      timeoutMs: 1_000,
      noAutonomous: false,
      atLeast: 0,
    };
    this.#step({ kind: 'operations', operations: [{ token: this.#count, operation }] });
    this.wait(10);
    return this.answers.at(-1)?.result as Answer['result'];
  }

  get lastIndex(): number {
    return this.#machine?.status()[0]?.last.index ?? 0;
  }

  /** Disk keys of a kind: `l` for records, `e` for entries. */
  onDisk(kind: 'l' | 'e'): readonly string[] {
    return [...this.#disk.keys()].filter((key) => key.startsWith(`shard/0000/0/${kind}/`));
  }

  /** Ends as a process does that is asked to. */
  stop(): void {
    this.#perform(this.#machine?.rest(this.#nowMs as Instant) ?? []);
  }

  #step(input: ShardsInput): void {
    this.#perform(this.#machine?.step(this.#nowMs as Instant, input) ?? []);
  }

  #perform(effects: readonly ShardsEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'answer') this.answers.push(effect.answer);
      if (effect.kind !== 'store') continue;
      for (const operation of effect.operations) {
        if (operation.kind === 'put' && operation.key.includes('/l/')) this.writtenCount += 1;
        if (operation.kind === 'put') this.#disk.set(operation.key, operation.value);
        else this.#disk.delete(operation.key);
      }
      this.#step({ kind: 'stored', ticket: effect.ticket });
    }
  }
}

test('what was applied before a restart is still there when its record has been trimmed', () => {
  const node = new LoneNode();
  node.start();
  expect(node.put('kept', 'always').kind).toBe('written');
  node.wait(1_000);
  node.start();
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    expect(node.put(key, 'always').kind).toBe('written');
    node.wait(1_000);
  }
  expect(node.put('kept', 'absent')).toMatchObject({ kind: 'failed', code: 'VERSION_CONFLICT' });
});

test('what was found on the disk is not written there again', () => {
  const node = new LoneNode();
  node.start();
  for (const key of ['a', 'b']) node.put(key, 'always');
  const written = node.writtenCount;
  node.start();
  node.put('c', 'always');
  // The record that proves the new epoch, and that of the write.
  expect(node.writtenCount - written).toBe(2);
});

/** A node whose one shard is written to at `memory`, and has been for a while. */
function nodeInMemory(): LoneNode {
  const node = new LoneNode();
  node.start();
  expect(node.put('first', 'always', 'memory').kind).toBe('written');
  node.wait(1_000);
  return node;
}

test('F27: what is written in memory alone reaches the disk as entries, each once', () => {
  const node = nodeInMemory();
  for (let time = 0; time < 10; time += 1) node.put('a', 'always', 'memory');
  expect(node.onDisk('l')).toEqual([]);
  expect(node.onDisk('e')).toHaveLength(1);
  node.wait(1_000);
  expect(node.onDisk('l')).toEqual([]);
  expect(node.onDisk('e')).toHaveLength(2);
});

test('F27: no index names two records, though a crash has taken the first of them', () => {
  const node = nodeInMemory();
  node.put('lost', 'always', 'memory');
  const lost = node.lastIndex;
  node.start();
  expect(node.lastIndex).toBeGreaterThanOrEqual(lost);
  expect(node.put('first', 'absent')).toMatchObject({ code: 'VERSION_CONFLICT' });
  // At `memory` a restart may lose what it will.
  expect(node.put('lost', 'absent').kind).toBe('written');
  node.start();
  expect(node.put('lost', 'absent')).toMatchObject({ code: 'VERSION_CONFLICT' });
});

test.each(['os', 'disk'] as const)(
  'F27: a record of class %s brings everything before it to the disk',
  (sync) => {
    const node = nodeInMemory();
    node.put('before', 'always', 'memory');
    node.put('safe', 'always', sync);
    node.put('behind', 'always', 'memory');
    node.start();
    for (const key of ['before', 'safe', 'behind']) {
      expect(node.put(key, 'absent', 'memory')).toMatchObject({ code: 'VERSION_CONFLICT' });
    }
    node.wait(1_000);
    for (let time = 0; time < 3; time += 1) node.put('safe', 'always', 'memory');
    node.wait(1_000);
    node.start();
    expect(node.put('safe', 'absent')).toMatchObject({ code: 'VERSION_CONFLICT' });
  },
);

test('F27: who stops in order loses nothing, and leaves no gap', () => {
  const node = nodeInMemory();
  node.put('last', 'always', 'memory');
  const last = node.lastIndex;
  node.stop();
  node.start();
  // The record that proves the new epoch.
  expect(node.lastIndex).toBe(last + 1);
  expect(node.put('last', 'absent')).toMatchObject({ code: 'VERSION_CONFLICT' });
});
