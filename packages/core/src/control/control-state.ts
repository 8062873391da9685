import type {
  ClusterId,
  ControlCommand,
  DeclaredLevel,
  FeatureState,
  GroupEpoch,
  LogIndex,
  MemberRecord,
  MemberStatus,
  NodeId,
  ShardConfig,
  ShardId,
  Term,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { ControlEvent } from '../node-event.ts';
import type { ControlView, RegisteredMember } from '../node-status.ts';
import { SchemaRegistry, type SchemaRegistryImage } from '../schema-registry/schema-registry.ts';
import { ShardTable, type ShardTableImage } from './shard-table.ts';

/** Which standing may follow which. Nobody comes back from `expelled`. */
const NEXT_STATUS: Readonly<Record<MemberStatus, readonly MemberStatus[]>> = {
  joining: ['normal', 'left', 'expelled'],
  normal: ['draining', 'left', 'expelled'],
  draining: ['normal', 'left', 'expelled'],
  left: ['expelled'],
  expelled: [],
};

const NEXT_FEATURE_STATE: Readonly<Record<FeatureState, readonly FeatureState[]>> = {
  off: ['allowed'],
  // Turning on is final: from then on data may exist that only this feature can read.
  allowed: ['off', 'on'],
  on: [],
};

export const VOTER_COUNTS: readonly number[] = [1, 3, 5, 7];

/**
 * The replicated control state: what the whole cluster has agreed on.
 *
 * Every node applies the same commands in the same order, so a command that cannot be applied is
 * ignored by all of them alike, and says so in an event. Shard ownership and the schema registry are
 * sections of their own.
 */
export class ControlState {
  readonly clusterId: ClusterId;
  readonly groupEpoch: GroupEpoch;
  #index: LogIndex;
  #term: Term;
  readonly #members: Map<NodeId, RegisteredMember>;
  #targetVoters: number;
  readonly #features: Map<string, FeatureState>;
  #level: DeclaredLevel;
  readonly #shards: ShardTable;
  /** Which schemas entries follow. Changed by commands only. */
  readonly schemas: SchemaRegistry;
  /** Parts of the view, until they change: it is looked at far more often. */
  #membersListed: readonly RegisteredMember[] | undefined;
  #featuresListed: Readonly<Record<string, FeatureState>> | undefined;

  constructor(image: ControlImage) {
    this.clusterId = image.clusterId;
    this.groupEpoch = image.groupEpoch;
    this.#index = image.index;
    this.#term = image.term;
    this.#members = new Map(image.members.map((member) => [member.nodeId, member]));
    this.#targetVoters = image.targetVoters;
    this.#features = new Map(image.features.map((feature) => [feature.name, feature.state]));
    this.#level = image.level;
    this.#shards = new ShardTable(image.shards);
    this.schemas = new SchemaRegistry(image.schemas);
  }

  /** The last applied log index. */
  get index(): LogIndex {
    return this.#index;
  }

  get term(): Term {
    return this.#term;
  }

  get targetVoters(): number {
    return this.#targetVoters;
  }

  member(id: NodeId): RegisteredMember | undefined {
    return this.#members.get(id);
  }

  feature(name: string): FeatureState {
    return this.#features.get(name) ?? 'off';
  }

  shard(shard: ShardId): ShardConfig | undefined {
    return this.#shards.get(shard);
  }

  /** What changed since the last call, as it is now; nothing before every shard has an owner. */
  takeChangedShards(): readonly ShardConfig[] {
    return this.#shards.takeChanged();
  }

  /** The shards that are others, or in another epoch, in `before`. */
  shardsChangedSince(before: ControlState | undefined): readonly ShardConfig[] {
    if (before === undefined) return this.#shards.configs();
    return this.#shards.changedSince(before.#shards);
  }

  /** Sorted by node id; the same list until a member changes. */
  members(): readonly RegisteredMember[] {
    this.#membersListed ??= [...this.#members.values()].sort(byNodeId);
    return this.#membersListed;
  }

  /** Cheap to ask for: its lists are the same objects until they change. */
  view(): ControlView {
    return {
      clusterId: this.clusterId,
      groupEpoch: this.groupEpoch,
      index: this.#index,
      members: this.members(),
      targetVoters: this.#targetVoters,
      features: this.#featureStates(),
      level: this.#level,
      shardCount: this.#shards.shardCount,
      replicationFactor: this.#shards.replicationFactor,
      shards: this.#shards.configs(),
      schemas: this.schemas.image(),
    };
  }

  /** Everything, in a canonical order: equal states have equal images. */
  image(): ControlImage {
    return {
      clusterId: this.clusterId,
      groupEpoch: this.groupEpoch,
      index: this.#index,
      term: this.#term,
      members: this.members(),
      targetVoters: this.#targetVoters,
      features: [...this.#features].sort(byName).map(([name, state]) => ({ name, state })),
      level: this.#level,
      shards: this.#shards.image(),
      schemas: this.schemas.image(),
    };
  }

  /** Passes over entries that change nothing here (blank and configuration entries). */
  advance(index: LogIndex, term: Term): void {
    invariant(index >= this.#index, `The control state would go from ${this.#index} to ${index}.`);
    this.#index = index;
    this.#term = term;
  }

  apply(index: LogIndex, term: Term, command: ControlCommand): readonly ControlEvent[] {
    invariant(index > this.#index, `Command ${index} after ${this.#index} was applied.`);
    this.advance(index, term);
    const events = this.#applyCommand(command);
    return [...events, { name: 'control.applied', index }];
  }

  /** Why `command` would change nothing, in a sentence; undefined when it would be applied. */
  problemWith(command: ControlCommand): string | undefined {
    switch (command.kind) {
      case 'register':
        return this.#problemWithRegistration(command.member);
      case 'setStatus':
        return this.#problemWithStatus(command.nodeId, command.status);
      case 'setTargetVoters':
        if (VOTER_COUNTS.includes(command.count)) return undefined;
        return `targetVoters (${command.count}) must be one of ${VOTER_COUNTS.join(', ')}.`;
      case 'setFeature':
        return this.#problemWithFeature(command.name, command.state);
      case 'setLevel':
        return undefined;
      case 'createShards':
        return this.#shards.problemWithCreating(command.shardCount, command.replicationFactor);
      case 'assignShards':
        return this.#shards.problemWithAssigning(command.changes, this.#memberOf);
      case 'reviveShards':
        if (this.#shards.revivable(this.#memberOf).length > 0) return undefined;
        return 'There is no shard that lost its majority to expelled members and has a copy left.';
      case 'defineSchema':
        return this.schemas.problemWithDefining(command.definition);
      case 'commitSchema':
        return this.schemas.problemWithCommitting(command.schema, command.version);
      case 'bindNamespace':
        return this.schemas.problemWithBinding(command.namespace, command.schema);
    }
  }

  #applyCommand(command: ControlCommand): readonly ControlEvent[] {
    // Judged change by change: one that came too late says nothing against the others.
    if (command.kind === 'assignShards') return this.#assign(command.changes);
    const problem = this.problemWith(command);
    if (problem !== undefined) {
      return [{ name: 'command.ignored', command: command.kind, detail: problem }];
    }
    switch (command.kind) {
      case 'register':
        return this.#register(command.member);
      case 'setStatus': {
        const member = this.#members.get(command.nodeId);
        invariant(member !== undefined, `No member ${command.nodeId} although it was checked.`);
        return [this.#put({ ...member, status: command.status })];
      }
      case 'setTargetVoters':
        this.#targetVoters = command.count;
        return [];
      case 'setFeature':
        this.#features.set(command.name, command.state);
        this.#featuresListed = undefined;
        return [{ name: 'feature.changed', feature: command.name, state: command.state }];
      case 'setLevel':
        this.#level = command.level;
        return [];
      case 'createShards': {
        const { shardCount, replicationFactor } = command;
        this.#shards.create(shardCount, replicationFactor);
        return [{ name: 'shards.created', shardCount, replicationFactor }];
      }
      case 'reviveShards':
        return [{ name: 'shards.revived', count: this.#shards.revive(this.#memberOf) }];
      case 'defineSchema': {
        const { name: schema, version } = this.schemas.define(command.definition);
        return [{ name: 'schema.defined', schema, version }];
      }
      case 'commitSchema': {
        const { schema, version } = command;
        this.schemas.commit(schema, version);
        return [{ name: 'schema.committed', schema, version }];
      }
      case 'bindNamespace': {
        const { namespace, schema } = command;
        this.schemas.bind(namespace, schema);
        return [{ name: 'namespace.bound', namespace, schema }];
      }
    }
  }

  #assign(changes: readonly ShardConfig[]): readonly ControlEvent[] {
    const { changed, refused, stale } = this.#shards.assign(changes, this.#memberOf);
    const events: ControlEvent[] = [{ name: 'shards.assigned', changed, stale }];
    const [first] = refused;
    if (first !== undefined) {
      const detail = `${refused.length} of ${changes.length}, the first of shard ${first.shard}: ${first.problem}`;
      events.push({ name: 'command.ignored', command: 'assignShards', detail });
    }
    return events;
  }

  readonly #memberOf = (id: NodeId): RegisteredMember | undefined => this.#members.get(id);

  #featureStates(): Readonly<Record<string, FeatureState>> {
    if (this.#featuresListed === undefined) {
      const features: Record<string, FeatureState> = {};
      for (const [name, state] of [...this.#features].sort(byName)) features[name] = state;
      this.#featuresListed = features;
    }
    return this.#featuresListed;
  }

  #register(record: MemberRecord): readonly ControlEvent[] {
    const known = this.#members.get(record.nodeId);
    const returns = known === undefined || known.status === 'left';
    return [this.#put({ ...record, status: returns ? 'joining' : known.status })];
  }

  #put(member: RegisteredMember): ControlEvent {
    this.#members.set(member.nodeId, member);
    this.#membersListed = undefined;
    return {
      name: 'registry.changed',
      member: member.nodeId,
      status: member.status,
      generation: member.generation,
    };
  }

  #problemWithRegistration(record: MemberRecord): string | undefined {
    const known = this.#members.get(record.nodeId);
    if (known?.status === 'expelled') return `${record.nodeId} was expelled.`;
    if (known !== undefined && known.generation > record.generation) {
      return `Generation ${record.generation} is older than the registered ${known.generation}.`;
    }
    if (known?.status === 'left' && known.generation === record.generation) {
      return `${record.nodeId} left in this generation (${record.generation}).`;
    }
    for (const [name, state] of this.#features) {
      if (state === 'on' && !record.features.includes(name)) {
        return `${record.nodeId} lacks the feature "${name}", which is on.`;
      }
    }
    return undefined;
  }

  #problemWithStatus(id: NodeId, status: MemberStatus): string | undefined {
    const member = this.#members.get(id);
    if (member === undefined) return `No member ${id} is registered.`;
    if (NEXT_STATUS[member.status].includes(status)) return undefined;
    return `A member that is ${member.status} cannot become ${status}.`;
  }

  #problemWithFeature(name: string, state: FeatureState): string | undefined {
    const present = this.feature(name);
    if (!NEXT_FEATURE_STATE[present].includes(state)) {
      return `The feature "${name}" is ${present} and cannot become ${state}.`;
    }
    if (state !== 'on') return undefined;
    for (const member of this.members()) {
      const counts = member.status !== 'left' && member.status !== 'expelled';
      if (counts && !member.features.includes(name)) {
        return `${member.nodeId} lacks the feature "${name}".`;
      }
    }
    return undefined;
  }
}

/** The whole control state as plain data: what a snapshot carries. */
export interface ControlImage {
  readonly clusterId: ClusterId;
  readonly groupEpoch: GroupEpoch;
  readonly index: LogIndex;
  readonly term: Term;
  readonly members: readonly RegisteredMember[];
  readonly targetVoters: number;
  readonly features: readonly { readonly name: string; readonly state: FeatureState }[];
  readonly level: DeclaredLevel;
  /** Undefined: there are none yet. */
  readonly shards: ShardTableImage | undefined;
  /** Undefined: nobody has defined any. */
  readonly schemas: SchemaRegistryImage | undefined;
}

function byNodeId(a: RegisteredMember, b: RegisteredMember): number {
  if (a.nodeId === b.nodeId) return 0;
  return a.nodeId < b.nodeId ? -1 : 1;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
