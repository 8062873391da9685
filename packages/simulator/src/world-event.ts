import type {
  HaltCode,
  NodeEvent,
  NodeReply,
  NodeRequest,
  NodeStatus,
  RequestId,
  SessionEvent,
  StoreOperation,
} from '@memgrid/core';
import type { Envelope, NodeId } from '@memgrid/protocol';
import type { Fault } from './fault.ts';
import type { FinishedCall } from './shard-world/shard-client.ts';

/** Which run of which node something happened to. */
export interface ProcessLabel {
  /** The host: `n1`. A wiped node keeps it, a cloned one has another. */
  readonly node: string;
  readonly nodeId: NodeId;
  /** Counts the process starts of a world: no two processes share one. */
  readonly process: number;
}

export type ProcessEnd =
  | { readonly how: 'halted'; readonly code: HaltCode; readonly detail: string }
  /** `kill -9`: the operating system closes its sockets. */
  | { readonly how: 'killed' }
  /** The host lost its power: nobody is told anything. */
  | { readonly how: 'powerOff' }
  /** The machine threw: always a violation. */
  | { readonly how: 'faulted'; readonly error: unknown };

/** Everything that checkers, counters and the timeline can see, in the order in which it happens. */
export type WorldEvent =
  | { readonly kind: 'started'; readonly at: ProcessLabel }
  /** `to` and `from` are hosts: what a network sees, whatever the envelope claims. */
  | {
      readonly kind: 'sent';
      readonly at: ProcessLabel;
      readonly to: string;
      readonly envelope: Envelope;
    }
  | {
      readonly kind: 'received';
      readonly at: ProcessLabel;
      readonly from: string;
      readonly envelope: Envelope;
    }
  | { readonly kind: 'published'; readonly at: ProcessLabel; readonly event: NodeEvent }
  | {
      readonly kind: 'requested';
      readonly at: ProcessLabel;
      readonly request: RequestId;
      readonly body: NodeRequest;
    }
  | {
      readonly kind: 'replied';
      readonly at: ProcessLabel;
      readonly request: RequestId;
      readonly reply: NodeReply;
    }
  /** Taken several times a second, and after every turn that changed something important. */
  | { readonly kind: 'sampled'; readonly at: ProcessLabel; readonly status: NodeStatus }
  /** The machine is told that a batch is as safe as it asked for. */
  | {
      readonly kind: 'stored';
      readonly at: ProcessLabel;
      readonly operations: readonly StoreOperation[];
    }
  | { readonly kind: 'paused'; readonly at: ProcessLabel; readonly forMs: number | undefined }
  | { readonly kind: 'resumed'; readonly at: ProcessLabel }
  | { readonly kind: 'ended'; readonly at: ProcessLabel; readonly end: ProcessEnd }
  | {
      readonly kind: 'diskLost';
      readonly at: ProcessLabel;
      readonly batchesLost: number;
      readonly torn: boolean;
    }
  /** A call of a client's process ended. */
  | { readonly kind: 'called'; readonly call: FinishedCall }
  | { readonly kind: 'sessionEvent'; readonly client: string; readonly event: SessionEvent }
  /** The machine of a client threw: always a violation. */
  | { readonly kind: 'clientFaulted'; readonly client: string; readonly error: unknown }
  /** Somebody did something to the world: a fault, a repair, the end of a phase. */
  | { readonly kind: 'intervened'; readonly what: string; readonly fault: Fault | undefined };

export type WorldEventKind = WorldEvent['kind'];
