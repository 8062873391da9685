import type { LogIndex, MemberMeta, Term } from '@memgrid/protocol';
import type { ElectionStatus } from '../election/election-io.ts';
import { after, type Instant } from '../machine.ts';
import { CLUSTER, type ClusterMachineOptions, type SelfReadings } from './cluster-machine-io.ts';

const NO_READINGS: SelfReadings = {
  loopLagP99Ms: 0,
  heapPercent: 0,
  clockOffsetMs: 0,
  clockSuspect: false,
};

/** What this node tells its peers about itself, and when the next telling is worth a rumour. */
export class SelfDescription {
  readonly #options: ClusterMachineOptions;
  readonly #leaveLock: Uint8Array;
  #readings = NO_READINGS;
  #toldLeader = '';
  #dueAt: Instant;

  constructor(options: ClusterMachineOptions, leaveKey: Uint8Array) {
    this.#options = options;
    this.#leaveLock = options.digest(leaveKey).slice(0, 16);
    this.#dueAt = options.now;
  }

  get readings(): SelfReadings {
    return this.#readings;
  }

  measured(readings: SelfReadings): void {
    this.#readings = readings;
  }

  /** A new leader is told soon; a burst of elections still costs one rumour a second only. */
  follow(now: Instant, status: ElectionStatus): void {
    const told = `${status.term} ${status.leader ?? ''}`;
    if (status.role === 'outsider' || told === this.#toldLeader) return;
    this.#toldLeader = told;
    const soon = after(now, CLUSTER.leaderMetaIntervalMs);
    if (soon < this.#dueAt) this.#dueAt = soon;
  }

  /** What to tell now; undefined when it is not time yet. */
  takeIfDue(now: Instant, status: ElectionStatus): MemberMeta | undefined {
    if (this.#dueAt > now) return undefined;
    this.#dueAt = after(now, CLUSTER.metaIntervalMs);
    return this.meta(status);
  }

  meta(status: ElectionStatus): MemberMeta {
    const { self, httpAddress, clusterId } = this.#options;
    const inGroup = status.role !== 'outsider';
    return {
      address: self.address,
      httpAddress,
      zone: self.zone,
      weight: self.weight,
      protocolMin: self.protocolMin,
      protocolMax: self.protocolMax,
      features: self.features,
      leaveLock: this.#leaveLock,
      clusterId,
      raftTerm: inGroup ? status.term : (0 as Term),
      raftLeader: inGroup ? status.leader : undefined,
      raftCommit: inGroup ? status.commit : (0 as LogIndex),
      ...this.#readings,
    };
  }
}
