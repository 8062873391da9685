import type { GroupEpoch, LogIndex, NodeId } from '@memgrid/protocol';
import type { ControlFeed } from '../control/control-feed.ts';
import type { ElectionStatus, ProgressView } from '../election/election-io.ts';
import type { Instant } from '../machine.ts';
import type { ControlView, NodeStatus } from '../node-status.ts';
import type { SchemaRegistry } from '../schema-registry/schema-registry.ts';
import type { ControlGroup } from './control-group.ts';
import type { Coordination } from './coordination.ts';
import { gossipedCoordinator } from './gossiped-coordinator.ts';
import type { Neighbours } from './neighbours.ts';
import type { Registration } from './registration.ts';

export interface ClusterParts {
  readonly feed: ControlFeed;
  readonly group: ControlGroup;
  readonly neighbours: Neighbours;
  readonly coordination: Coordination;
  readonly registration: Registration;
  /** Of the group that this node met, until it has its state. */
  readonly groupEpoch: GroupEpoch;
}

/** A node's part in its cluster, as others may look at it. Changes nothing. */
export class ClusterView {
  readonly #parts: ClusterParts;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  get controlIndex(): LogIndex {
    return this.#parts.feed.state?.index ?? (0 as LogIndex);
  }

  get groupEpoch(): GroupEpoch {
    return this.#parts.feed.state?.groupEpoch ?? this.#parts.groupEpoch;
  }

  get registered(): boolean {
    const { feed, registration } = this.#parts;
    return registration.isDone(feed.state);
  }

  /** Why this node may not register, in a sentence. */
  get registrationProblem(): string | undefined {
    return this.#parts.registration.problem;
  }

  /** Which schemas the cluster has agreed on, as far as this node knows. */
  get schemas(): SchemaRegistry | undefined {
    return this.#parts.feed.state?.schemas;
  }

  get healthScore(): number {
    return this.#parts.neighbours.healthScore;
  }

  /** Who leads as far as this node knows: from the group itself, else from gossip. */
  get coordinator(): NodeId | undefined {
    const { leader, role } = this.#parts.group.status();
    return role === 'outsider' ? gossipedCoordinator(this.members()) : leader;
  }

  control(): ControlView | undefined {
    return this.#parts.feed.state?.view();
  }

  election(): ElectionStatus {
    return this.#parts.group.status();
  }

  progress(now: Instant): readonly ProgressView[] {
    const { group } = this.#parts;
    return group.isLeader ? group.progress(now) : [];
  }

  /** The moves of shards under way, while this node leads. */
  moves(): NodeStatus['moves'] {
    const { coordination, group } = this.#parts;
    const control = group.isLeader ? this.control() : undefined;
    return control === undefined ? undefined : coordination.progress(control);
  }

  members(): NodeStatus['members'] {
    return this.#parts.neighbours.views();
  }

  rows(): NodeStatus['rows'] {
    return this.#parts.neighbours.rows();
  }

  /** Where to dial a member, from gossip or the registry; '' when nobody knows. */
  addressOf(peer: NodeId): string {
    return this.#parts.neighbours.addressOf(peer);
  }
}
