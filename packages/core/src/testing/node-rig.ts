import type { Answer, ClientMessage, Envelope, NodeId, Operation } from '@memgrid/protocol';
import { electionConfig } from '../election/election-config.ts';
import { entryKey, isEntryKey, parseEntryKey } from '../entries/entry-keys.ts';
import { MemoryEntryTable } from '../entries/memory-entry-table.ts';
import { decodeStoredEntry } from '../entries/stored-entry.ts';
import { after, type Instant } from '../machine.ts';
import { membershipConfig } from '../membership/membership-config.ts';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import { NodeMachine } from '../node-machine.ts';
import type { NodeEvent } from '../node-event.ts';
import type {
  HaltCode,
  LinkId,
  NodeEffect,
  NodeInput,
  NodeReply,
  NodeRequest,
  NodeSettings,
} from '../node-io.ts';
import type { StoreOperation } from '../store-operation.ts';
import type { NodeStatus } from '../node-status.ts';
import { Random } from '../random.ts';

const STEP_MS = 10;
const WALL_AT_ZERO_MS = 1_800_000_000_000;

interface Wire {
  readonly dialler: string;
  readonly dialled: string;
  readonly link: LinkId;
  readonly accepted: LinkId;
}

interface RiggedNode {
  readonly machine: NodeMachine;
  readonly entries: MemoryEntryTable;
  readonly records: Map<string, Uint8Array>;
  halted: { code: HaltCode; detail: string } | undefined;
}

/**
 * Whole nodes on perfect links and disks, for tests of how the machines of a node work together.
 * No faults: those are the simulator's. A step of time is 10 ms and everything else is instant.
 */
export class NodeRig {
  readonly nodes = new Map<string, RiggedNode>();
  readonly events: { readonly node: string; readonly event: NodeEvent }[] = [];
  readonly replies: {
    readonly node: string;
    readonly request: number;
    readonly reply: NodeReply;
  }[] = [];
  readonly sent: { readonly node: string; readonly envelope: Envelope }[] = [];
  /** What clients were told, and how they were hung up on. */
  readonly told: {
    readonly node: string;
    readonly link: LinkId;
    readonly message: ClientMessage;
  }[] = [];
  /** Batches are answered at once, unless this says no: then they wait in `unanswered`. */
  answersStore: (node: string, operations: readonly StoreOperation[]) => boolean = () => true;
  readonly unanswered: { readonly node: string; readonly ticket: number }[] = [];
  now = 0 as Instant;
  #wires: Wire[] = [];
  #nextAccepted = -1;
  #nextClient = 0;
  #starts = 0;
  readonly #queue: { node: string; input: NodeInput }[] = [];

  /** What every node's wall clock shows. */
  get wallMs(): number {
    return WALL_AT_ZERO_MS + this.now;
  }

  /** Starts a node at the address `name`, on a new directory or on one that another run left. */
  start(
    name: string,
    settings: Partial<NodeSettings> = {},
    records = new Map<string, Uint8Array>(),
  ): void {
    this.#starts += 1;
    const entries = entriesOf(records);
    const machine = new NodeMachine({
      settings: {
        address: name,
        httpAddress: '',
        seeds: [],
        expect: 1,
        zone: '',
        weight: 100,
        votersMax: undefined,
        shardCount: 8,
        replicationFactor: 3,
        features: [],
        protocolMin: 1,
        protocolMax: 1,
        ...settings,
      },
      membership: membershipConfig(),
      election: electionConfig(),
      shards: {},
      entries,
      rules: plainEntryRules,
      records: new Map([...records].filter(([key]) => !isEntryKey(key))),
      random: Random.of(this.#starts),
      // No secrets here: any function that depends on its input will do.
      digest: (bytes) => Uint8Array.from({ length: 32 }, (_, at) => (bytes[at % 16] ?? 0) ^ 0x5a),
      now: this.now,
      wallMs: WALL_AT_ZERO_MS + this.now,
    });
    this.nodes.set(name, { machine, entries, records, halted: undefined });
  }

  /** Ends the process at once; its directory is returned. */
  kill(name: string): Map<string, Uint8Array> {
    const records = this.#node(name).records;
    this.nodes.delete(name);
    for (const wire of this.#wires.filter((w) => w.dialler === name || w.dialled === name)) {
      this.#cut(wire, name);
    }
    return records;
  }

  input(name: string, input: NodeInput): void {
    this.#queue.push({ node: name, input });
    this.#drain();
  }

  request(name: string, request: number, body: NodeRequest): void {
    this.input(name, { kind: 'request', request, body });
  }

  /** Connects a client of the node, which introduces itself at once. */
  connect(name: string): LinkId {
    this.#nextClient -= 1;
    const link = this.#nextClient;
    this.input(name, { kind: 'clientAccepted', link, remote: 'client' });
    const range = { protocolMin: 1, protocolMax: 1 };
    this.says(name, link, { type: 'clientHello', ...range, name: 'rig', version: '1' });
    return link;
  }

  says(name: string, link: LinkId, message: ClientMessage): void {
    this.input(name, { kind: 'clientReceived', link, message });
  }

  /** Asks one operation over a client's connection and runs until it is answered. */
  asks(name: string, link: LinkId, operation: Operation, withinMs = 10_000): Answer {
    this.says(name, link, { type: 'operations', operations: [operation] });
    const answer = (): Answer | undefined =>
      this.told
        .filter((one) => one.node === name && one.link === link)
        .flatMap(({ message }) => (message.type === 'answers' ? message.answers : []))
        .find(({ id }) => id === operation.id);
    if (!this.runUntil(() => answer() !== undefined, withinMs)) {
      throw new Error(`Operation ${operation.id} has no answer after ${withinMs} ms.`);
    }
    return answer() as Answer;
  }

  run(ms: number): void {
    for (let elapsed = 0; elapsed < ms; elapsed += STEP_MS) {
      this.now = after(this.now, STEP_MS);
      for (const name of [...this.nodes.keys()]) {
        const wallMs = WALL_AT_ZERO_MS + this.now;
        this.input(name, { kind: 'wallClock', wallMs });
        const { machine } = this.#node(name);
        if ((machine.wakeAt ?? Number.POSITIVE_INFINITY) > this.now) continue;
        this.#carryOut(name, machine.wake(this.now));
        this.#drain();
      }
    }
  }

  /** Runs until `done`, at most `ms`; true when it came to that. */
  runUntil(done: () => boolean, ms: number): boolean {
    for (let elapsed = 0; elapsed < ms && !done(); elapsed += 100) this.run(100);
    return done();
  }

  status(name: string): NodeStatus {
    return this.#node(name).machine.status(this.now);
  }

  halted(name: string): { code: HaltCode; detail: string } | undefined {
    return this.nodes.get(name)?.halted;
  }

  nameOf(id: NodeId | undefined): string | undefined {
    return [...this.nodes.keys()].find((name) => this.status(name).nodeId === id);
  }

  coordinator(): string | undefined {
    return [...this.nodes.keys()].find((name) => this.status(name).election?.role === 'leader');
  }

  #node(name: string): RiggedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`There is no node ${name} in the rig.`);
    return node;
  }

  #drain(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const node = this.nodes.get(next.node);
      if (node !== undefined) this.#carryOut(next.node, node.machine.step(this.now, next.input));
    }
  }

  #carryOut(name: string, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dial':
          this.#dial(name, effect.link, effect.address);
          break;
        case 'hangUp':
          for (const wire of this.#wiresOf(name, effect.link)) this.#cut(wire, name);
          break;
        case 'send':
          this.#send(name, effect.link, effect.envelope);
          break;
        case 'store':
          this.#store(name, effect);
          break;
        case 'clientSend':
          this.told.push({ node: name, link: effect.link, message: effect.message });
          break;
        case 'clientHangUp':
        case 'clientPause':
          // Nothing here waits in buffers, so nobody has to be stopped.
          break;
        case 'load':
          this.#load(name, effect);
          break;
        case 'reply':
          this.replies.push({ node: name, request: effect.request, reply: effect.reply });
          break;
        case 'publish':
          this.events.push({ node: name, event: effect.event });
          break;
        case 'halt':
          this.#node(name).halted = { code: effect.code, detail: effect.detail };
          break;
      }
    }
  }

  #store(name: string, effect: Extract<NodeEffect, { kind: 'store' }>): void {
    const { records } = this.#node(name);
    for (const operation of effect.operations) {
      if (operation.kind === 'put') records.set(operation.key, operation.value);
      else records.delete(operation.key);
    }
    const { ticket } = effect;
    if (this.answersStore(name, effect.operations)) {
      this.#queue.push({ node: name, input: { kind: 'stored', ticket } });
    } else this.unanswered.push({ node: name, ticket });
  }

  #load(name: string, effect: Extract<NodeEffect, { kind: 'load' }>): void {
    const { shard, slot, key, ticket } = effect;
    const bytes = this.#node(name).records.get(entryKey(shard, slot, key));
    const entry = bytes === undefined ? undefined : decodeStoredEntry(bytes);
    const result = entry === undefined ? { kind: 'absent' } : { kind: 'loaded', entry };
    const input = { kind: 'loaded', ticket, result } as Extract<NodeInput, { kind: 'loaded' }>;
    this.#queue.push({ node: name, input });
  }

  #dial(dialler: string, link: LinkId, address: string): void {
    const there = this.nodes.get(address);
    if (there === undefined || there.halted !== undefined) {
      this.#queue.push({ node: dialler, input: { kind: 'linkFailed', link, problem: 'refused' } });
      return;
    }
    const accepted = this.#nextAccepted;
    this.#nextAccepted -= 1;
    this.#wires.push({ dialler, dialled: address, link, accepted });
    const remote = dialler;
    this.#queue.push({ node: address, input: { kind: 'linkAccepted', link: accepted, remote } });
    this.#queue.push({ node: dialler, input: { kind: 'linkOpened', link } });
  }

  #send(name: string, link: LinkId, envelope: Envelope): void {
    this.sent.push({ node: name, envelope });
    for (const wire of this.#wiresOf(name, link)) {
      const outwards = wire.link === link && wire.dialler === name;
      const node = outwards ? wire.dialled : wire.dialler;
      const received = outwards ? wire.accepted : wire.link;
      this.#queue.push({ node, input: { kind: 'received', link: received, envelope } });
    }
  }

  #wiresOf(name: string, link: LinkId): readonly Wire[] {
    return this.#wires.filter(
      (wire) =>
        (wire.dialler === name && wire.link === link) ||
        (wire.dialled === name && wire.accepted === link),
    );
  }

  #cut(wire: Wire, by: string): void {
    this.#wires = this.#wires.filter((other) => other !== wire);
    const node = wire.dialler === by ? wire.dialled : wire.dialler;
    const link = wire.dialler === by ? wire.accepted : wire.link;
    this.#queue.push({ node, input: { kind: 'linkClosed', link } });
  }
}

/** What a directory's reader does at start. */
function entriesOf(records: ReadonlyMap<string, Uint8Array>): MemoryEntryTable {
  const entries = new MemoryEntryTable();
  for (const [key, bytes] of records) {
    const place = isEntryKey(key) ? parseEntryKey(key) : undefined;
    const entry = place === undefined ? undefined : decodeStoredEntry(bytes);
    if (place === undefined || entry === undefined) continue;
    entries.put(place.shard, place.slot, place.key, entry, true);
  }
  return entries;
}
