import type { NodeId, ShardEpoch, ShardId } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { ControlView } from '../node-status.ts';
import { CLUSTER } from './cluster-machine-io.ts';
import type { ControlGroupInput } from './control-group.ts';
import { encodedChange } from './group-requests.ts';
import { handOverPrimaries, primariesOf } from './primaries-left.ts';

/** What a leaving node does next. */
export type DepartureStep =
  | { readonly kind: 'group'; readonly input: ControlGroupInput }
  /** Tells the other members. */
  | { readonly kind: 'goodbye' }
  /** The goodbye has had its time. */
  | { readonly kind: 'gone' };

/** What a leaving node knows. */
export interface DepartureFacts {
  readonly self: NodeId;
  readonly isLeader: boolean;
  /** Undefined while nobody coordinates: then nothing can be handed over. */
  readonly control: ControlView | undefined;
  readonly members: readonly MemberView[];
}

type Stage = 'staying' | 'handingOver' | 'sayingGoodbye' | 'gone';

/**
 * The steps of leaving: primaries go to others, then the coordinator's role, then a goodbye spreads.
 * Each has a deadline, because a shutdown must end.
 */
export class Departure {
  #stage: Stage = 'staying';
  #deadline: Instant | undefined;
  /** The shards that are to be somebody else's, and the epochs in which they were this node's. */
  #handedOver: ReadonlyMap<ShardId, ShardEpoch> = new Map();

  get wakeAt(): Instant | undefined {
    return this.#deadline;
  }

  get isUnderWay(): boolean {
    return this.#stage !== 'staying';
  }

  begin(now: Instant, facts: DepartureFacts): readonly DepartureStep[] {
    if (this.#stage !== 'staying') return [];
    this.#stage = 'handingOver';
    this.#deadline = after(now, CLUSTER.handOverMs);
    const { control, members, self } = facts;
    const proposals = control === undefined ? [] : handOverPrimaries(control, self, members);
    const changes = proposals.flatMap(({ command }) =>
      command.kind === 'assignShards' ? command.changes : [],
    );
    this.#handedOver = new Map(changes.map(({ shard, epoch }) => [shard, epoch - 1]));
    if (proposals.length === 0) return this.#handOverRole(now, facts);
    return proposals.map(({ command, events }) => {
      const input = encodedChange(command, { kind: 'coordination', events });
      return { kind: 'group', input };
    });
  }

  /** Shards have other owners: perhaps nothing is left but the coordinator's role. */
  placed(now: Instant, facts: DepartureFacts): readonly DepartureStep[] {
    if (this.#stage !== 'handingOver' || facts.control === undefined) return [];
    const kept = primariesOf(facts.control, facts.self);
    // What others who leave at the same time give to this node is none of its business any more.
    if (kept.some(({ shard, epoch }) => this.#handedOver.get(shard) === epoch)) return [];
    return this.#handOverRole(now, facts);
  }

  /** The role is somebody else's, or there is no time for it. */
  handedOver(now: Instant): readonly DepartureStep[] {
    if (this.#stage !== 'handingOver') return [];
    this.#stage = 'sayingGoodbye';
    this.#deadline = after(now, CLUSTER.goodbyeMs);
    return [{ kind: 'group', input: { kind: 'retire' } }, { kind: 'goodbye' }];
  }

  /** To be called when `wakeAt` has passed. */
  wake(now: Instant): readonly DepartureStep[] {
    if (this.#stage === 'handingOver') return this.handedOver(now);
    if (this.#stage !== 'sayingGoodbye') return [];
    this.#stage = 'gone';
    this.#deadline = undefined;
    const detail = 'This node is leaving.';
    const input = { kind: 'abandon', reason: 'shuttingDown', detail } as const;
    return [{ kind: 'group', input }, { kind: 'gone' }];
  }

  #handOverRole(now: Instant, { isLeader }: DepartureFacts): readonly DepartureStep[] {
    if (!isLeader) return this.handedOver(now);
    const origin = { kind: 'leaving' } as const;
    return [{ kind: 'group', input: { kind: 'transfer', to: undefined, origin } }];
  }
}
