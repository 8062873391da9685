import {
  encodeValue,
  entryBodyField,
  nodeId,
  type Answer,
  type Generation,
  type Operation,
  type ShardConfig,
  type ShardId,
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

  put(key: string, kind: 'always' | 'absent'): Answer['result'] {
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
      sync: 'disk',
      timeoutMs: 1_000,
      noAutonomous: false,
      atLeast: 0,
    };
    this.#step({ kind: 'operations', operations: [{ token: this.#count, operation }] });
    this.wait(10);
    return this.answers.at(-1)?.result as Answer['result'];
  }

  #step(input: ShardsInput): void {
    this.#perform(this.#machine?.step(this.#nowMs as Instant, input) ?? []);
  }

  #perform(effects: readonly ShardsEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'answer') this.answers.push(effect.answer);
      if (effect.kind !== 'store') continue;
      for (const operation of effect.operations) {
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
