import type {
  Answer,
  EntryBody,
  Generation,
  NodeId,
  Operation,
  ShardConfig,
  ShardId,
  ShardReport,
} from '@memgrid/protocol';
import { encodeValue, entryBodyField, makeOperationId, nodeId } from '@memgrid/protocol';
import { decodeStoredEntry } from '../entries/stored-entry.ts';
import { isEntryKey, parseEntryKey } from '../entries/entry-keys.ts';
import { MemoryEntryTable } from '../entries/memory-entry-table.ts';
import type { Instant } from '../machine.ts';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import { Random } from '../random.ts';
import type { OrphanReply, OrphanRequest } from '../shards/orphans-io.ts';
import { shardsConfig } from '../shards/shards-config.ts';
import type {
  AppliedChange,
  EntryRules,
  LoadResult,
  ShardEvent,
  ShardMessage,
  ShardsEffect,
  ShardsInput,
  ShardsOptionsOverride,
  ShardStatus,
} from '../shards/shards-io.ts';
import { Shards } from '../shards/shards.ts';
import type { StoreOperation } from '../store-operation.ts';
import { plainBody } from './plain-body.ts';

export const SHARD = 5 as ShardId;

/** Node number `number`, from 1. */
export function labNode(number: number): NodeId {
  return nodeId(number.toString(16).padStart(32, '0'));
}

interface Batch {
  readonly ticket: number;
  readonly operations: readonly StoreOperation[];
  readonly durable: boolean;
}

interface Host {
  readonly id: NodeId;
  machine: Shards | undefined;
  entries: MemoryEntryTable;
  generation: number;
  /** What a crash leaves. */
  readonly disk: Map<string, Uint8Array>;
  /** Written and not confirmed yet. */
  pending: Batch[];
  /** Batches wait until this is false. */
  diskHeld: boolean;
  /** What the disk has read and not told yet; undefined while it tells at once. */
  heldReads: (() => void)[] | undefined;
}

export interface Sent {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly body: ShardMessage;
}

export interface LabOptions {
  readonly nodes: number;
  readonly config?: ShardsOptionsOverride;
  readonly entryBytesMax?: number;
  readonly rules?: EntryRules;
  /** By how much the hybrid clock is ahead of the wall clock. */
  readonly aheadMs?: number;
}

/** Milliseconds since 1970 at the beginning. */
const EPOCH_MS = 1_800_000_000_000;

/**
 * A few machines with disks and a network that do what a test says: everything arrives at once and
 * is stored at once unless it is held up.
 */
export class ShardLab {
  readonly sent: Sent[] = [];
  readonly events: { readonly node: NodeId; readonly event: ShardEvent }[] = [];
  readonly changes: { readonly node: NodeId; readonly change: AppliedChange }[] = [];
  readonly reports: { readonly node: NodeId; readonly report: ShardReport }[] = [];
  readonly answers = new Map<number, Answer>();
  readonly decided = new Map<number, OrphanReply>();
  /** Messages that do not arrive. */
  drop: (message: Sent) => boolean = () => false;
  readonly #options: LabOptions;
  readonly #hosts = new Map<NodeId, Host>();
  readonly #queue: Sent[] = [];
  #configs: ShardConfig[] = [];
  #nowMs = 1000;
  #ticks = 0;
  #tokens = 0;

  constructor(options: LabOptions) {
    this.#options = options;
    for (let number = 1; number <= options.nodes; number += 1) {
      const id = labNode(number);
      const host: Host = {
        id,
        machine: undefined,
        entries: new MemoryEntryTable(),
        generation: 0,
        disk: new Map(),
        pending: [],
        diskHeld: false,
        heldReads: undefined,
      };
      this.#hosts.set(id, host);
      this.start(number);
    }
  }

  get wallMs(): number {
    return EPOCH_MS + this.#nowMs;
  }

  get now(): Instant {
    return this.#nowMs as Instant;
  }

  machine(number: number): Shards {
    const { machine } = this.#host(number);
    if (machine === undefined) throw new Error(`Node ${number} is down.`);
    return machine;
  }

  entries(number: number): MemoryEntryTable {
    return this.#host(number).entries;
  }

  disk(number: number): Map<string, Uint8Array> {
    return this.#host(number).disk;
  }

  status(number: number, shard = SHARD): ShardStatus {
    const status = this.machine(number)
      .status()
      .find((one) => one.shard === shard);
    if (status === undefined) throw new Error(`Node ${number} knows nothing of ${shard}.`);
    return status;
  }

  /** A first configuration of all nodes, or what `change` makes of the last one. */
  assign(change: Partial<ShardConfig> = {}, to?: readonly number[]): ShardConfig {
    const shard = change.shard ?? SHARD;
    const before = this.#configs.find((config) => config.shard === shard);
    const primary = change.primary ?? before?.primary ?? labNode(1);
    const config: ShardConfig = {
      shard,
      stage: before?.stage ?? 'stable',
      replicas: before?.replicas ?? [...this.#hosts.keys()],
      next: before?.next ?? [],
      session: before?.session ?? 0,
      ...change,
      epoch: change.epoch ?? (before?.epoch ?? 0) + 1,
      primary,
      primaryGeneration:
        change.primaryGeneration ?? ((this.#hosts.get(primary)?.generation ?? 1) as Generation),
    };
    this.#configs = [...this.#configs.filter((one) => one.shard !== shard), config];
    const numbers = to ?? [...this.#hosts.keys()].map((_, at) => at + 1);
    for (const number of numbers) this.input(number, { kind: 'configs', configs: [config] });
    return config;
  }

  /** Begins a process; it knows the latest configurations. */
  start(number: number): void {
    const host = this.#host(number);
    host.generation += 1;
    host.entries = new MemoryEntryTable(
      this.#options.entryBytesMax === undefined ? {} : { bytesMax: this.#options.entryBytesMax },
    );
    const records = new Map<string, Uint8Array>();
    for (const [key, value] of host.disk) {
      if (!isEntryKey(key)) {
        records.set(key, value);
        continue;
      }
      const place = parseEntryKey(key);
      const entry = decodeStoredEntry(value);
      if (place !== undefined && entry !== undefined) {
        host.entries.put(place.shard, place.slot, place.key, entry, true);
      }
    }
    host.machine = new Shards({
      self: host.id,
      generation: host.generation as Generation,
      config: shardsConfig(this.#options.config),
      records,
      entries: host.entries,
      rules: this.#options.rules ?? plainEntryRules,
      tick: () => {
        this.#ticks += 1;
        return { ms: this.wallMs + (this.#options.aheadMs ?? 0), counter: this.#ticks % 0x10000 };
      },
      wallMs: () => this.wallMs,
      random: Random.of(number),
      now: this.now,
    });
    for (const other of this.#hosts.values()) {
      if (other !== host && other.machine !== undefined) {
        this.#perform(other, other.machine.step(this.now, { kind: 'peerReset', peer: host.id }));
      }
    }
    this.input(number, { kind: 'configs', configs: this.#configs });
  }

  /** Ends a process: what was not confirmed is lost, and its messages under way are too. */
  crash(number: number): void {
    const host = this.#host(number);
    host.machine = undefined;
    host.pending = [];
  }

  holdDisk(number: number): void {
    this.#host(number).diskHeld = true;
  }

  releaseDisk(number: number): void {
    this.#host(number).diskHeld = false;
    this.settle();
  }

  alive(...numbers: readonly number[]): void {
    const nodes = new Set(numbers.map(labNode));
    for (const host of this.#hosts.values()) {
      if (host.machine !== undefined) {
        this.#perform(host, host.machine.step(this.now, { kind: 'alive', nodes }));
      }
    }
    this.settle();
  }

  input(number: number, input: ShardsInput): void {
    const host = this.#host(number);
    if (host.machine === undefined) return;
    this.#perform(host, host.machine.step(this.now, input));
    this.settle();
  }

  /** A message from `from`, whatever the machine there would say. */
  deliver(from: number, to: number, body: ShardMessage): void {
    this.input(to, { kind: 'message', from: labNode(from), body });
  }

  /** Hands an operation in; its answer appears under the returned token. */
  ask(number: number, operation: Partial<Operation> & Pick<Operation, 'body'>): number {
    this.#tokens += 1;
    const token = this.#tokens;
    const full: Operation = {
      id: token,
      shard: SHARD,
      operationId: '',
      read: 'one',
      durability: 'quorum',
      sync: 'disk',
      timeoutMs: 2000,
      noAutonomous: false,
      atLeast: 0,
      ...operation,
    };
    const atOnce = this.#host(number).machine?.answerAtOnce(this.now, full);
    this.input(number, { kind: 'operations', operations: [{ token, operation: full }] });
    this.#compare(token, atOnce);
    return token;
  }

  put(number: number, key: string, content: string, more: Partial<Operation> = {}): number {
    return this.ask(number, {
      operationId: this.operationId(),
      body: {
        kind: 'put',
        namespace: 'n',
        key,
        entry: labEntry(content),
        condition: { kind: 'always' },
      },
      ...more,
    });
  }

  /** What an operator is told at a node: undefined while it waits for the disk. */
  decide(number: number, ask: OrphanRequest): OrphanReply | undefined {
    this.#tokens += 1;
    this.input(number, { kind: 'orphans', token: this.#tokens, ask });
    return this.decided.get(this.#tokens);
  }

  delete(number: number, key: string, more: Partial<Operation> = {}): number {
    return this.ask(number, {
      operationId: this.operationId(),
      body: { kind: 'delete', namespace: 'n', key, condition: { kind: 'always' } },
      ...more,
    });
  }

  get(number: number, key: string, more: Partial<Operation> = {}): number {
    return this.ask(number, { body: { kind: 'get', namespace: 'n', key }, ...more });
  }

  operationId(ms = this.wallMs): string {
    this.#tokens += 1;
    return makeOperationId(ms, [this.#tokens, 7, 7]);
  }

  /** Lets everything happen that needs no time. */
  settle(): void {
    for (let round = 0; round < 100_000; round += 1) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        const host = this.#hosts.get(message.to);
        if (host?.machine === undefined || this.drop(message)) continue;
        const { from, body } = message;
        this.#perform(host, host.machine.step(this.now, { kind: 'message', from, body }));
        continue;
      }
      const host = [...this.#hosts.values()].find((one) => one.pending.length > 0 && !one.diskHeld);
      if (host === undefined) return;
      this.#confirm(host);
    }
    throw new Error('The lab does not come to rest.');
  }

  /** Lets time pass, waking whoever wants to be woken. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      this.settle();
      const due = [...this.#hosts.values()]
        .filter((host) => (host.machine?.wakeAt ?? Infinity) <= endMs)
        .sort((a, b) => (a.machine?.wakeAt ?? 0) - (b.machine?.wakeAt ?? 0));
      const [host] = due;
      if (host?.machine === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, host.machine.wakeAt ?? 0);
      this.#perform(host, host.machine.wake(this.now));
    }
    this.#nowMs = endMs;
    this.settle();
  }

  /** What is answered at once is what is answered to an operation that is handed in. */
  #compare(token: number, atOnce: Answer | undefined): void {
    if (atOnce === undefined) return;
    const shown = (answer: Answer | undefined): string => {
      return JSON.stringify(answer, (_, value: unknown) =>
        value instanceof Uint8Array ? [...value] : value,
      );
    };
    const handedIn = shown(this.answers.get(token));
    if (shown(atOnce) === handedIn) return;
    throw new Error(`Answered at once: ${shown(atOnce)}; handed in: ${handedIn}.`);
  }

  #host(number: number): Host {
    const host = this.#hosts.get(labNode(number));
    if (host === undefined) throw new Error(`There is no node ${number}.`);
    return host;
  }

  #confirm(host: Host): void {
    const batch = host.pending.shift() as Batch;
    for (const operation of batch.operations) {
      if (operation.kind === 'put') host.disk.set(operation.key, operation.value);
      else host.disk.delete(operation.key);
    }
    const { machine } = host;
    if (machine === undefined) return;
    this.#perform(host, machine.step(this.now, { kind: 'stored', ticket: batch.ticket }));
  }

  #perform(host: Host, effects: readonly ShardsEffect[]): void {
    for (const effect of effects) this.#performOne(host, effect);
  }

  #performOne(host: Host, effect: ShardsEffect): void {
    const node = host.id;
    switch (effect.kind) {
      case 'send': {
        const message = { from: node, to: effect.to, body: effect.body };
        this.sent.push(message);
        this.#queue.push(message);
        return;
      }
      case 'store':
        host.pending.push(effect);
        return;
      case 'load':
        this.#load(host, effect);
        return;
      case 'answer':
        this.answers.set(effect.token, effect.answer);
        return;
      case 'orphans':
        this.decided.set(effect.token, effect.reply);
        return;
      case 'applied':
        for (const change of effect.changes) this.changes.push({ node, change });
        return;
      case 'report':
        for (const report of effect.reports) this.reports.push({ node, report });
        return;
      case 'event':
        this.events.push({ node, event: effect.event });
    }
  }

  #load(host: Host, { ticket, shard, slot, key }: Extract<ShardsEffect, { kind: 'load' }>): void {
    const disk = [...host.disk.keys()].find((one) => {
      const place = isEntryKey(one) ? parseEntryKey(one) : undefined;
      return place?.shard === shard && place.slot === slot && place.key === key;
    });
    const entry =
      disk === undefined ? undefined : decodeStoredEntry(host.disk.get(disk) as Uint8Array);
    const result: LoadResult =
      disk === undefined
        ? { kind: 'absent' }
        : entry === undefined
          ? { kind: 'damaged', problem: 'Not an entry.' }
          : { kind: 'loaded', entry };
    const { machine } = host;
    const tell = (): void => {
      if (machine === undefined || machine !== host.machine) return;
      this.#perform(host, machine.step(this.now, { kind: 'loaded', ticket, result }));
    };
    if (host.heldReads === undefined) tell();
    else host.heldReads.push(tell);
  }

  /** From now on a node hears nothing of what its disk reads: what that was, is settled all the same. */
  holdReads(number: number): void {
    this.#host(number).heldReads ??= [];
  }

  /** A node hears of everything that its disk has read. */
  tellReads(number: number): void {
    const host = this.#host(number);
    const held = host.heldReads ?? [];
    host.heldReads = undefined;
    for (const tell of held) tell();
  }
}

/** Bytes of an entry that holds little else than a text. */
export function labEntry(content: string, more: Partial<EntryBody> = {}): Uint8Array {
  return encodeValue(entryBodyField, plainBody({ content, ...more }));
}
