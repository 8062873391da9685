import type { MemberBody, StatusBody } from '@memgrid/node';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Everybody } from './everybody.ts';

/** One glance at a cluster, made from what each of its nodes says. */
export interface ClusterVerdict {
  readonly clusterId: string | null;
  /** Undisputed among those with the highest term; null when there is none. */
  readonly coordinator: string | null;
  readonly term: number | null;
  /** Whether all nodes that answered name the same cluster and the same coordinator. */
  readonly agreed: boolean;
  readonly voters: VotersVerdict;
  /** What is wrong, one sentence each; empty when the cluster is well. */
  readonly problems: readonly string[];
  /** Ids of alive members that did not answer. */
  readonly missing: readonly string[];
  readonly answeredBy: readonly string[];
  readonly exitCode: ExitCode;
}

interface VotersVerdict {
  readonly target: number | null;
  readonly total: number;
  readonly alive: number;
  /** How many must be alive for anything to be decided. */
  readonly majority: number;
}

/** The first eight digits: enough to tell members apart on a screen. */
export function shortName(id: string): string {
  return id.slice(0, 8);
}

/** Judges a cluster. Pure: it is given everything it looks at. */
export function verdictOf({ first, answers }: Everybody<StatusBody>): ClusterVerdict {
  const members = answers.map(({ member }) => member);
  const bodies = answers.flatMap(({ body }) => (body === undefined ? [] : [body]));
  // Undecided members of one zone of time: whoever has seen the highest term knows best.
  const term = highestTerm(bodies);
  const newest = bodies.filter(({ raft }) => (raft?.term ?? 0) === (term ?? 0));
  const named = distinct(newest.map(({ coordinator }) => coordinator));
  const coordinator = named.length === 1 ? (named[0] ?? null) : null;
  const agreed =
    agreedOn(bodies, ({ clusterId }) => clusterId) &&
    agreedOn(bodies, ({ coordinator: name }) => name);
  const voters = votersOf(
    bodies.find((body) => body.coordinator === body.nodeId) ?? first,
    members,
  );
  const missing = answers
    .filter(({ member, body }) => body === undefined && member.liveness === 'alive')
    .filter(({ member }) => member.httpAddress !== '' && member.httpAddress !== 'none')
    .map(({ member }) => member.nodeId);
  const problems = [
    ...coordinatorProblems(first, bodies, coordinator),
    ...disagreements(bodies),
    ...memberProblems(members),
    ...voterProblems(voters),
    ...bodies
      .filter(({ clock }) => clock.suspect)
      .map(({ nodeId }) => `The clock of ${shortName(nodeId)} is far from the others.`),
  ];
  return {
    clusterId: first.clusterId,
    coordinator,
    term,
    agreed,
    voters,
    problems,
    missing,
    answeredBy: bodies.map(({ nodeId }) => nodeId),
    exitCode: missing.length > 0 ? EXIT.partial : problems.length > 0 ? EXIT.degraded : EXIT.good,
  };
}

function highestTerm(bodies: readonly StatusBody[]): number | null {
  const terms = bodies.flatMap(({ raft }) => (raft === null ? [] : [raft.term]));
  return terms.length === 0 ? null : Math.max(...terms);
}

function votersOf(source: StatusBody, members: readonly MemberBody[]): VotersVerdict {
  const ids = source.raft?.voters ?? [];
  const alive = ids.filter((id) =>
    members.some(({ nodeId, liveness }) => nodeId === id && liveness === 'alive'),
  ).length;
  const majority = ids.length === 0 ? 0 : Math.floor(ids.length / 2) + 1;
  return { target: source.targetVoters, total: ids.length, alive, majority };
}

function coordinatorProblems(
  first: StatusBody,
  bodies: readonly StatusBody[],
  coordinator: string | null,
): readonly string[] {
  if (coordinator !== null) {
    const silent = !bodies.some(({ nodeId }) => nodeId === coordinator);
    return silent ? [`The coordinator ${shortName(coordinator)} does not answer.`] : [];
  }
  return [first.waitingFor ?? 'No coordinator: an election is under way or has no majority.'];
}

function disagreements(bodies: readonly StatusBody[]): readonly string[] {
  const clusters = distinct(bodies.map(({ clusterId }) => clusterId ?? 'none'));
  const names = distinct(bodies.map(({ coordinator }) => coordinator ?? 'none'));
  return [
    ...(clusters.length > 1 ? [`Nodes belong to different clusters: ${clusters.join(', ')}.`] : []),
    ...(names.length > 1
      ? [`Nodes name different coordinators: ${names.map(shortName).join(', ')}.`]
      : []),
  ];
}

function memberProblems(members: readonly MemberBody[]): readonly string[] {
  return members.flatMap(({ nodeId, address, liveness, status, unstable }) => {
    const name = `${shortName(nodeId)} at ${address}`;
    if (liveness === 'dead' || liveness === 'suspect') return [`${name} is ${liveness}.`];
    if (liveness === null && status === 'normal') return [`${name} has not been heard of yet.`];
    return unstable ? [`${name} is unstable: suspected and refuted too often.`] : [];
  });
}

function voterProblems({ total, alive, majority, target }: VotersVerdict): readonly string[] {
  if (total === 0) return [];
  if (alive < majority) {
    return [`${alive} of ${total} voters are alive; ${majority} are needed to decide anything.`];
  }
  // A group of one or two voters tolerates nothing even when it is well: that is no news.
  if (alive < total && alive === majority) {
    return [`${alive} of ${total} voters are alive: one more loss and nothing can be decided.`];
  }
  if (target !== null && total < target) return [`${total} of ${target} wanted voters exist.`];
  return [];
}

function agreedOn(
  bodies: readonly StatusBody[],
  pick: (body: StatusBody) => string | null,
): boolean {
  const picked = bodies.map(pick);
  return picked.every((one) => one !== null && one === picked[0]);
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
