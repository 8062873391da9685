import type { Random } from '../random.ts';
import type { Member } from './member.ts';
import type { MemberTable } from './member-table.ts';

/** In groups up to this size everybody checks a suspect next; above, about so many of them. */
const CHECKERS = 30;

/**
 * Whom to probe next: everybody once per round, in an order shuffled anew each round.
 *
 * Round-robin bounds how long a dead member can stay unprobed; plain random choice does not
 * (SWIM, section 4.3). A member that others suspect goes first: the probe is sent anyway, and
 * asking the suspect brings the second and third opinion within an interval instead of a round.
 */
export class ProbeList {
  readonly #table: MemberTable;
  readonly #random: Random;
  readonly #urgent = new Set<Member>();
  #round: Member[] = [];
  #at = 0;

  constructor(table: MemberTable, random: Random) {
    this.#table = table;
    this.#random = random;
  }

  /** A member became active: it gets a random place in what is left of this round. */
  add(member: Member): void {
    const round = this.#round;
    round.push(member);
    const place = this.#at + this.#random.below(round.length - this.#at);
    round[round.length - 1] = round[place] as Member;
    round[place] = member;
    if (round.length > 2 * this.#table.activeCount + 16) this.#shuffle();
  }

  /** Probes this member next, if this node is among those that should. */
  urge(member: Member): void {
    const chance = CHECKERS / this.#table.activeCount;
    if (chance >= 1 || this.#random.chance(chance)) this.#urgent.add(member);
  }

  next(): Member | undefined {
    for (const member of this.#urgent) {
      this.#urgent.delete(member);
      if (member.isActive) return member;
    }
    for (let rounds = 0; rounds < 2; rounds += 1) {
      while (this.#at < this.#round.length) {
        const member = this.#round[this.#at++] as Member;
        if (member.isActive) return member;
      }
      this.#shuffle();
    }
    return undefined;
  }

  #shuffle(): void {
    this.#round = this.#random.shuffled(this.#table.active);
    this.#at = 0;
  }
}
