import type { FailedResult, OperationBody, ShardId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { NO_SLOT } from '../routing/placement-table.ts';
import type { NodeSlot } from '../routing/placement-table.ts';
import type { RouteRequest } from '../routing/router.ts';
import { NOT_QUEUED } from '../due-queue.ts';
import type { Due } from '../due-queue.ts';
import type { Call, CallId, CallOptions } from './session-io.ts';

const NEVER = Infinity as Instant;

/** Not known before the cluster has said how many shards it has. */
export const UNKNOWN_SHARD = -1 as ShardId;

/** Whether an operation may change something, so that not knowing its outcome matters. */
export function isWrite(body: OperationBody): boolean {
  return body.kind === 'put' || body.kind === 'update' || body.kind === 'delete';
}

/** One call of the application, from its arrival to its outcome. */
export class PendingCall implements Due, RouteRequest {
  readonly id: CallId;
  readonly source: Call;
  readonly options: CallOptions;
  readonly write: boolean;
  readonly bytes: number;
  readonly startedAt: Instant;
  readonly deadline: Instant;
  operationId: string;

  shard: ShardId = UNKNOWN_SHARD;
  toPrimary: boolean;
  /** A read at `one` that must not go back, of a shard about which nothing is known. */
  linearizable = false;
  avoid: NodeSlot = NO_SLOT;
  hint: NodeSlot = NO_SLOT;
  atLeast = 0;
  atLeastSince: Instant = -Infinity as Instant;

  /** `waiting`: for a connection, for room in a window, or for `retryAt`. */
  stage: 'waiting' | 'sent' = 'waiting';
  dueAt: Instant = NOT_QUEUED;
  settled = false;
  /** How often it was sent. */
  attempts = 0;
  /** How many of these may still be answered. */
  unanswered = 0;
  /** An attempt to write ended without saying whether it was carried out. */
  lost = false;
  retryAt: Instant = NEVER;
  hedgeAt: Instant = NEVER;
  attemptDeadline: Instant = NEVER;
  sentAt: Instant = NEVER;
  sentTo: NodeSlot = NO_SLOT;
  /** Whose window it waits for. */
  inLineAt: NodeSlot = NO_SLOT;
  lastAttempt = 0;
  hedgedAt: Instant = NEVER;
  hedge = 0;
  /** The owners that it was last sent by: newer ones are worth another attempt. */
  epochSent = 0;
  lastFailure: FailedResult | undefined = undefined;

  constructor(source: Call, bytes: number, now: Instant) {
    const { body, options } = source;
    this.id = source.call;
    this.source = source;
    this.options = options;
    this.write = isWrite(body);
    this.toPrimary = this.write || options.read === 'strong';
    this.bytes = bytes;
    this.startedAt = now;
    this.deadline = (now + options.timeoutMs) as Instant;
    this.operationId = options.operationId;
  }

  /** When this call must be looked at again if nothing happens before. */
  nextDue(): Instant {
    let due = this.deadline;
    if (this.stage === 'waiting') {
      if (this.retryAt < due) due = this.retryAt;
      return due;
    }
    if (this.hedgeAt < due) due = this.hedgeAt;
    if (this.attemptDeadline < due) due = this.attemptDeadline;
    return due;
  }
}
