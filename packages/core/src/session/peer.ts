import type { Operation, ShardId } from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';
import { NumberedItems } from '../numbered-items.ts';
import { NO_SLOT } from '../routing/placement-table.ts';
import type { NodeSlot } from '../routing/placement-table.ts';
import type { Reachable } from '../routing/router.ts';
import { Latency } from './latency.ts';
import type { PendingCall } from './pending-call.ts';

/** Unanswered operations on one connection: as many as a node lets a client have. */
export const ATTEMPTS_MAX = 16_384;

const LONG_AGO = -Infinity as Instant;
const NOTHING_SEEN = new Float64Array(0);

/**
 * One address, and the connection to it if there is one.
 *
 * `leaving`: the node said goodbye. It still answers what it has, and gets nothing new.
 */
export class Peer implements Reachable {
  readonly address: string;
  stage: 'idle' | 'dialling' | 'greeting' | 'ready' | 'leaving' = 'idle';
  /** Which node answered there last. */
  slot: NodeSlot = NO_SLOT;
  link: LinkId = 0;
  /** Of dialling, greeting and leaving. */
  deadline: Instant = LONG_AGO;
  failures = 0;
  welcomedAt: Instant | undefined;
  redialAt: Instant = LONG_AGO;
  wanted = false;

  heardAt: Instant = LONG_AGO;
  usedAt: Instant = LONG_AGO;
  pingsMissed = 0;
  /** When the youngest ping was sent that has been answered: nothing older is under way. */
  confirmedAt: Instant = LONG_AGO;
  confirmAgainAt: Instant = LONG_AGO;
  suspect = false;
  bufferedBytes = 0;

  windowBytes = 0;
  unansweredBytes = 0;
  /** By the ids of their operations, oldest first. */
  readonly attempts = new NumberedItems<PendingCall>();
  /** Waiting for room in the window. */
  backlog: PendingCall[] = [];
  outgoing: Operation[] = [];
  /** Open feeds; the connection is in use as long as there are any. */
  feedCount = 0;

  readonly latency = new Latency();
  #seen = NOTHING_SEEN;
  readonly #socketBytesMax: number;

  constructor(address: string, socketBytesMax: number) {
    this.address = address;
    this.#socketBytesMax = socketBytesMax;
  }

  get isConnected(): boolean {
    return this.stage === 'ready' || this.stage === 'leaving';
  }

  get usable(): boolean {
    return this.stage === 'ready';
  }

  get cost(): number {
    return (1 + this.attempts.count + this.backlog.length) * this.latency.meanMs;
  }

  seen(shard: ShardId): number {
    return this.#seen[shard] ?? 0;
  }

  noteSeen(shard: ShardId, index: number): void {
    if (index > (this.#seen[shard] as number)) this.#seen[shard] = index;
  }

  /** Whether an operation of this size may leave now. One alone always may. */
  hasRoom(bytes: number): boolean {
    if (this.attempts.count === 0) return true;
    return (
      this.attempts.count < ATTEMPTS_MAX &&
      this.unansweredBytes + bytes <= this.windowBytes &&
      this.bufferedBytes < this.#socketBytesMax
    );
  }

  welcomed(slot: NodeSlot, windowBytes: number, shardCount: number, now: Instant): void {
    this.stage = 'ready';
    this.slot = slot;
    this.windowBytes = windowBytes;
    this.welcomedAt = now;
    this.heardAt = now;
    this.usedAt = now;
    this.#seen = new Float64Array(shardCount);
  }

  /** The connection is gone: everything that belonged to it is forgotten. */
  reset(): void {
    this.stage = 'idle';
    this.welcomedAt = undefined;
    this.link = 0;
    this.pingsMissed = 0;
    this.suspect = false;
    this.bufferedBytes = 0;
    this.unansweredBytes = 0;
    this.confirmedAt = LONG_AGO;
    this.confirmAgainAt = LONG_AGO;
    this.attempts.clear();
    this.backlog = [];
    this.outgoing = [];
    this.feedCount = 0;
  }
}
