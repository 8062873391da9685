import type { LogIndex, NodeId } from '@memgrid/protocol';
import { RaftChecks, type Violation } from './raft-checks.ts';
import { type Host, RaftGroup, type RaftGroupOptions } from './raft-group.ts';

type Fault =
  | 'partitions'
  | 'oneWayCuts'
  | 'crashes'
  | 'pauses'
  | 'resets'
  | 'falseDeaths'
  | 'reconfigurations'
  | 'transfers'
  | 'compactions'
  | 'slowDisks'
  | 'leaderCrashes';

const FAULTS: readonly Fault[] = [
  'partitions',
  'oneWayCuts',
  'crashes',
  'pauses',
  'resets',
  'falseDeaths',
  'reconfigurations',
  'transfers',
  'compactions',
  'slowDisks',
  'leaderCrashes',
];

/** How a storm went. */
export interface StormReport {
  readonly violations: readonly Violation[];
  /** What did not happen although the weather was good again; undefined: all is well. */
  readonly stuck: string | undefined;
  readonly seen: ReadonlyMap<string, number>;
  readonly faults: readonly Fault[];
}

/**
 * A group under a random half of all faults, then left in peace to recover.
 *
 * Each seed draws its own faults and its own weather (swarm testing, Groce et al. 2012): all at
 * once would hide what only some of them show.
 */
export class RaftStorm {
  readonly group: RaftGroup;
  readonly checks: RaftChecks;
  readonly faults: readonly Fault[];
  readonly #requests = new Map<NodeId, Set<number>>();
  /** Until when nobody mends the present split: an election on either side takes its time. */
  #splitUntil = 0;
  /** The weather is good again, and stays so. */
  #over = false;

  constructor(seed: number, overrides: Partial<RaftGroupOptions> = {}) {
    const options: RaftGroupOptions = { seed, ...shapeOf(seed), ...overrides };
    this.group = new RaftGroup(options);
    this.checks = new RaftChecks(this.group);
    const { random } = this.group;
    this.faults = FAULTS.filter(() => random.chance(0.5));
    const lossy = random.chance(0.5);
    this.group.weather = {
      latencyMsMin: 0,
      latencyMsMax: random.pick([2, 50, 50, 200]) ?? 50,
      loss: lossy ? random.between(0, 0.2) : 0,
      duplication: lossy ? random.between(0, 0.2) : 0,
      syncMsMin: 1,
      syncMsMax: this.faults.includes('slowDisks') ? 400 : 10,
    };
  }

  /** Faults for `stormMs`, then good weather. */
  run(stormMs: number): StormReport {
    const { group, checks } = this;
    for (let at = 0; at < stormMs; at += 200) {
      group.schedule(at + group.random.between(0, 200), () => this.#mischief());
      group.schedule(at + group.random.between(0, 200), () => this.#work());
    }
    for (let at = 1_000; at < stormMs; at += 1_000) {
      group.run(at, () => checks.violations.length > 0);
      checks.checkDisks();
    }
    const stuck = checks.violations.length > 0 ? undefined : this.#recover(stormMs);
    checks.checkDisks();
    return { violations: checks.violations, stuck, seen: checks.seen, faults: this.faults };
  }

  /** Heals everything; says what still does not work. */
  #recover(from: number): string | undefined {
    const { group, checks } = this;
    group.run(from);
    this.#over = true;
    group.heal();
    group.weather = { ...group.weather, latencyMsMax: 50, loss: 0, duplication: 0, syncMsMax: 10 };
    for (const host of group.hosts.values()) {
      if (host.machine === undefined) group.restart(host.id);
    }
    const led = group.run(from + 15_000, () => this.#settledLeader !== undefined);
    if (!led) return `No leader: ${this.#picture()}`;
    const before = checks.committedMax;
    // More than once: a hand-over that is still under way refuses proposals.
    for (let at = 0; at < 3_000; at += 1_000) {
      group.schedule(group.now + at, () => {
        if (group.leader !== undefined) this.#propose(group.leader);
      });
    }
    const live = group.run(group.now + 10_000, () => checks.committedMax > before && this.#agreed);
    if (!live) return `No agreement: ${this.#picture()}`;
    group.run(group.now + 5_000);
    if (checks.unanswered > 0) return `${checks.unanswered} requests were never answered.`;
    return undefined;
  }

  get #settledLeader(): Host | undefined {
    const { leader } = this.group;
    const status = leader?.machine?.status();
    if (status === undefined || status.config.votersOutgoing.length > 0) return undefined;
    return status.commit === status.lastIndex ? leader : undefined;
  }

  /** Everybody in the leader's configuration has the same committed log. */
  get #agreed(): boolean {
    const status = this.#settledLeader?.machine?.status();
    if (status === undefined) return false;
    return [...status.config.voters, ...status.config.learners].every((id) => {
      const other = this.group.host(id);
      return other.applied === status.commit && other.machine?.status().leader === status.leader;
    });
  }

  #picture(): string {
    return this.group.running
      .map(({ id, machine }) => {
        const status = machine?.status();
        return `${Number.parseInt(id, 16)}=${status?.role} t${status?.term} c${status?.commit}/${status?.lastIndex}`;
      })
      .join(', ');
  }

  #mischief(): void {
    const { group, faults } = this;
    const { random } = group;
    const fault = random.pick(faults);
    const ids = [...group.hosts.keys()];
    const victim = random.chance(0.4) ? (group.leader?.id ?? ids[0]) : random.pick(ids);
    if (fault === undefined || victim === undefined) return;
    switch (fault) {
      case 'partitions': {
        if (group.now < this.#splitUntil) return;
        group.heal();
        if (random.chance(0.5)) return;
        const shuffled = random.shuffled(ids);
        const size = random.below(shuffled.length);
        this.#splitUntil = group.now + random.between(0, 4_000);
        return group.split([shuffled.slice(0, size), shuffled.slice(size)]);
      }
      case 'oneWayCuts': {
        if (group.now < this.#splitUntil) return;
        if (random.chance(0.4)) return group.heal();
        const other = random.pick(ids);
        return other === undefined ? undefined : group.cut(victim, other);
      }
      case 'crashes':
        return this.#crashOrRestart(victim);
      case 'pauses':
        return group.pause(victim, random.pick([100, 400, 1_000, 3_000]) ?? 100);
      case 'resets': {
        const peer = random.pick(ids);
        if (peer !== undefined) group.input(victim, { kind: 'peerReset', peer });
        return;
      }
      case 'falseDeaths': {
        const peer = group.leader?.id;
        if (peer !== undefined) group.input(victim, { kind: 'peerDied', peer });
        return;
      }
      case 'reconfigurations':
        return this.#reconfigure();
      case 'transfers':
        return this.#ask(victim, 'transfer', (request) => {
          const to = random.chance(0.5) ? random.pick(ids) : undefined;
          group.input(victim, { kind: 'transfer', request, to });
        });
      case 'compactions': {
        const host = group.host(victim);
        if (host.machine === undefined || host.applied <= 1 || host.pausedUntil > group.now) return;
        const { applied: index, state } = host;
        return group.input(victim, { kind: 'compact', index: index as LogIndex, state });
      }
      case 'leaderCrashes':
        return this.#crashLeaderSoon();
      case 'slowDisks':
        return;
    }
  }

  /** In the middle of whatever it is doing, and back before anybody notices. */
  #crashLeaderSoon(): void {
    const { group } = this;
    const leader = group.leader;
    if (leader === undefined) return;
    this.#propose(leader);
    group.schedule(group.now + group.random.between(0, 60), () => {
      if (this.#over) return;
      this.#crash(leader.id);
      group.schedule(group.now + group.random.between(1, 2_500), () => group.restart(leader.id));
    });
  }

  #crash(victim: NodeId): void {
    this.group.crash(victim);
    this.checks.forget(this.#requests.get(victim) ?? []);
    this.#requests.delete(victim);
  }

  #crashOrRestart(victim: NodeId): void {
    const { group } = this;
    for (const host of group.hosts.values()) {
      if (host.machine === undefined && group.random.chance(0.6)) group.restart(host.id);
    }
    this.#crash(victim);
    if (group.random.chance(0.5)) {
      group.schedule(group.now + group.random.between(1, 2_000), () => group.restart(victim));
    }
  }

  #reconfigure(): void {
    const { group } = this;
    const { random } = group;
    const leader = group.leader;
    const config = leader?.machine?.status().config;
    if (leader === undefined || config === undefined) return;
    const everybody = [...group.hosts.keys()];
    const outside = everybody.filter((id) => !config.voters.includes(id));
    let voters: readonly NodeId[] = config.voters;
    let learners: readonly NodeId[] = config.learners;
    switch (random.below(5)) {
      case 0:
        learners = random.shuffled(outside).slice(0, 3);
        break;
      case 1:
        voters = [...config.voters, ...config.learners].slice(0, 5);
        learners = [];
        break;
      case 2:
        // A swap of one voter for all learners, or a demotion.
        voters = [...random.shuffled(config.voters).slice(1), ...config.learners].slice(0, 5);
        learners = config.voters.filter((id) => !voters.includes(id));
        break;
      case 3:
        // Everybody at once: the two majorities have nobody in common.
        voters = config.learners.length > 1 ? config.learners : config.voters;
        learners = config.voters.filter((id) => !voters.includes(id));
        break;
      default:
        voters = random.shuffled(config.voters).slice(0, Math.max(1, config.voters.length - 1));
        learners = [];
    }
    if (voters.length === 0) return;
    const ask = (): void =>
      this.#ask(leader.id, 'reconfigure', (request) =>
        group.input(leader.id, { kind: 'reconfigure', request, voters, learners }),
      );
    if (!this.faults.includes('partitions') || random.chance(0.6)) return ask();
    // A split between the old majority and the new one is the worst moment for a change.
    const incoming = voters.filter((id) => !config.voters.includes(id));
    const islands = [incoming, everybody.filter((id) => !incoming.includes(id))];
    const cut = (): void => {
      if (this.#over) return;
      this.#splitUntil = group.now + 6_000;
      group.heal();
      group.split(islands);
    };
    // Either in the middle of it, or so that only the new half hears of it.
    group.schedule(group.now + random.between(0, 300), cut);
    if (random.chance(0.5)) {
      for (const id of config.voters) if (id !== leader.id) group.cut(leader.id, id);
    }
    ask();
  }

  #work(): void {
    const { group } = this;
    const host = group.random.pick(group.running);
    if (host === undefined) return;
    if (group.random.chance(0.3)) {
      this.#ask(host.id, 'read', (request) => group.input(host.id, { kind: 'readIndex', request }));
    } else {
      this.#propose(host);
    }
  }

  #propose(host: Host): void {
    this.#ask(host.id, 'propose', (request) => {
      const command = this.group.random.bytes(4);
      this.group.input(host.id, { kind: 'propose', request, command });
    });
  }

  #ask(id: NodeId, kind: string, give: (request: number) => void): void {
    if (this.group.host(id).machine === undefined) return;
    const request = this.group.request();
    const requests = this.#requests.get(id) ?? new Set();
    requests.add(request);
    this.#requests.set(id, requests);
    this.checks.asked(request, kind);
    give(request);
  }
}

function shapeOf(seed: number): Pick<RaftGroupOptions, 'voters' | 'outsiders' | 'config'> {
  const voters = [1, 3, 3, 5][seed % 4] ?? 3;
  // A short log behind the snapshot, so that snapshots are needed often.
  const appendEntriesMax = seed % 3 === 0 ? 64 : 1;
  const config = { trailingEntries: 5, snapshotChunkBytes: 2, appendEntriesMax };
  return { voters, outsiders: 3, config };
}
