import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryPatchField,
  failedResult,
  patchEntry,
  parseStoredKey,
  storedKey,
  type ActorId,
  type Answer,
  type ClientMessage,
  type ClusterId,
  type ErrorCode,
  type ErrorDetails,
  type EntryVersion,
  type FeedChange,
  type FeedOpen,
  type Generation,
  type LogIndex,
  type NodeId,
  type Operation,
  type OperationResult,
  type Placement,
  type ShardId,
  type ShardPosition,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';

/** One committed change of a shard. */
interface FakeRecord extends FeedChange {
  readonly stored: string;
}

/** A shard as if replication were perfect: one log that every replica reads. */
interface FakeShard {
  epoch: number;
  primary: number;
  replicas: readonly number[];
  log: FakeRecord[];
  readonly done: Map<string, OperationResult>;
}

/** A message to a client. */
export interface Said {
  readonly node: number;
  readonly link: LinkId;
  readonly message: ClientMessage;
}

interface FakeFeed {
  readonly link: LinkId;
  readonly open: FeedOpen;
  told: number;
}

/** What the nodes' clocks show when the first client comes. */
export const FAKE_WALL_MS = 1_700_000_000_000;

const NOTHING = new Uint8Array();

/** What an operation meets before it is carried out; undefined lets it through. */
export type Gate = (
  operation: Operation,
  node: FakeNode,
) => OperationResult | 'silence' | undefined;

/** One node's front door. Everything is answered at once; the rig around it makes time pass. */
export class FakeNode {
  readonly place: number;
  readonly id: NodeId;
  readonly address: string;
  alive = true;
  gate: Gate = () => undefined;
  refuses: 'protocol' | 'notFounded' | undefined;
  answersPings = true;
  /** What it received, for tests that count. */
  readonly received: ClientMessage[] = [];
  /** Records at the end of each log that this replica has not applied yet. */
  lag = 0;
  readonly feeds = new Map<string, FakeFeed>();
  readonly clients = new Set<LinkId>();

  constructor(place: number, address: string) {
    this.place = place;
    this.id = (place + 1).toString(16).padStart(32, '0') as NodeId;
    this.address = address;
  }

  get operations(): readonly Operation[] {
    return this.received.flatMap((it) => (it.type === 'operations' ? it.operations : []));
  }
}

/**
 * A cluster for clients to talk to: pure, and simple enough to be believed. It keeps entries as
 * they are given, and its replicas agree always; what it can do is be away, late, silent and rude.
 */
export class FakeGrid {
  readonly clusterId = 'c'.repeat(32) as ClusterId;
  readonly nodes: readonly FakeNode[];
  readonly shardCount: number;
  readonly #shards: FakeShard[];
  #controlIndex = 1;
  #wallMs = FAKE_WALL_MS;
  /** What pongs tell. This clock stands still, so they only do once it was set. */
  #setTo: number | undefined;
  windowBytes = 1024 * 1024;

  constructor(options: { nodes: number; shardCount?: number; addresses?: readonly string[] }) {
    const { nodes, shardCount = 8, addresses } = options;
    this.shardCount = shardCount;
    this.nodes = Array.from(
      { length: nodes },
      (_, place) => new FakeNode(place, addresses?.[place] ?? `n${place}:7700`),
    );
    this.#shards = Array.from({ length: shardCount }, (_, shard) => ({
      epoch: 1,
      primary: shard % nodes,
      replicas: Array.from({ length: Math.min(3, nodes) }, (_none, at) => (shard + at) % nodes),
      log: [],
      done: new Map(),
    }));
  }

  node(place: number): FakeNode {
    return this.nodes[place] as FakeNode;
  }

  shard(shard: number): FakeShard {
    return this.#shards[shard] as FakeShard;
  }

  /** The clock of all nodes was set. */
  setClock(wallMs: number): void {
    this.#wallMs = wallMs;
    this.#setTo = wallMs;
  }

  /** How often a write with this operation id took effect. */
  applications(shard: number, operationId: string): number {
    return this.shard(shard).done.has(operationId) ? 1 : 0;
  }

  /** Another node becomes the primary; told to everybody by `placement`. */
  moveShard(shard: number, primary: number): void {
    const state = this.shard(shard);
    state.epoch += 1;
    state.primary = primary;
    this.#controlIndex += 1;
  }

  placement(whole = true): Placement {
    return {
      type: 'placement',
      controlIndex: this.#controlIndex as LogIndex,
      coordinator: this.node(0).id,
      nodes: this.nodes.map(({ id, address, alive }) => ({ nodeId: id, address, zone: '', alive })),
      shards: this.#shards.map(({ epoch, primary, replicas }, shard) => ({
        shard: shard as ShardId,
        epoch,
        stage: 'stable',
        primary,
        replicas,
        next: [],
      })),
      whole,
    };
  }

  /** What a node says to a message of a client, and what that makes others say. */
  receive(place: number, link: LinkId, message: ClientMessage): readonly Said[] {
    const node = this.node(place);
    node.received.push(message);
    const say = (said: ClientMessage): Said => ({ node: place, link, message: said });
    switch (message.type) {
      case 'clientHello':
        return this.#greet(node, link).map(say);
      case 'operations':
        return this.#operate(node, link, message.operations);
      case 'clientPing':
        return node.answersPings
          ? [say({ type: 'clientPong', token: message.token, wallMs: this.#setTo })]
          : [];
      case 'feedOpen':
        return this.#openFeed(node, link, message).map(say);
      case 'feedClose':
        node.feeds.delete(feedKey(link, message.feed));
        return [];
      default:
        return [];
    }
  }

  /** The link is gone. */
  forget(place: number, link: LinkId): void {
    const { feeds, clients } = this.node(place);
    clients.delete(link);
    for (const [key, feed] of feeds) if (feed.link === link) feeds.delete(key);
  }

  /** Drops what the logs remember: feeds that were not there in time have a gap. */
  trimBelow(shard: number, index: number): void {
    const state = this.shard(shard);
    state.log = state.log.map((record) =>
      record.index <= index ? { ...record, kind: 'expire', stored: storedKey('', '') } : record,
    );
    this.#trimmed.set(shard, index);
  }

  /** The same for feeds only: what was written stays readable. */
  forgetFeedsBelow(shard: number, index: number): void {
    this.#trimmed.set(shard, index);
  }

  readonly #trimmed = new Map<number, number>();

  /** What feeds have to tell by now. */
  tellFeeds(): readonly Said[] {
    return this.nodes.flatMap((node) =>
      [...node.feeds.values()].flatMap((it) => this.#tell(node, it)),
    );
  }

  #greet(node: FakeNode, link: LinkId): ClientMessage[] {
    if (node.refuses !== undefined) {
      const reason = node.refuses;
      return [
        { type: 'clientRefused', reason, protocolMin: 7, protocolMax: 9, detail: 'Not today.' },
      ];
    }
    node.clients.add(link);
    this.#wallMs += 1;
    return [
      {
        type: 'clientWelcome',
        protocol: 1,
        clusterId: this.clusterId,
        nodeId: node.id,
        generation: 1 as Generation,
        wallMs: this.#wallMs,
        shardCount: this.shardCount,
        windowBytes: this.windowBytes,
      },
      this.placement(),
    ];
  }

  #operate(node: FakeNode, link: LinkId, operations: readonly Operation[]): readonly Said[] {
    const answers: Answer[] = [];
    for (const operation of operations) {
      const answer = this.#answer(node, operation);
      if (answer !== undefined) answers.push(answer);
    }
    const said: Said[] =
      answers.length === 0
        ? []
        : [{ node: node.place, link, message: { type: 'answers', answers } }];
    return [...said, ...this.tellFeeds()];
  }

  #answer(node: FakeNode, operation: Operation): Answer | undefined {
    const { id, shard } = operation;
    const gated = node.gate(operation, node);
    if (gated === 'silence') return undefined;
    const result = gated ?? this.#carryOut(node, operation);
    return { id, shard, position: this.#restsOn(node, operation, result), result };
  }

  /** What an answer rests on: what this replica has applied, or what a majority has. */
  #restsOn(node: FakeNode, { shard, read }: Operation, result: OperationResult): ShardPosition {
    const { epoch, log } = this.shard(shard);
    if (result.kind === 'failed') return { epoch, index: 0 };
    const isLocal = result.kind !== 'written' && read === 'one';
    return { epoch, index: isLocal ? this.#appliedOf(node, shard) : log.length };
  }

  #appliedOf(node: FakeNode, shard: number): number {
    const state = this.shard(shard);
    const lag = state.primary === node.place ? 0 : node.lag;
    return Math.max(0, state.log.length - lag);
  }

  #carryOut(node: FakeNode, operation: Operation): OperationResult {
    const { body, shard } = operation;
    const state = this.shard(shard);
    if (body.kind === 'list') return this.#list(shard, body);
    const key = storedKey(body.namespace, body.key);
    if (body.kind === 'history') return { kind: 'history', steps: [], complete: true };
    if (body.kind === 'get') {
      const applied = this.#appliedOf(node, shard);
      if (operation.read === 'one' && applied < operation.atLeast) {
        return failure('SHARD_UNAVAILABLE', { shard, problem: 'This replica is behind.' });
      }
      const upTo = operation.read === 'one' ? applied : state.log.length;
      return this.#get(shard, key, upTo);
    }
    const done = state.done.get(operation.operationId);
    if (done !== undefined) return done.kind === 'written' ? { ...done, repeated: true } : done;
    const current = newest(state.log, key, state.log.length);
    const { condition } = body;
    const holds =
      condition.kind === 'always' ||
      (condition.kind === 'absent' && current === undefined) ||
      (condition.kind === 'present' && current !== undefined) ||
      (condition.kind === 'version' && current?.version.dot.counter === condition.dot.counter);
    if (!holds) {
      return failedResult(
        'VERSION_CONFLICT',
        { current: undefined },
        { current: current?.version },
      );
    }
    if (body.kind === 'update' && current === undefined) {
      return failure('NOT_FOUND', { id: body.key });
    }
    const index = state.log.length + 1;
    const version = versionOf(shard, index);
    const entry = this.#entryAfter(body, current, index);
    state.log.push({ kind: body.kind, key: body.key, index, version, entry, stored: key });
    const result: OperationResult = {
      kind: 'written',
      version,
      acknowledged: 'quorum',
      sync: operation.sync,
      autonomous: false,
      repeated: false,
    };
    state.done.set(operation.operationId, result);
    return result;
  }

  #entryAfter(
    body: Extract<Operation['body'], { kind: 'put' | 'update' | 'delete' }>,
    current: FakeRecord | undefined,
    nowMs: number,
  ): Uint8Array {
    if (body.kind === 'put') return body.entry;
    if (body.kind === 'delete' || current === undefined) return NOTHING;
    const patch = decodeValue(entryPatchField, body.patch, 'patch');
    const stored = decodeValue(entryBodyField, current.entry, 'entry');
    const patched = patchEntry(stored, patch, { nowMs, categories: 'any' });
    return patched.kind === 'entry' ? encodeValue(entryBodyField, patched.body) : current.entry;
  }

  #get(shard: number, key: string, upTo: number): OperationResult {
    const record = newest(this.shard(shard).log, key, upTo);
    if (record === undefined) return { kind: 'absent', source: 'replica', stalenessMs: 0 };
    const { entry, version } = record;
    return {
      kind: 'found',
      found: { key: record.key, entry, version },
      source: 'replica',
      stalenessMs: 0,
    };
  }

  #list(shard: number, body: Extract<Operation['body'], { kind: 'list' }>): OperationResult {
    const { log } = this.shard(shard);
    const keys = [...new Set(log.map((record) => record.stored))]
      .filter((stored) => parseStoredKey(stored).namespace === body.scope.namespace)
      .filter((stored) => newest(log, stored, log.length) !== undefined)
      .map((stored) => parseStoredKey(stored).id)
      .sort();
    const rest = keys.filter((key) => key > body.after);
    const entries = rest.slice(0, body.limit).map((key) => {
      const record = newest(log, storedKey(body.scope.namespace, key), log.length) as FakeRecord;
      return { key, entry: record.entry, version: record.version };
    });
    return {
      kind: 'listed',
      entries: body.countOnly ? [] : entries,
      count: body.countOnly ? keys.length : 0,
      more: !body.countOnly && rest.length > body.limit,
      source: 'replica',
      stalenessMs: 0,
    };
  }

  #openFeed(node: FakeNode, link: LinkId, open: FeedOpen): readonly ClientMessage[] {
    const { feed, shard } = open;
    if (!this.shard(shard).replicas.includes(node.place)) {
      return [{ type: 'feedGap', feed, shard, reason: 'moved', resumesAfter: -1 }];
    }
    const applied = this.#appliedOf(node, shard);
    const told = open.after < 0 ? applied : open.after;
    const opened: FakeFeed = { link, open, told };
    node.feeds.set(feedKey(link, feed), opened);
    const first: ClientMessage[] =
      open.after < 0
        ? [{ type: 'feedChanges', feed, shard, epoch: 1, previous: told, to: told, changes: [] }]
        : [];
    return [...first, ...this.#tell(node, opened).map((said) => said.message)];
  }

  #tell(node: FakeNode, feed: FakeFeed): readonly Said[] {
    const { shard, keysOnly, filter, feed: number } = feed.open;
    const said: Said[] = [];
    const say = (message: ClientMessage): void => {
      said.push({ node: node.place, link: feed.link, message });
    };
    const trimmed = this.#trimmed.get(shard) ?? 0;
    if (feed.told < trimmed) {
      feed.told = trimmed;
      say({ type: 'feedGap', feed: number, shard, reason: 'trimmed', resumesAfter: trimmed });
    }
    const to = this.#appliedOf(node, shard);
    if (to <= feed.told) return said;
    const { namespace } = filter.scope;
    const changes = this.shard(shard)
      .log.slice(feed.told, to)
      .filter((it) => namespace === '' || parseStoredKey(it.stored).namespace === namespace)
      .filter((it) => filter.key === '' || filter.key === it.key)
      .map(({ kind, key, index, version, entry }) => ({
        kind,
        key,
        index,
        version,
        entry: keysOnly ? NOTHING : entry,
      }));
    say({ type: 'feedChanges', feed: number, shard, epoch: 1, previous: feed.told, to, changes });
    feed.told = to;
    return said;
  }
}

function failure<Code extends ErrorCode>(code: Code, details: ErrorDetails[Code]): OperationResult {
  return failedResult(code, details, { applied: 'no' });
}

function newest(log: readonly FakeRecord[], stored: string, upTo: number): FakeRecord | undefined {
  const record = log.findLast((it) => it.stored === stored && it.index <= upTo);
  return record?.kind === 'delete' || record?.kind === 'expire' ? undefined : record;
}

function versionOf(shard: number, index: number): EntryVersion {
  const actor = `${'a'.repeat(32)}.1` as ActorId;
  const counter = shard * 1_000_000 + index;
  return { dot: { actor, counter }, timestamp: { ms: 1_700_000_000_000 + index, counter: 0 } };
}

function feedKey(link: LinkId, feed: number): string {
  return `${link}/${feed}`;
}
