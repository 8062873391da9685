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
  Term,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { ControlEvent } from '../node-event.ts';
import type { ControlView, RegisteredMember } from '../node-status.ts';

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
 * ignored by all of them alike, and says so in an event. Shard ownership and the schema registry
 * become further sections of the same state.
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

  constructor(image: ControlImage) {
    this.clusterId = image.clusterId;
    this.groupEpoch = image.groupEpoch;
    this.#index = image.index;
    this.#term = image.term;
    this.#members = new Map(image.members.map((member) => [member.nodeId, member]));
    this.#targetVoters = image.targetVoters;
    this.#features = new Map(image.features.map((feature) => [feature.name, feature.state]));
    this.#level = image.level;
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

  /** Sorted by node id. */
  members(): readonly RegisteredMember[] {
    return [...this.#members.values()].sort(byNodeId);
  }

  view(): ControlView {
    const features: Record<string, FeatureState> = {};
    for (const [name, state] of [...this.#features].sort(byName)) features[name] = state;
    return {
      clusterId: this.clusterId,
      groupEpoch: this.groupEpoch,
      index: this.#index,
      members: this.members(),
      targetVoters: this.#targetVoters,
      features,
      level: this.#level,
      shardCount: 0,
      replicationFactor: 0,
      shards: [],
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
    }
  }

  #applyCommand(command: ControlCommand): readonly ControlEvent[] {
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
        return [{ name: 'feature.changed', feature: command.name, state: command.state }];
      case 'setLevel':
        this.#level = command.level;
        return [];
    }
  }

  #register(record: MemberRecord): readonly ControlEvent[] {
    const known = this.#members.get(record.nodeId);
    const returns = known === undefined || known.status === 'left';
    return [this.#put({ ...record, status: returns ? 'joining' : known.status })];
  }

  #put(member: RegisteredMember): ControlEvent {
    this.#members.set(member.nodeId, member);
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
}

function byNodeId(a: RegisteredMember, b: RegisteredMember): number {
  if (a.nodeId === b.nodeId) return 0;
  return a.nodeId < b.nodeId ? -1 : 1;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
