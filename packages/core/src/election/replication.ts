import type {
  AppendResp,
  HeartbeatResp,
  LogEntry,
  LogIndex,
  NodeId,
  SnapshotResp,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, type Instant } from '../machine.ts';
import type { ProgressView } from './election-io.ts';
import { everyMember } from './group-config.ts';
import { plus } from './log.ts';
import { Progress } from './progress.ts';
import { quorumIndex, quorumValue } from './quorum.ts';
import type { RaftState } from './raft-state.ts';

/**
 * The leader's half of log replication: what each peer has, and what to send it next.
 *
 * Nothing leaves here unless a quorum was heard within the election timeout (E7): a leader that
 * is cut off from the majority but not from one voter would otherwise keep that voter's lease
 * alive and so prevent the election of its successor (openraft#2080).
 */
export class Replication {
  readonly #state: RaftState;
  readonly #peers = new Map<NodeId, Progress>();
  /** The last index that is durable here. */
  #ownMatch: LogIndex;

  constructor(state: RaftState) {
    this.#state = state;
    // The vote for itself is durable, and so is everything that was written before it.
    this.#ownMatch = state.log.lastIndex;
    this.reconcile();
  }

  /** Follows a changed configuration: begins with new peers, says good-bye to those that left. */
  reconcile(): void {
    const { log, self, now, config } = this.#state;
    const members = everyMember(log.config);
    for (const peer of members) {
      if (peer === self) continue;
      const known = this.#peers.get(peer);
      if (known === undefined) {
        this.#peers.set(peer, new Progress(peer, plus(log.lastIndex, 1), now));
      } else {
        known.departsAt = undefined;
      }
    }
    for (const progress of this.#peers.values()) {
      if (members.includes(progress.peer)) continue;
      // It should learn that it left, or it will ask for votes until somebody tells it.
      progress.departsAt ??= after(now, config.electionTimeoutMsMax);
    }
  }

  /** The last index that a quorum has. */
  get quorumIndex(): LogIndex {
    return quorumIndex(this.#state.group, (id) => this.matchOf(id));
  }

  matchOf(id: NodeId): LogIndex {
    if (id === this.#state.self) return this.#ownMatch;
    return this.#peers.get(id)?.match ?? (0 as LogIndex);
  }

  /** Whether `id` could be made a voter without slowing the group down. See DESIGN.md, E11. */
  isCaughtUp(id: NodeId): boolean {
    if (id === this.#state.self) return true;
    const progress = this.#peers.get(id);
    if (progress === undefined || progress.flow.kind !== 'replicate') return false;
    const { commit, config, now } = this.#state;
    const heardLately = now - progress.contactAt < config.electionTimeoutMsMin;
    return heardLately && progress.match + config.promotionLagMax >= commit;
  }

  /** The last moment at which a quorum was known to listen. */
  get quorumContactAt(): Instant {
    const { self, now, group } = this.#state;
    const contactAt = (id: NodeId): number =>
      id === self ? now : (this.#peers.get(id)?.contactAt ?? 0);
    return quorumValue(group, contactAt) as Instant;
  }

  get hasQuorum(): boolean {
    if (broken('raft.quorum-loss-silence')) return true;
    const { now, config } = this.#state;
    return now - this.quorumContactAt < config.electionTimeoutMsMin;
  }

  /** When the quorum is lost unless somebody is heard; undefined when it cannot be. */
  get quorumDeadline(): Instant | undefined {
    if (broken('raft.quorum-loss-silence')) return undefined;
    return after(this.quorumContactAt, this.#state.config.electionTimeoutMsMin);
  }

  /** The last read round that a quorum answered. */
  quorumReadRound(current: number): number {
    const { self, group } = this.#state;
    return quorumValue(group, (id) =>
      id === self ? current : (this.#peers.get(id)?.readRound ?? 0),
    );
  }

  views(now: Instant): readonly ProgressView[] {
    return [...this.#peers.values()]
      .filter((progress) => progress.departsAt === undefined)
      .map(({ peer, match, contactAt, flow }) => ({
        peer,
        match,
        lastContactMs: now - contactAt,
        state: flow.kind,
      }))
      .sort((a, b) => (a.peer < b.peer ? -1 : 1));
  }

  /** Whom to hand over to: a listening voter with the longest log, then the one heard last. */
  get successor(): NodeId | undefined {
    const { group, self, now, config } = this.#state;
    let best: Progress | undefined;
    for (const id of group.voters) {
      const progress = this.#peers.get(id);
      if (id === self || progress === undefined || progress.flow.kind !== 'replicate') continue;
      if (now - progress.contactAt >= config.electionTimeoutMsMin) continue;
      const longer = best === undefined || progress.match > best.match;
      const later = progress.match === best?.match && progress.contactAt > best.contactAt;
      if (longer || later) best = progress;
    }
    return best?.peer;
  }

  ownEntriesDurable(index: LogIndex): void {
    if (index > this.#ownMatch) this.#ownMatch = index;
  }

  /** Tells everybody that this node leads. */
  heartbeat(readRound: number): void {
    if (!this.hasQuorum) return;
    const { commit, now } = this.#state;
    for (const progress of this.#peers.values()) {
      if (progress.departsAt !== undefined && progress.departsAt <= now) {
        this.#peers.delete(progress.peer);
        continue;
      }
      // Never beyond what the peer acknowledged: behind that its log may say something else.
      const known = progress.match < commit ? progress.match : commit;
      this.#state.send(progress.peer, { type: 'heartbeat', commit: known, readRound });
    }
  }

  /** Sends whatever is due to anybody. */
  pumpAll(): void {
    if (!this.hasQuorum) return;
    for (const progress of this.#peers.values()) this.#pump(progress);
  }

  reset(peer: NodeId): void {
    const progress = this.#peers.get(peer);
    if (progress === undefined) return;
    if (progress.flow.kind === 'snapshot') progress.flow.transfer.giveUpOn(this.#state.now);
    else progress.probe();
  }

  appended(from: NodeId, body: AppendResp): void {
    const progress = this.#heard(from);
    const { log } = this.#state;
    if (progress === undefined || body.index > log.lastIndex) return;
    if (!body.accepted) {
      const hint = log.lastIndexUpToTerm(body.hintIndex, body.hintTerm);
      // Without a term the peer's own word is all there is.
      progress.refuse(body.index, body.hintTerm > 0 ? hint.index : body.hintIndex);
      return;
    }
    progress.advance(body.index);
    const { flow } = progress;
    if (flow.kind === 'probe' && progress.match > 0) progress.replicate();
    if (flow.kind === 'snapshot' && progress.match >= flow.transfer.snapshot.index) {
      progress.replicate();
    }
  }

  heartbeatAnswered(from: NodeId, body: HeartbeatResp): void {
    const progress = this.#heard(from);
    if (progress === undefined) return;
    if (body.readRound > progress.readRound) progress.readRound = body.readRound;
    const { flow } = progress;
    const { config, now, log } = this.#state;
    switch (flow.kind) {
      case 'probe':
        flow.waiting = false;
        break;
      case 'replicate':
        // Appends may have been lost on the way. If so, the peer refuses this one.
        if (progress.match < log.lastIndex) this.#sendAppend(progress, []);
        break;
      case 'snapshot':
        flow.transfer.giveUpOn(after(now, -2 * config.heartbeatMs));
        break;
    }
  }

  snapshotAnswered(from: NodeId, body: SnapshotResp): void {
    const progress = this.#heard(from);
    if (progress === undefined || body.lastIndex > this.#state.log.lastIndex) return;
    if (body.installed) {
      progress.advance(body.lastIndex);
      if (progress.flow.kind === 'snapshot') progress.probe();
      return;
    }
    const { flow } = progress;
    if (flow.kind !== 'snapshot' || flow.transfer.snapshot.index !== body.lastIndex) return;
    flow.transfer.acknowledge(body.nextOffset);
  }

  /** The progress of a peer that just spoke; undefined for a stranger. */
  #heard(from: NodeId): Progress | undefined {
    const progress = this.#peers.get(from);
    if (progress !== undefined) progress.contactAt = this.#state.now;
    return progress;
  }

  #pump(progress: Progress): void {
    if (progress.departsAt !== undefined && this.#knowsItLeft(progress)) return;
    if (progress.flow.kind !== 'snapshot' && !this.#canAppend(progress)) {
      const { snapshot } = this.#state.log;
      progress.startSnapshot(snapshot, this.#state.config.snapshotChunkBytes);
    }
    const { flow } = progress;
    switch (flow.kind) {
      case 'probe':
        if (flow.waiting) return;
        flow.waiting = true;
        this.#sendAppend(progress, this.#entriesFor(progress));
        return;
      case 'replicate':
        this.#stream(progress, flow.inflight);
        return;
      case 'snapshot':
        this.#sendChunk(progress);
    }
  }

  #stream(progress: Progress, inflight: LogIndex[]): void {
    const { log, config, commit } = this.#state;
    while (progress.next <= log.lastIndex && inflight.length < config.inflightMax) {
      const entries = this.#entriesFor(progress);
      this.#sendAppend(progress, entries);
      const last = plus(progress.next, entries.length - 1);
      inflight.push(last);
      progress.next = plus(last, 1);
    }
    // Others wait for the news that their entry is committed.
    if (progress.sentCommit < commit && progress.next > progress.sentCommit + 1) {
      this.#sendAppend(progress, []);
    }
  }

  /** Whether a departing peer has the configuration without it, and was told that it counts. */
  #knowsItLeft({ match, sentCommit }: Progress): boolean {
    const { configIndex } = this.#state.log;
    return match >= configIndex && sentCommit >= configIndex;
  }

  /** Whether the log still reaches back to what the peer needs. */
  #canAppend({ next }: Progress): boolean {
    const { log } = this.#state;
    return next >= log.firstIndex && log.termAt(plus(next, -1)) !== undefined;
  }

  #entriesFor({ next }: Progress): readonly LogEntry[] {
    const { log, config } = this.#state;
    const { appendEntriesMax, appendBytesMax } = config;
    return log.slice(next, {
      to: log.lastIndex,
      entriesMax: appendEntriesMax,
      bytesMax: appendBytesMax,
    });
  }

  #sendAppend(progress: Progress, entries: readonly LogEntry[]): void {
    if (!this.hasQuorum) return;
    const { log, commit } = this.#state;
    const previousIndex = plus(progress.next, -1);
    const previousTerm = log.termAt(previousIndex);
    if (previousTerm === undefined) return;
    progress.sentCommit = commit;
    this.#state.send(progress.peer, {
      type: 'append',
      previousIndex,
      previousTerm,
      commit,
      entries,
    });
  }

  #sendChunk({ peer, flow }: Progress): void {
    if (flow.kind !== 'snapshot') return;
    const { snapshot } = flow.transfer;
    const chunk = flow.transfer.next(this.#state.now);
    if (chunk === undefined) return;
    this.#state.send(peer, {
      type: 'snapshotChunk',
      lastIndex: snapshot.index,
      lastTerm: snapshot.term,
      config: snapshot.config,
      offset: chunk.offset,
      totalBytes: snapshot.state.length,
      bytes: chunk.bytes,
    });
  }
}
