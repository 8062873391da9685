import type { LogRecord, NodeId, ReplicateShardAck } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { LogMarks } from './shard-copy.ts';

const NOTHING: LogMarks = { memory: 0, os: 0, disk: 0 };

/** What a primary knows of one replica, and what it has sent that was not answered. */
export class PeerProgress {
  readonly node: NodeId;
  /** It has promised this epoch. */
  promised = false;
  /** Its base is whole. */
  complete = false;
  /** Up to where its log is known to be the primary's. */
  match: LogMarks = NOTHING;
  applied = 0;
  /** The index of the next record to send. */
  next: number;
  /** Where its log matches is being found out: one message at a time. */
  probing = true;
  /** Since when an answer is missing; undefined when nothing is. */
  waitingSince: Instant | undefined;
  /** Messages in a row without an answer. */
  silentCount = 0;
  /** It needs a stream: its log ends before the primary's begins. */
  gone = false;
  #sent: LogMarks = NOTHING;
  #sentCommit = 0;

  constructor(node: NodeId, next: number) {
    this.node = node;
    this.next = next;
  }

  get sentCommit(): number {
    return this.#sentCommit;
  }

  noteSent(records: readonly LogRecord[], commit: number, now: Instant): void {
    const { memory, os, disk } = this.#sent;
    const sent = { memory, os, disk };
    for (const { index, sync } of records) {
      sent.memory = Math.max(sent.memory, index);
      if (sync !== 'memory') sent[sync] = Math.max(sent[sync], index);
    }
    this.#sent = sent;
    this.#sentCommit = Math.max(this.#sentCommit, commit);
    this.next = Math.max(this.next, (records.at(-1)?.index ?? 0) + 1);
    this.waitingSince ??= now;
  }

  /**
   * Everything before the next record has been answered as well as it needs to be: what this life of
   * the connection sent, and what an earlier one did. A replica that a stream fills is asked again
   * and again: nobody but it knows when it is whole.
   */
  get isSettled(): boolean {
    const { match } = this;
    return (
      this.complete &&
      match.memory >= this.next - 1 &&
      match.os >= this.#sent.os &&
      match.disk >= this.#sent.disk &&
      this.applied >= this.#sentCommit
    );
  }

  /** @returns whether more may be sent or committed: all but that more of it is applied there. */
  acknowledged(ack: ReplicateShardAck, now: Instant): boolean {
    const { memory, os, disk } = ack;
    const wasProbing = this.probing;
    this.heard();
    this.promised = true;
    this.gone = false;
    const changedCopy = ack.complete !== this.complete;
    this.complete = ack.complete;
    this.applied = changedCopy ? ack.applied : Math.max(this.applied, ack.applied);
    if (ack.mismatch) {
      this.match = NOTHING;
      this.startFrom(memory);
      return true;
    }
    const { match } = this;
    const moved = memory > match.memory || os > match.os || disk > match.disk || changedCopy;
    if (changedCopy) {
      // What the former copy was sent and did not commit may be missing in this one.
      this.match = { memory, os, disk };
      this.next = memory + 1;
    } else if (moved) {
      this.match = {
        memory: Math.max(match.memory, memory),
        os: Math.max(match.os, os),
        disk: Math.max(match.disk, disk),
      };
    }
    this.probing = false;
    this.next = Math.max(this.next, this.match.memory + 1);
    // It is at work: patience begins anew.
    if (this.isSettled) this.waitingSince = undefined;
    else if (moved) this.waitingSince = now;
    return moved || wasProbing;
  }

  /** Only what it had synced is certain to be there still, and it may have to apply it again. */
  restarted(): void {
    const { disk } = this.match;
    this.match = { memory: disk, os: disk, disk };
    this.applied = 0;
    this.silentCount = 0;
    this.startFrom(disk > 0 ? disk : this.next - 1);
  }

  heard(): void {
    this.silentCount = 0;
  }

  /** Nothing of what was sent counts any more; the next message begins after `index`. */
  startFrom(index: number): void {
    this.next = index + 1;
    this.probing = true;
    this.waitingSince = undefined;
    this.#sent = this.match;
    this.#sentCommit = 0;
  }
}
