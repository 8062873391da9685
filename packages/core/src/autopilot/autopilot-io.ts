import type { ControlCommand, NodeId } from '@memgrid/protocol';
import type { ElectionStatus, ProgressView } from '../election/election-io.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { AutopilotEvent } from '../node-event.ts';
import type { ControlView } from '../node-status.ts';

/** What the coordinator knows when a round begins. */
export interface AutopilotView {
  readonly self: NodeId;
  readonly election: ElectionStatus;
  readonly progress: readonly ProgressView[];
  readonly members: readonly MemberView[];
  readonly control: ControlView;
  /** This node's own event-loop lag, 99th percentile. */
  readonly loopLagP99Ms: number;
}

/** At most one of these a round. */
export type AutopilotAction =
  | { readonly kind: 'propose'; readonly commands: readonly ControlCommand[] }
  | {
      readonly kind: 'reconfigure';
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      readonly events: readonly AutopilotEvent[];
    }
  /** This coordinator is too slow to coordinate. */
  | { readonly kind: 'handOver' };

/** Every number of the autopilot, with the reason beside it (3-cluster.md, section 5). */
export const AUTOPILOT = {
  roundMs: 2_000,
  /** Healthy this long before a promotion; waived until the leader itself has led so long. */
  stableMs: 15_000,
  /** A voter is replaced only after it has been dead for this long. */
  deadVoterMs: 60_000,
  /** Two heartbeats and a scheduling delay. */
  contactMsMax: 2 * 300 + 500,
  entriesBehindMax: 250,
  loopLagMsMax: 500,
  /** A coordinator whose loop lags this long hands over. */
  laggingMs: 10_000,
} as const;
