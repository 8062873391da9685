import type { MemberView, NodeStatus, RegisteredMember } from '@memgrid/core';

/** `/cluster/status`: what this node knows of its cluster, for scripts and the command line. */
export interface StatusBody {
  readonly nodeId: string;
  readonly generation: number;
  readonly version: string;
  readonly phase: NodeStatus['phase'];
  readonly clusterId: string | null;
  readonly address: string;
  readonly httpAddress: string;
  /** Why there is no cluster or no coordinator; null when there is. */
  readonly waitingFor: string | null;
  readonly coordinator: string | null;
  readonly level: string | null;
  readonly controlIndex: number | null;
  readonly targetVoters: number | null;
  readonly features: Readonly<Record<string, string>>;
  readonly raft: RaftBody | null;
  readonly members: MembersCount;
  readonly healthScore: number;
  readonly connectedPeers: readonly string[];
  readonly clock: { readonly suspect: boolean; readonly remoteAheadCount: number };
}

export interface RaftBody {
  readonly role: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

export interface MembersCount {
  readonly alive: number;
  readonly suspect: number;
  readonly dead: number;
  readonly left: number;
}

/** One line of `/cluster/members`: the registry and gossip side by side. */
export interface MemberBody {
  readonly nodeId: string;
  readonly address: string;
  readonly httpAddress: string;
  readonly zone: string;
  readonly weight: number;
  readonly generation: number;
  /** As gossip sees it here; null when this node has not heard of it yet. */
  readonly liveness: MemberView['liveness'] | null;
  /** As committed; null when it is not registered. */
  readonly status: RegisteredMember['status'] | null;
  readonly role: 'coordinator' | 'voter' | 'learner' | 'none';
  readonly unstable: boolean;
  readonly self: boolean;
  readonly loopLagP99Ms: number | null;
  readonly heapPercent: number | null;
}

export function statusBody(status: NodeStatus, version: string): StatusBody {
  const { control } = status;
  return {
    nodeId: status.nodeId,
    generation: status.generation,
    version,
    phase: status.phase,
    clusterId: status.clusterId ?? null,
    address: status.address,
    httpAddress: status.httpAddress,
    waitingFor: status.waitingFor ?? null,
    coordinator: status.coordinator ?? null,
    level: control?.level ?? null,
    controlIndex: control?.index ?? null,
    targetVoters: control?.targetVoters ?? null,
    features: control?.features ?? {},
    raft: raftBody(status),
    members: membersCount(status),
    healthScore: status.healthScore,
    connectedPeers: status.connectedPeers,
    clock: { suspect: status.clock.suspect, remoteAheadCount: status.clock.remoteAheadCount },
  };
}

/** Everybody in the registry or in gossip, by node id. */
export function membersBody(status: NodeStatus): MemberBody[] {
  const seen = new Map(status.members.map((member) => [member.nodeId, member]));
  const registered = new Map(status.control?.members.map((member) => [member.nodeId, member]));
  const ids = [...new Set([...seen.keys(), ...registered.keys()])].toSorted();
  return ids.map((nodeId) => {
    const view = seen.get(nodeId);
    const record = registered.get(nodeId);
    return {
      nodeId,
      address: view?.meta.address ?? record?.address ?? '',
      httpAddress: view?.meta.httpAddress ?? '',
      zone: view?.meta.zone ?? record?.zone ?? '',
      weight: view?.meta.weight ?? record?.weight ?? 0,
      generation: Math.max(view?.generation ?? 0, record?.generation ?? 0),
      liveness: view?.liveness ?? null,
      status: record?.status ?? null,
      role: roleOf(status, nodeId),
      unstable: view?.unstable ?? false,
      self: nodeId === status.nodeId,
      loopLagP99Ms: view?.meta.loopLagP99Ms ?? null,
      heapPercent: view?.meta.heapPercent ?? null,
    };
  });
}

function roleOf(status: NodeStatus, nodeId: NodeStatus['nodeId']): MemberBody['role'] {
  if (status.coordinator === nodeId) return 'coordinator';
  const config = status.election?.config;
  if (config?.voters.includes(nodeId) === true) return 'voter';
  return config?.learners.includes(nodeId) === true ? 'learner' : 'none';
}

function raftBody({ election }: NodeStatus): RaftBody | null {
  if (election === undefined) return null;
  const { role, term, commit, applied, lastIndex, config } = election;
  return {
    role,
    term,
    commit,
    applied,
    lastIndex,
    voters: config.voters,
    learners: config.learners,
  };
}

function membersCount(status: NodeStatus): MembersCount {
  const count = { alive: 0, suspect: 0, dead: 0, left: 0 };
  for (const { liveness } of status.members) count[liveness] += 1;
  return count;
}
