import type { Expectation, WorldView } from '../checker.ts';

/**
 * Invariant 37: once the faults have ended, every node sees exactly the running nodes alive, each
 * in its present generation.
 */
export function viewsAgreeAfterHealing(withinMs: number): Expectation {
  return {
    name: 'views-agree-after-healing',
    withinMs,
    missing(view) {
      const running = new Map<string, number>();
      for (const { node, status } of view.expected) {
        if (status === undefined) return `${node} does not run.`;
        running.set(status.nodeId, status.generation);
      }
      for (const { node, status } of view.expected) {
        if (status === undefined) continue;
        const problem = viewProblem(view, status.members, running);
        if (problem !== undefined) return `${node} ${problem}`;
      }
      return undefined;
    },
  };
}

type Members = NonNullable<WorldView['expected'][number]['status']>['members'];

function viewProblem(
  view: WorldView,
  members: Members,
  running: ReadonlyMap<string, number>,
): string | undefined {
  const alive = members.filter((member) => member.liveness === 'alive');
  for (const member of alive) {
    const generation = running.get(member.nodeId);
    const name = view.nameOf(member.nodeId);
    if (generation === undefined) return `sees ${name} alive, which is not running.`;
    if (generation !== member.generation) {
      return `sees ${name} in generation ${member.generation}; it is ${generation}.`;
    }
  }
  if (alive.length === running.size) return undefined;
  const seen = new Set(alive.map((member) => member.nodeId as string));
  const unseen = [...running.keys()].filter((id) => !seen.has(id));
  const named = unseen.map((id) => {
    const member = members.find((one) => one.nodeId === id);
    return `${view.nameOf(id as never)} (${member?.liveness ?? 'unknown'})`;
  });
  return `does not see alive: ${named.join(', ')}.`;
}
