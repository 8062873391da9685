import type { MemberUpdate, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { Suspicion } from './suspicion.ts';
import { idLanes } from './table-digest.ts';

/**
 * What this node believes about one member.
 *
 * What is believed *is* the last update that was adopted: immutable and, where messages travel by
 * reference, one object for all nodes of a process. A table of a thousand members stays small
 * enough for a thousand tables in one simulator. Only `MemberTable` writes these fields.
 */
export class Member {
  readonly idHigh: number;
  readonly idLow: number;
  update: MemberUpdate;
  /** Since when the liveness is what it is. */
  since: Instant;
  /** When anything last arrived from this life of the member, or when it became known. */
  heardAt: Instant;
  suspicion: Suspicion | undefined = undefined;
  /** The place in the table's list of its kind. */
  slot = -1;

  constructor(update: MemberUpdate, now: Instant) {
    const lanes = idLanes(update.nodeId);
    this.idHigh = lanes.high;
    this.idLow = lanes.low;
    this.update = update;
    this.since = now;
    this.heardAt = now;
  }

  get nodeId(): NodeId {
    return this.update.nodeId;
  }

  /** Where it accepts peers; '' until it introduced itself. */
  get address(): string {
    return this.update.meta?.address ?? '';
  }

  /** Alive or suspect: still taken for a member that may answer. */
  get isActive(): boolean {
    const { liveness } = this.update;
    return liveness === 'alive' || liveness === 'suspect';
  }
}
