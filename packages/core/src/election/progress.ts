import type { LogIndex, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { Snapshot } from './election-io.ts';
import { plus } from './log.ts';
import { SnapshotTransfer } from './snapshot-transfer.ts';

type Flow =
  /** Nobody knows where the logs agree: one append at a time. */
  | { readonly kind: 'probe'; waiting: boolean }
  /** Appends flow; the last index of each one under way, ascending. */
  | { readonly kind: 'replicate'; readonly inflight: LogIndex[] }
  | { readonly kind: 'snapshot'; readonly transfer: SnapshotTransfer };

/**
 * A leader's view of one peer, with etcd/raft's three flows.
 *
 * Invariant: `0 <= match < next`. `match` never falls, except when the peer proves that it lost
 * what it had acknowledged.
 */
export class Progress {
  readonly peer: NodeId;
  match = 0 as LogIndex;
  next: LogIndex;
  flow: Flow = { kind: 'probe', waiting: false };
  contactAt: Instant;
  /** The last read round that the peer answered. */
  readRound = 0;
  /** The commit index that was sent last. */
  sentCommit = 0 as LogIndex;
  /** Set when the peer left the configuration: how long it is still told about that. */
  departsAt: Instant | undefined;

  constructor(peer: NodeId, next: LogIndex, now: Instant) {
    this.peer = peer;
    this.next = next;
    this.contactAt = now;
  }

  /** Everything up to `index` is durable at the peer. True: that is news. */
  advance(index: LogIndex): boolean {
    if (this.flow.kind === 'replicate') {
      const { inflight } = this.flow;
      while (inflight[0] !== undefined && inflight[0] <= index) inflight.shift();
    } else if (this.flow.kind === 'probe') {
      this.flow.waiting = false;
    }
    if (this.next <= index) this.next = plus(index, 1);
    if (index <= this.match) return false;
    this.match = index;
    return true;
  }

  /** Appends may flow from `match` on. */
  replicate(): void {
    if (this.flow.kind === 'replicate') return;
    this.flow = { kind: 'replicate', inflight: [] };
    this.next = plus(this.match, 1);
  }

  /** Whatever was under way may be lost: find out what the peer has. */
  probe(): void {
    this.flow = { kind: 'probe', waiting: false };
    this.next = plus(this.match, 1);
  }

  startSnapshot(snapshot: Snapshot, chunkBytes: number): void {
    this.flow = { kind: 'snapshot', transfer: new SnapshotTransfer(snapshot, chunkBytes) };
  }

  /**
   * The peer refused an append behind `rejected`, and `hint` is the best index to try.
   * False: an old refusal that says nothing any more.
   */
  refuse(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.flow.kind === 'snapshot') return false;
    if (rejected === this.match && hint < this.match) {
      // It no longer has what it acknowledged: its directory is an older copy. What was committed
      // stays so; the node itself is stopped elsewhere, by its identity.
      this.match = 0 as LogIndex;
      this.probe();
      this.next = plus(hint, 1);
      return true;
    }
    if (rejected <= this.match) return false;
    if (this.flow.kind === 'replicate') {
      this.probe();
      return true;
    }
    if (rejected !== this.next - 1) return false;
    const lowest = plus(this.match, 1);
    const wanted = plus(hint < rejected ? hint : plus(rejected, -1), 1);
    this.next = wanted > lowest ? wanted : lowest;
    this.flow.waiting = false;
    return true;
  }
}
