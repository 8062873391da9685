import type { Liveness, MemberUpdate } from '@memgrid/protocol';
import { broken } from '#breaks';

/**
 * How an update came: as a rumour, or as a line of a peer's whole table. A table also holds
 * verdicts that one sick node reached alone, so its deaths are believed with a delay.
 */
export type Channel = 'gossip' | 'table';

export type Known = 'unknown' | Liveness;

/** An update's life and incarnation against those that we hold. */
export type Relation = 'olderLife' | 'older' | 'same' | 'newer' | 'newerLife';

/** What to do with an update about another member. */
export type MergeVerdict =
  /** Nothing new. */
  | 'ignore'
  /** Believe it as it is, and pass it on. */
  | 'adopt'
  /** Believe it, but give the member its time to answer. */
  | 'adoptAsSuspect'
  /** One more voice for a suspicion that we hold. */
  | 'confirm'
  /** The speaker is behind: tell it what we hold, so that the member hears of it and can refute. */
  | 'answer'
  /** A member that we do not know: believe it if it can be dialled, else only pass it on. */
  | 'introduce'
  /** The member said goodbye: believe it if the key fits. */
  | 'checkLeave';

type Line = Readonly<Record<Exclude<Relation, 'olderLife'>, MergeVerdict>>;
type Rules = Readonly<Record<Liveness, Readonly<Record<Liveness, Line>>>>;

const IGNORE: Line = { older: 'ignore', same: 'ignore', newer: 'ignore', newerLife: 'adopt' };
const LEAVE: Line = {
  older: 'checkLeave',
  same: 'checkLeave',
  newer: 'checkLeave',
  newerLife: 'checkLeave',
};
const REFUTES: Line = { older: 'answer', same: 'answer', newer: 'adopt', newerLife: 'adopt' };
const WORSENS: Line = { older: 'ignore', same: 'adopt', newer: 'adopt', newerLife: 'adopt' };
const ONLY_NEWER: Line = { older: 'ignore', same: 'ignore', newer: 'adopt', newerLife: 'adopt' };
const CONFIRMS: Line = { older: 'ignore', same: 'confirm', newer: 'adopt', newerLife: 'adopt' };
const NEVER_IN_THIS_LIFE: Line = {
  older: 'answer',
  same: 'answer',
  newer: 'answer',
  newerLife: 'adopt',
};
const STILL_LEFT: Line = { ...LEAVE, older: 'ignore', same: 'ignore', newer: 'ignore' };

/** `RULES[what we hold][what is said][relation]` for a rumour. */
const RULES: Rules = {
  alive: { alive: ONLY_NEWER, suspect: WORSENS, dead: WORSENS, left: LEAVE },
  suspect: { alive: REFUTES, suspect: CONFIRMS, dead: WORSENS, left: LEAVE },
  dead: { alive: REFUTES, suspect: ONLY_NEWER, dead: ONLY_NEWER, left: LEAVE },
  left: { alive: NEVER_IN_THIS_LIFE, suspect: IGNORE, dead: IGNORE, left: STILL_LEFT },
};

/**
 * Decides what an update about another member means: the whole merge order of SWIM in one table,
 * (generation, incarnation, severity) first.
 */
export function mergeVerdict(
  known: Known,
  update: MemberUpdate,
  context: { readonly relation: Relation; readonly channel: Channel },
): MergeVerdict {
  const said = update.liveness;
  const { relation, channel } = context;
  if (known === 'unknown') return said === 'left' ? 'ignore' : 'introduce';
  if (relation === 'olderLife') {
    return said === 'alive' && known !== 'alive' ? unlessBroken('answer') : 'ignore';
  }
  if (said === 'alive' && broken('membership.incarnation-order')) return 'adopt';
  const verdict = RULES[known][said][relation];
  if (verdict === 'answer') return unlessBroken(verdict);
  return channel === 'table' && said === 'dead' ? softened(known, relation, verdict) : verdict;
}

/** A death read in a peer's table is an accusation, not a verdict. See DESIGN.md, M11. */
function softened(known: Liveness, relation: Relation, verdict: MergeVerdict): MergeVerdict {
  if (broken('membership.remote-dead-enters-as-suspect') || verdict !== 'adopt') return verdict;
  // It is dead here already: only its incarnation moves, and no member loses anything.
  if (known === 'dead' && relation === 'newer') return 'adopt';
  return known === 'suspect' && relation === 'same' ? 'confirm' : 'adoptAsSuspect';
}

function unlessBroken(verdict: MergeVerdict): MergeVerdict {
  return broken('membership.answer-stale-alive') ? 'ignore' : verdict;
}

/** Where an update stands against the one that we hold about the same member. */
export function relationOf(held: MemberUpdate, said: MemberUpdate): Relation {
  if (said.generation !== held.generation && !broken('membership.new-generation-retires-old')) {
    return said.generation > held.generation ? 'newerLife' : 'olderLife';
  }
  if (said.incarnation === held.incarnation) return 'same';
  return said.incarnation > held.incarnation ? 'newer' : 'older';
}

const SEVERITY: Readonly<Record<Liveness, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** The order of updates about one member: life, then incarnation, then severity. */
export function outranks(a: MemberUpdate, b: MemberUpdate): boolean {
  if (a.generation !== b.generation) return a.generation > b.generation;
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation;
  return SEVERITY[a.liveness] > SEVERITY[b.liveness];
}
