import type { GroupConfig } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';

/** Voter counts the group may have; anything else is a change that went half way. */
const VOTER_COUNTS: ReadonlySet<number> = new Set([1, 3, 5, 7]);

/**
 * Invariant 5: each committed configuration's quorums overlap those of the one before it, the
 * number of voters is 1, 3, 5 or 7, and it never shrinks by itself.
 *
 * Every process tells of every configuration it commits, in the order of the log; only a snapshot
 * jumps over some.
 */
export function configQuorumsOverlap(): Checker {
  const latest = new Map<number, { readonly index: number; readonly config: GroupConfig }>();
  return {
    name: 'config-quorums-overlap',
    kinds: ['published'],
    observe(event: WorldEvent) {
      if (event.kind !== 'published') return undefined;
      const { process } = event.at;
      if (event.event.name === 'snapshot.installed') latest.delete(process);
      if (event.event.name !== 'group.changed') return undefined;
      const { config, index } = event.event;
      const before = latest.get(process);
      latest.set(process, { index, config });
      if (before === undefined) return undefined;
      if (index <= before.index)
        return `Committed a configuration at ${index} after ${before.index}.`;
      return stepProblem(before.config, config);
    },
    finish: () => undefined,
  };
}

function stepProblem(before: GroupConfig, after: GroupConfig): string | undefined {
  if (!overlap(before, after)) {
    return `A quorum of ${describe(before)} and one of ${describe(after)} can miss each other.`;
  }
  if (!VOTER_COUNTS.has(after.voters.length)) {
    return `${describe(after)} has ${after.voters.length} voters; only 1, 3, 5 or 7 are allowed.`;
  }
  if (after.voters.length < before.voters.length) {
    return `The group shrank by itself from ${describe(before)} to ${describe(after)}.`;
  }
  return undefined;
}

/** Some majority that `a` needs and some majority that `b` needs always share a member. */
function overlap(a: GroupConfig, b: GroupConfig): boolean {
  return setsOf(a).some((x) => setsOf(b).some((y) => majoritiesMeet(x, y)));
}

function setsOf(config: GroupConfig): readonly (readonly string[])[] {
  return config.votersOutgoing.length > 0
    ? [config.voters, config.votersOutgoing]
    : [config.voters];
}

function majoritiesMeet(x: readonly string[], y: readonly string[]): boolean {
  const union = new Set([...x, ...y]).size;
  return majority(x.length) + majority(y.length) > union;
}

function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

function describe(config: GroupConfig): string {
  const names = (ids: readonly string[]): string => ids.map((id) => id.slice(0, 8)).join('+');
  const outgoing =
    config.votersOutgoing.length > 0 ? ` leaving ${names(config.votersOutgoing)}` : '';
  return `{${names(config.voters)}${outgoing}}`;
}
