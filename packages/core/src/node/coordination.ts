import type { ControlCommand, NodeId, ShardReports } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { Autopilot } from '../autopilot/autopilot.ts';
import type { AutopilotAction, AutopilotView } from '../autopilot/autopilot-io.ts';
import { earliest, isDue, type Instant } from '../machine.ts';
import type { ControlView } from '../node-status.ts';
import { Planner } from '../planner/planner.ts';
import type { FoundingShards, PlannerFacts } from '../planner/planner-io.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ControlGroupInput } from './control-group.ts';
import { encodedChange, type CoordinatorEvent } from './group-requests.ts';

/** Where the coordinator looks when a round begins. */
export interface Lookout {
  readonly self: NodeId;
  readonly view: Pick<ClusterView, 'control' | 'election' | 'members' | 'progress'>;
  readonly founding: FoundingShards;
  /** This node's own event-loop lag, 99th percentile. */
  readonly loopLagP99Ms: number;
}

/** What the coordinator does about its cluster. */
export type CoordinationStep =
  | { readonly kind: 'group'; readonly input: ControlGroupInput }
  | { readonly kind: 'event'; readonly event: CoordinatorEvent };

/**
 * The work of a coordinator beside leading: who votes, and who owns which shard. Idle while this node
 * does not lead.
 */
export class Coordination {
  readonly #autopilot: Autopilot;
  readonly #planner = new Planner();

  constructor({ votersMax }: { readonly votersMax: number | undefined }) {
    this.#autopilot = new Autopilot(votersMax);
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#autopilot.wakeAt, this.#planner.wakeAt);
  }

  setLeading(now: Instant, leading: boolean): void {
    this.#autopilot.setLeading(now, leading);
    this.#planner.setLeading(now, leading);
  }

  /** Something happened to members or shards: a death should not wait for the next round. */
  hurry(now: Instant): void {
    this.#planner.hurry(now);
  }

  reported(now: Instant, from: NodeId, reports: ShardReports): void {
    this.#planner.heard(now, from, reports);
  }

  wake(now: Instant, lookout: Lookout): readonly CoordinationStep[] {
    const steps: CoordinationStep[] = [];
    if (isDue(this.#autopilot.wakeAt, now)) {
      const action = this.#autopilot.round(now, factsOf(now, lookout));
      if (action !== undefined) steps.push(...stepsOf(action));
    }
    if (isDue(this.#planner.wakeAt, now)) {
      const { proposals, events } = this.#planner.round(now, factsOf(now, lookout));
      for (const event of events) steps.push({ kind: 'event', event });
      for (const proposal of proposals) steps.push(changeOf(proposal.command, proposal.events));
    }
    return steps;
  }

  /** The moves under way, for people. */
  progress(control: ControlView): ReturnType<Planner['progress']> {
    return this.#planner.progress(control);
  }
}

function factsOf(
  now: Instant,
  { founding, loopLagP99Ms, self, view }: Lookout,
): AutopilotView & PlannerFacts {
  const control = view.control();
  invariant(control !== undefined, 'This node leads without a control state.');
  return {
    self,
    election: view.election(),
    progress: view.progress(now),
    members: view.members(),
    control,
    loopLagP99Ms,
    founding,
  };
}

function stepsOf(action: AutopilotAction): readonly CoordinationStep[] {
  switch (action.kind) {
    case 'propose':
      return action.commands.map((command) => changeOf(command, []));
    case 'reconfigure':
      return [{ kind: 'group', input: action }];
    case 'handOver': {
      const origin = { kind: 'coordination', events: [] } as const;
      return [{ kind: 'group', input: { kind: 'transfer', to: undefined, origin } }];
    }
  }
}

function changeOf(command: ControlCommand, events: readonly CoordinatorEvent[]): CoordinationStep {
  return { kind: 'group', input: encodedChange(command, { kind: 'coordination', events }) };
}
