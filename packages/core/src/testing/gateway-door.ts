import {
  clusterId,
  encodeValue,
  entryBodyField,
  entryChecksum,
  generation,
  logIndex,
  nodeId,
  shardId,
  shardOfEntry,
  type Answer,
  type ClientMessage,
  type EntryBody,
  type FailedResult,
  type NodeId,
  type Operation,
  type OperationBody,
  type ShardConfig,
} from '@memgrid/protocol';
import { Gateway } from '../gateway/gateway.ts';
import type { GatewayEffect, GatewayInput, GatewayLimits } from '../gateway/gateway-io.ts';
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts';
import type { Instant } from '../machine.ts';
import type { AppliedChange } from '../shards/shards-io.ts';
import { plainEntryRules } from '../node/plain-entry-rules.ts';
import { plainBody } from './plain-body.ts';

export const A = nodeId('a'.repeat(32));
export const B = nodeId('b'.repeat(32));
export const C = nodeId('c'.repeat(32));
export const SHARD_COUNT = 8;
export const OWN = shardId(0, SHARD_COUNT);
export const OTHERS = shardId(1, SHARD_COUNT);
/** Its primary is B, and A holds a replica. */
export const HELD = shardId(2, SHARD_COUNT);
export const EVERYTHING = { namespace: '', userId: '', agentId: '', appId: '', runId: '' };

export function configOf(shard: number, overrides: Partial<ShardConfig>): ShardConfig {
  return {
    shard: shardId(shard, SHARD_COUNT),
    epoch: 1,
    stage: 'stable',
    primary: A,
    primaryGeneration: generation(1),
    replicas: [A],
    next: [],
    session: 0,
    ...overrides,
  };
}

export const CONFIGS = [
  configOf(0, { replicas: [A, B] }),
  configOf(1, { primary: B, replicas: [B, C] }),
  configOf(2, { primary: B, replicas: [A, B] }),
];

/** The gateway of node A, with whatever it says collected. See `CONFIGS` for who owns what. */
export class GatewayDoor {
  readonly gateway: Gateway;
  readonly seen: GatewayEffect[] = [];
  readonly applied = new Map<number, number>([
    [0, 0],
    [2, 0],
  ]);
  /** What the logs of the shards hold. */
  readonly log: AppliedChange[] = [];
  now = 0 as Instant;
  /** What the shards know without waiting. */
  atOnce: (operation: Operation) => Answer | undefined = () => undefined;

  constructor(limits: Partial<GatewayLimits> = {}) {
    this.gateway = new Gateway({
      self: A,
      generation: generation(1),
      protocolMin: 1,
      protocolMax: 2,
      limits: { ...GATEWAY_LIMITS, ...limits },
      rules: plainEntryRules,
      wallMs: () => 1_800_000_000_000,
      appliedIndex: (shard) => this.applied.get(shard),
      changesAfter: (shard, index, countMax) =>
        this.log.filter((one) => one.shard === shard && one.index > index).slice(-countMax),
      answerAtOnce: (_now, operation) => this.atOnce(operation),
    });
  }

  input(input: GatewayInput): readonly GatewayEffect[] {
    const effects = this.gateway.step(this.now, input);
    this.seen.push(...effects);
    return effects;
  }

  wakeUp(): readonly GatewayEffect[] {
    this.now = this.gateway.wakeAt ?? this.now;
    return this.gateway.wake(this.now);
  }

  open(): this {
    this.input({ kind: 'founded', clusterId: clusterId('c'.repeat(32)) });
    this.placed(CONFIGS);
    this.nodes({});
    for (const peer of [B, C]) this.input({ kind: 'peerUp', peer });
    return this;
  }

  placed(changed: readonly ShardConfig[], index = 1): readonly GatewayEffect[] {
    return this.input({
      kind: 'placement',
      index: logIndex(index),
      shardCount: SHARD_COUNT,
      changed,
    });
  }

  nodes(alive: Partial<Record<NodeId, boolean>>): readonly GatewayEffect[] {
    const nodes = [A, B, C].map((node) => ({
      nodeId: node,
      address: `${node.slice(0, 1)}:7700`,
      zone: 'z',
      alive: alive[node] ?? true,
    }));
    return this.input({ kind: 'nodes', nodes, coordinator: B });
  }

  client(link = -1): number {
    this.input({ kind: 'clientAccepted', link, remote: 'here' });
    this.says(link, {
      type: 'clientHello',
      protocolMin: 1,
      protocolMax: 1,
      name: 'test',
      version: '1',
    });
    return link;
  }

  says(link: number, message: ClientMessage): readonly GatewayEffect[] {
    return this.input({ kind: 'clientReceived', link, message });
  }

  asks(link: number, ...operations: readonly Operation[]): readonly GatewayEffect[] {
    return this.says(link, { type: 'operations', operations });
  }
}

export function operationOf(id: number, overrides: Partial<Operation> = {}): Operation {
  return {
    id,
    shard: OWN,
    operationId: '',
    body: { kind: 'get', namespace: 'n', key: 'k' },
    read: 'strong',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: 1_000,
    noAutonomous: false,
    atLeast: 0,
    ...overrides,
  };
}

export const DELETE: OperationBody = {
  kind: 'delete',
  namespace: 'n',
  key: 'k',
  condition: { kind: 'always' },
};

export function entryOf(overrides: Partial<EntryBody> = {}): EntryBody {
  const said = { content: 'tea', category: '', categories: [], metadata: {} };
  const made = { createdAt: 1, updatedAt: 1, checksum: entryChecksum(said) };
  return plainBody({ ...said, ...made, ...overrides });
}

export function putOf(id: number, entry: EntryBody, shard?: number): Operation {
  const address = { ...entry, namespace: 'n', key: 'k' };
  return operationOf(id, {
    shard: shardId(shard ?? shardOfEntry(address, SHARD_COUNT), SHARD_COUNT),
    operationId: 'o',
    body: {
      kind: 'put',
      namespace: 'n',
      key: 'k',
      entry: encodeValue(entryBodyField, entry),
      condition: { kind: 'always' },
    },
  });
}

export function answerTo(id: number, shard = OWN): Answer {
  return {
    id,
    shard,
    position: { epoch: 1, index: 5 },
    result: { kind: 'absent', source: 'primary', stalenessMs: 0 },
  };
}

export function messagesTo(
  link: number,
  effects: readonly GatewayEffect[],
): readonly ClientMessage[] {
  return effects.flatMap((effect) =>
    effect.kind === 'clientSend' && effect.link === link ? [effect.message] : [],
  );
}

export function answersTo(link: number, effects: readonly GatewayEffect[]): readonly Answer[] {
  return messagesTo(link, effects).flatMap((message) =>
    message.type === 'answers' ? message.answers : [],
  );
}

export function failureOf(answer: Answer | undefined): FailedResult {
  if (answer?.result.kind !== 'failed') throw new Error('It did not fail.');
  return answer.result;
}

export function localTokens(effects: readonly GatewayEffect[]): readonly number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'local' ? effect.operations.map(({ token }) => token) : [],
  );
}

export function kinds(effects: readonly GatewayEffect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}
