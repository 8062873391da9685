import type { ControlCommand, NodeId, ShardReports } from '@memgrid/protocol';
import { Autopilot } from '../autopilot/autopilot.ts';
import type { AutopilotAction, AutopilotView } from '../autopilot/autopilot-io.ts';
import { earliest, isDue, type Instant } from '../machine.ts';
import type { ControlView } from '../node-status.ts';
import { Planner } from '../planner/planner.ts';
import type { FoundingShards } from '../planner/planner-io.ts';
import type { CoordinatorEvent } from './group-requests.ts';

/** What the coordinator knows when it looks around. */
export interface CoordinationFacts extends AutopilotView {
  readonly founding: FoundingShards;
}

/** What the coordinator does about its cluster, in words of the control group. */
export type CoordinationStep =
  | {
      readonly kind: 'propose';
      readonly command: ControlCommand;
      readonly events: readonly CoordinatorEvent[];
    }
  | {
      readonly kind: 'reconfigure';
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      readonly events: readonly CoordinatorEvent[];
    }
  | { readonly kind: 'handOver' }
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

  /** @param look what the coordinator knows; only asked for when a round begins. */
  wake(now: Instant, look: () => CoordinationFacts): readonly CoordinationStep[] {
    const steps: CoordinationStep[] = [];
    if (isDue(this.#autopilot.wakeAt, now)) {
      const action = this.#autopilot.round(now, look());
      if (action !== undefined) steps.push(...stepsOf(action));
    }
    if (isDue(this.#planner.wakeAt, now)) {
      const { proposals, events } = this.#planner.round(now, look());
      for (const event of events) steps.push({ kind: 'event', event });
      for (const proposal of proposals) steps.push({ kind: 'propose', ...proposal });
    }
    return steps;
  }

  /** The moves under way, for people. */
  progress(control: ControlView): ReturnType<Planner['progress']> {
    return this.#planner.progress(control);
  }
}

function stepsOf(action: AutopilotAction): readonly CoordinationStep[] {
  if (action.kind !== 'propose') return [action];
  return action.commands.map((command) => ({ kind: 'propose', command, events: [] }));
}
