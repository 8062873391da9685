import type {
  Answer,
  ClusterId,
  LogIndex,
  NodeId,
  Operation,
  ShardConfig,
  ShardId,
  ShardReport,
} from '@memgrid/protocol';
import { invariant, unreachable } from '../assert.ts';
import { Gateway } from '../gateway/gateway.ts';
import type {
  GatewayEffect,
  GatewayInput,
  GatewayOptions,
  LocalAnswer,
  RouteNode,
} from '../gateway/gateway-io.ts';
import { earliest, isDue, type Instant, type Machine } from '../machine.ts';
import type { NodeEvent } from '../node-event.ts';
import type { ClientEffect, ClientInput, NodeEffect, NodeInput, NodeReply } from '../node-io.ts';
import type { RequestId } from '../request-id.ts';
import type { OrphanRequest } from '../shards/orphans-io.ts';
import type {
  AppliedChange,
  LocalOperation,
  ShardsEffect,
  ShardsInput,
  ShardStatus,
  ShardTotals,
} from '../shards/shards-io.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { DataPlaneMessage } from './route.ts';
import { StorageRoom } from './storage-room.ts';

/** The shards of one node, as the composition sees them. */
export interface ShardsMachine extends Machine<ShardsInput, ShardsEffect> {
  /** This node stops: what waits in memory for the disk is handed to it. */
  rest(now: Instant): readonly ShardsEffect[];
  /** In order of shard. */
  status(): readonly ShardStatus[];
  totals(): ShardTotals;
  /** How far the log of a shard is applied here; undefined when this node holds no whole copy. */
  appliedIndex(shard: ShardId): number | undefined;
  /** What took effect after `index`, up to now: the latest so many, as far back as the log goes. */
  changesAfter(shard: ShardId, index: number, countMax: number): readonly AppliedChange[];
  /** The answer to a read that nobody has to wait for; undefined: hand it in. Changes nothing. */
  answerAtOnce(now: Instant, operation: Operation): Answer | undefined;
  /** Bytes of all records in memory. */
  readonly logBytes: number;
  /** Bytes of all remembered operations in memory. */
  readonly operationBytes: number;
}

export type DataPlaneInput =
  | ClientInput
  /** This node belongs to a cluster. */
  | { readonly kind: 'founded'; readonly clusterId: ClusterId }
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: DataPlaneMessage }
  | { readonly kind: 'request'; readonly request: RequestId; readonly operation: Operation }
  | { readonly kind: 'orphans'; readonly request: RequestId; readonly ask: OrphanRequest }
  | Extract<ShardsInput, { kind: 'stored' | 'loaded' | 'damaged' }>
  | Extract<NodeInput, { kind: 'storage' }>
  | {
      readonly kind: 'placement';
      readonly index: LogIndex;
      readonly shardCount: number;
      readonly changed: readonly ShardConfig[];
    }
  | {
      readonly kind: 'nodes';
      readonly nodes: readonly RouteNode[];
      readonly coordinator: NodeId | undefined;
    }
  | { readonly kind: 'peerUp' | 'peerReset'; readonly peer: NodeId }
  /** Says goodbye to the clients; what is under way is still answered. */
  | { readonly kind: 'drain'; readonly reason: 'shuttingDown' | 'draining' };

export type DataPlaneEffect =
  | ClientEffect
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: DataPlaneMessage }
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      readonly durable: boolean;
    }
  | Extract<NodeEffect, { kind: 'load' }>
  | { readonly kind: 'reply'; readonly request: RequestId; readonly reply: NodeReply }
  | { readonly kind: 'report'; readonly reports: readonly ShardReport[] }
  | { readonly kind: 'event'; readonly event: NodeEvent };

export interface DataPlaneOptions {
  readonly shards: ShardsMachine;
  readonly gateway: Omit<GatewayOptions, 'appliedIndex' | 'changesAfter' | 'answerAtOnce'>;
}

type Work =
  | { readonly for: 'shards'; readonly input: ShardsInput }
  | { readonly for: 'gateway'; readonly input: GatewayInput };

/** One step of the shards and the gateway feeding each other takes a handful of turns. */
const TURNS_MAX = 10_000;

/**
 * Everything of a node that is about entries: its shards, and the front door through which
 * operations come in and answers go out. They hear of each other only through one queue, so that
 * what the one says is complete before the other answers it. Only what changes nothing is asked
 * directly: how far a log is applied, what is in it, and reads that can be answered from memory.
 */
export class DataPlane implements Machine<DataPlaneInput, DataPlaneEffect> {
  readonly #shards: ShardsMachine;
  readonly #gateway: Gateway;
  readonly #room = new StorageRoom();
  #work: Work[] = [];
  #out: DataPlaneEffect[] = [];

  constructor({ shards, gateway }: DataPlaneOptions) {
    this.#shards = shards;
    this.#gateway = new Gateway({
      ...gateway,
      appliedIndex: (shard) => shards.appliedIndex(shard),
      changesAfter: (shard, index, countMax) => shards.changesAfter(shard, index, countMax),
      answerAtOnce: (now, operation) => shards.answerAtOnce(now, operation),
    });
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#shards.wakeAt, this.#gateway.wakeAt);
  }

  get shards(): readonly ShardStatus[] {
    return this.#shards.status();
  }

  get shardTotals(): ShardTotals {
    return this.#shards.totals();
  }

  get clients(): { readonly count: number; readonly feeds: number } {
    return { count: this.#gateway.clientCount, feeds: this.#gateway.feedCount };
  }

  get logBytes(): number {
    return this.#shards.logBytes;
  }

  get operationBytes(): number {
    return this.#shards.operationBytes;
  }

  /** Operations that wait for an answer. */
  get operationCount(): number {
    return this.#gateway.operationCount;
  }

  step(now: Instant, input: DataPlaneInput): readonly DataPlaneEffect[] {
    switch (input.kind) {
      case 'message':
        this.#message(input.from, input.body);
        break;
      case 'stored':
      case 'loaded':
      case 'damaged':
        this.#work.push({ for: 'shards', input });
        break;
      case 'orphans': {
        const { request: token, ask } = input;
        this.#work.push({ for: 'shards', input: { kind: 'orphans', token, ask } });
        break;
      }
      case 'storage':
        this.#room.tell(input.usedBytes, input.maxBytes);
        break;
      case 'placement':
        // The gateway sends operations where the shards already know that they are theirs.
        this.#work.push({ for: 'shards', input: { kind: 'configs', configs: input.changed } });
        this.#work.push({ for: 'gateway', input });
        break;
      case 'nodes': {
        const alive = input.nodes.filter((node) => node.alive).map((node) => node.nodeId);
        this.#work.push({ for: 'shards', input: { kind: 'alive', nodes: new Set(alive) } });
        this.#work.push({ for: 'gateway', input });
        break;
      }
      case 'peerReset':
        this.#work.push({ for: 'shards', input: { kind: 'peerReset', peer: input.peer } });
        this.#work.push({ for: 'gateway', input: { kind: 'peerReset', peer: input.peer } });
        break;
      default:
        this.#work.push({ for: 'gateway', input });
    }
    return this.#settle(now);
  }

  wake(now: Instant): readonly DataPlaneEffect[] {
    if (isDue(this.#shards.wakeAt, now)) this.#fromShards(this.#shards.wake(now));
    if (isDue(this.#gateway.wakeAt, now)) this.#fromGateway(this.#gateway.wake(now));
    return this.#settle(now);
  }

  /** Answers everything that waits: this node stops. */
  abandon(now: Instant): readonly DataPlaneEffect[] {
    this.#fromGateway(this.#gateway.abandon());
    this.#fromShards(this.#shards.rest(now));
    return this.#settle(now);
  }

  #message(from: NodeId, body: DataPlaneMessage): void {
    switch (body.type) {
      case 'operations': {
        const { operations } = body;
        this.#work.push({ for: 'gateway', input: { kind: 'forwarded', from, operations } });
        break;
      }
      case 'answers': {
        const { answers } = body;
        this.#work.push({ for: 'gateway', input: { kind: 'answered', from, answers } });
        break;
      }
      default:
        this.#work.push({ for: 'shards', input: { kind: 'message', from, body } });
    }
  }

  #settle(now: Instant): readonly DataPlaneEffect[] {
    for (let turn = 0; turn < this.#work.length; turn += 1) {
      invariant(turn < TURNS_MAX, `More than ${TURNS_MAX} turns of one step of the data plane.`);
      const work = this.#work[turn] as Work;
      if (work.for === 'shards') this.#fromShards(this.#shards.step(now, work.input));
      else this.#fromGateway(this.#gateway.step(now, work.input));
    }
    this.#work = [];
    const effects = this.#out;
    this.#out = [];
    return effects;
  }

  /** All answers of one step reach the gateway together: each client gets one message. */
  #fromShards(effects: readonly ShardsEffect[]): void {
    const answers: LocalAnswer[] = [];
    for (const effect of effects) {
      switch (effect.kind) {
        case 'answer':
          answers.push(effect);
          break;
        case 'applied':
          // Whoever opens a feed later is told of it from the log.
          if (this.#gateway.feedCount > 0) this.#work.push({ for: 'gateway', input: effect });
          break;
        case 'orphans': {
          const reply = { kind: 'orphans', reply: effect.reply } as const;
          this.#out.push({ kind: 'reply', request: effect.token, reply });
          break;
        }
        case 'send':
        case 'store':
        case 'load':
        case 'report':
        case 'event':
          this.#out.push(effect);
          break;
        default:
          unreachable(effect);
      }
    }
    if (answers.length > 0) this.#work.push({ for: 'gateway', input: { kind: 'local', answers } });
  }

  #operations(operations: readonly LocalOperation[]): void {
    const { admitted, refused: answers } = this.#room.admit(operations);
    if (answers.length > 0) this.#work.push({ for: 'gateway', input: { kind: 'local', answers } });
    if (admitted.length === 0) return;
    this.#work.push({ for: 'shards', input: { kind: 'operations', operations: admitted } });
  }

  #fromGateway(effects: readonly GatewayEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'local':
          this.#operations(effect.operations);
          break;
        case 'forward': {
          const body = { type: 'operations', operations: effect.operations } as const;
          this.#out.push({ kind: 'send', to: effect.to, body });
          break;
        }
        case 'answer': {
          const body = { type: 'answers', answers: effect.answers } as const;
          this.#out.push({ kind: 'send', to: effect.to, body });
          break;
        }
        case 'reply': {
          const reply = { kind: 'answered', answer: effect.answer } as const;
          this.#out.push({ kind: 'reply', request: effect.request, reply });
          break;
        }
        case 'clientSend':
        case 'clientHangUp':
        case 'clientPause':
        case 'event':
          this.#out.push(effect);
          break;
        default:
          unreachable(effect);
      }
    }
  }
}
