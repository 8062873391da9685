import { broken } from '#breaks';
import { LIMITS, type ControlCommand, type NodeId } from '@memgrid/protocol';
import { spreadOverZones, targetVotersFor } from '../bootstrap/target-voters.ts';
import type { MemberView } from '../membership/membership-io.ts';
import { after, type Instant } from '../machine.ts';
import { AUTOPILOT, type AutopilotAction, type AutopilotView } from './autopilot-io.ts';

/**
 * Keeps the control group as large, as healthy and as widely spread as the cluster allows.
 *
 * Runs at the coordinator only. It replaces and grows, and never shrinks: taking votes away from
 * nodes that are merely unreachable is how a minority comes to believe it is a majority
 * (consul#5922). See DESIGN.md.
 */
export class Autopilot {
  readonly #votersMax: number | undefined;
  #leadingSince: Instant | undefined;
  #laggingSince: Instant | undefined;
  #roundAt: Instant | undefined;
  readonly #healthySince = new Map<NodeId, Instant>();

  constructor(votersMax: number | undefined) {
    this.#votersMax = votersMax;
  }

  /** The next round; undefined while this node does not lead. */
  get wakeAt(): Instant | undefined {
    return this.#roundAt;
  }

  /** Leadership began or ended. */
  setLeading(now: Instant, leading: boolean): void {
    if (leading === (this.#leadingSince !== undefined)) return;
    this.#leadingSince = leading ? now : undefined;
    this.#roundAt = leading ? after(now, AUTOPILOT.roundMs) : undefined;
    this.#laggingSince = undefined;
    this.#healthySince.clear();
  }

  /** Looks at the cluster and decides on at most one action. */
  round(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    if (this.#leadingSince === undefined) return undefined;
    this.#roundAt = after(now, AUTOPILOT.roundMs);
    this.#noteHealth(now, view);
    // One change at a time, and none on top of what an earlier leader left unfinished.
    const { config, configIndex, commit } = view.election;
    if (config.votersOutgoing.length > 0 || configIndex > commit) return undefined;
    return (
      this.#handOver(now, view) ??
      this.#admit(view) ??
      this.#grow(view) ??
      this.#replaceVoter(now, view) ??
      this.#relieveVoter(now, view) ??
      this.#promote(now, view) ??
      this.#tendLearners(now, view)
    );
  }

  // What may be done, most urgent first.

  #handOver(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    if (view.loopLagP99Ms <= AUTOPILOT.loopLagMsMax) {
      this.#laggingSince = undefined;
      return undefined;
    }
    this.#laggingSince ??= now;
    if (now - this.#laggingSince < AUTOPILOT.laggingMs) return undefined;
    this.#laggingSince = undefined;
    return view.election.config.voters.length > 1 ? { kind: 'handOver' } : undefined;
  }

  /** Members that are up and know the control state take part. */
  #admit(view: AutopilotView): AutopilotAction | undefined {
    const commands: ControlCommand[] = [];
    for (const member of view.control.members) {
      if (member.status !== 'joining') continue;
      const seen = viewOf(view, member.nodeId);
      if (seen?.liveness !== 'alive' || seen.generation !== member.generation) continue;
      commands.push({ kind: 'setStatus', nodeId: member.nodeId, status: 'normal' });
    }
    return commands.length > 0 ? { kind: 'propose', commands } : undefined;
  }

  #grow(view: AutopilotView): AutopilotAction | undefined {
    const normal = view.control.members.filter((member) => member.status === 'normal');
    const wanted = targetVotersFor(normal.length, this.#votersMax);
    if (wanted <= view.control.targetVoters) return undefined;
    return { kind: 'propose', commands: [{ kind: 'setTargetVoters', count: wanted }] };
  }

  #replaceVoter(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    const { voters } = view.election.config;
    const dead = voters.find((voter) => this.#isGone(now, view, voter));
    if (dead === undefined) return undefined;
    const kept = voters.filter((voter) => voter !== dead);
    const by = this.#choose(now, view, { kept, count: 1 })[0];
    if (by === undefined && !broken('autopilot.never-shrink')) return undefined;
    const next = by === undefined ? kept : [...kept, by].sort();
    if (!this.#hasLiveMajority(view, voters) || !this.#hasLiveMajority(view, next)) {
      return undefined;
    }
    const learners = view.election.config.learners.filter((learner) => learner !== by);
    const events = by === undefined ? [] : ([{ name: 'voter.replaced', dead, by }] as const);
    return { kind: 'reconfigure', voters: next, learners, events };
  }

  /**
   * A voter that drains gives its vote to somebody who stays, itself included: a leader that is no
   * voter any more steps down once that has committed. Without anybody it keeps the vote.
   */
  #relieveVoter(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    const { learners, voters } = view.election.config;
    // The leader goes last: with its vote goes the round.
    const draining = voters.filter((voter) => isDraining(view, voter));
    const member = draining.find((voter) => voter !== view.self) ?? draining[0];
    if (member === undefined) return undefined;
    const kept = voters.filter((voter) => voter !== member);
    const by = this.#choose(now, view, { kept, count: 1 })[0];
    if (by === undefined) return undefined;
    const next = [...kept, by].sort();
    if (!this.#hasLiveMajority(view, voters) || !this.#hasLiveMajority(view, next)) {
      return undefined;
    }
    return {
      kind: 'reconfigure',
      voters: next,
      learners: learners.filter((learner) => learner !== by),
      events: [{ name: 'voter.relieved', member, by }],
    };
  }

  /** Brings the group up to its target in one joint change, so the count stays odd. */
  #promote(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    const { voters, learners } = view.election.config;
    const missing = view.control.targetVoters - voters.length;
    if (missing <= 0) return undefined;
    const promoted = this.#choose(now, view, { kept: voters, count: missing });
    // With an even number on hand the group grows by as many as keep it odd.
    const count = promoted.length - ((voters.length + promoted.length + 1) % 2);
    if (count <= 0) return undefined;
    const chosen = promoted.slice(0, count);
    const next = [...voters, ...chosen].sort();
    if (!this.#hasLiveMajority(view, next)) return undefined;
    return {
      kind: 'reconfigure',
      voters: next,
      learners: learners.filter((learner) => !chosen.includes(learner)),
      events: chosen.map((member) => ({ name: 'voter.promoted', member })),
    };
  }

  #tendLearners(now: Instant, view: AutopilotView): AutopilotAction | undefined {
    const { voters, learners } = view.election.config;
    const waiting = view.control.members
      .filter((member) => member.status === 'normal' || member.status === 'draining')
      .map((member) => member.nodeId)
      .filter((id) => !voters.includes(id) && !learners.includes(id))
      .filter((id) => viewOf(view, id)?.liveness === 'alive');
    const gone = learners.filter((learner) => this.#isGone(now, view, learner));
    const kept = learners.filter((learner) => !gone.includes(learner));
    const added = waiting.slice(0, LIMITS.learnersMax - kept.length);
    // A dead learner costs nothing until somebody else could use its place.
    const removed = gone.filter((learner) => isUnregistered(view, learner) || waiting.length > 0);
    if (added.length === 0 && removed.length === 0) return undefined;
    const next = learners.filter((learner) => !removed.includes(learner));
    const fits = added.slice(0, LIMITS.learnersMax - next.length);
    return {
      kind: 'reconfigure',
      voters,
      learners: [...next, ...fits].sort(),
      events: [
        ...removed.map((member) => ({ name: 'learner.removed', member }) as const),
        ...fits.map((member) => ({ name: 'learner.added', member }) as const),
      ],
    };
  }

  // How members are judged.

  /** The best learners to promote: stable and caught up, in zones with the fewest votes. */
  #choose(
    now: Instant,
    view: AutopilotView,
    wanted: { kept: readonly NodeId[]; count: number },
  ): readonly NodeId[] {
    const zoneOf = (id: NodeId): string => viewOf(view, id)?.meta.zone ?? '';
    const stable = view.election.config.learners
      .filter((learner) => this.#isStable(now, learner) && !isDraining(view, learner))
      .map((nodeId) => ({ nodeId, zone: zoneOf(nodeId) }));
    const kept = wanted.kept.map((nodeId) => ({ nodeId, zone: zoneOf(nodeId) }));
    // The votes that stay come first in each zone, so the picks beyond them are the fairest.
    const spread = spreadOverZones([...kept, ...stable], kept.length + stable.length);
    return spread.filter((id) => !wanted.kept.includes(id)).slice(0, wanted.count);
  }

  #noteHealth(now: Instant, view: AutopilotView): void {
    const { config } = view.election;
    const group = new Set([...config.voters, ...config.learners]);
    for (const id of this.#healthySince.keys()) if (!group.has(id)) this.#healthySince.delete(id);
    for (const id of group) {
      if (!this.#isHealthy(now, view, id)) this.#healthySince.delete(id);
      else if (!this.#healthySince.has(id)) this.#healthySince.set(id, now);
    }
  }

  #isHealthy(now: Instant, view: AutopilotView, id: NodeId): boolean {
    const member = viewOf(view, id);
    if (member?.liveness !== 'alive' || member.unstable || member.meta.clockSuspect) return false;
    if (member.meta.loopLagP99Ms > AUTOPILOT.loopLagMsMax) return false;
    if (isUnregistered(view, id)) return false;
    if (id === view.self) return true;
    const progress = view.progress.find(({ peer }) => peer === id);
    if (progress === undefined || progress.lastContactMs > AUTOPILOT.contactMsMax) {
      return false;
    }
    if (broken('raft.catch-up-before-promotion')) return true;
    return view.election.commit - progress.match <= AUTOPILOT.entriesBehindMax;
  }

  #isStable(now: Instant, id: NodeId): boolean {
    const since = this.#healthySince.get(id);
    if (since === undefined || this.#leadingSince === undefined) return false;
    // A new leader has watched nobody for long; waiting would delay every election's repair.
    return now - since >= AUTOPILOT.stableMs || now - this.#leadingSince < AUTOPILOT.stableMs;
  }

  #isGone(now: Instant, view: AutopilotView, id: NodeId): boolean {
    if (id === view.self) return false;
    if (isUnregistered(view, id)) return true;
    const member = viewOf(view, id);
    return member?.liveness === 'dead' && now - member.sinceMs >= AUTOPILOT.deadVoterMs;
  }

  #hasLiveMajority(view: AutopilotView, voters: readonly NodeId[]): boolean {
    const live = voters.filter((voter) => viewOf(view, voter)?.liveness === 'alive');
    return live.length > voters.length / 2;
  }
}

function viewOf(view: AutopilotView, id: NodeId): MemberView | undefined {
  return view.members.find((member) => member.nodeId === id);
}

function isDraining(view: AutopilotView, id: NodeId): boolean {
  return view.control.members.some(({ nodeId, status }) => nodeId === id && status === 'draining');
}

function isUnregistered(view: AutopilotView, id: NodeId): boolean {
  const status = view.control.members.find((member) => member.nodeId === id)?.status;
  return status === undefined || status === 'left' || status === 'expelled';
}
