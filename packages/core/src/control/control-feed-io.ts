import type {
  ConfigDelta,
  ConfigPull,
  ConfigSnapshot,
  GroupEpoch,
  LogEntry,
  NodeId,
  ShardConfig,
} from '@memgrid/protocol';
import type { ControlEvent } from '../node-event.ts';
import type { ControlImage } from './control-state.ts';

export type FeedMessage = ConfigPull | ConfigDelta | ConfigSnapshot;

export type ControlFeedInput =
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: FeedMessage }
  /** A peer has applied the log up to `index`. */
  | {
      readonly kind: 'news';
      readonly peer: NodeId;
      readonly index: number;
      readonly groupEpoch: GroupEpoch;
    }
  /** The control group committed these. */
  | { readonly kind: 'committed'; readonly entries: readonly LogEntry[] }
  /** The control group's log starts again from this state. */
  | { readonly kind: 'restored'; readonly image: ControlImage }
  /** Whether this node hears from the control group itself and so needs no pulling. */
  | { readonly kind: 'inGroup'; readonly inGroup: boolean };

export type ControlFeedEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: FeedMessage }
  /** The control state moved on. */
  | {
      readonly kind: 'changed';
      /** A member's record or standing is another one now. */
      readonly registry: boolean;
      /** Shards with a new configuration, which it is, in order of shard. */
      readonly shards: readonly ShardConfig[];
    }
  /** A peer speaks for a later life of the control group: the state was replaced by it. */
  | { readonly kind: 'regrouped'; readonly groupEpoch: GroupEpoch }
  | { readonly kind: 'event'; readonly event: ControlEvent };

/** How long an answer may take before another peer is asked. */
export const PULL_TIMEOUT_MS = 1_000;
