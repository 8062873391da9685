import { memberUpdateBytes } from '@memgrid/protocol';
import type { MemberUpdate } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { accusationOf } from './beliefs.ts';
import type { Dissemination } from './dissemination.ts';
import type { Member } from './member.ts';

const NOTHING: readonly MemberUpdate[] = [];

/** Fills the room in a message: what the receiver is accused of first, answers, then news. */
export class Courier {
  readonly #dissemination: Dissemination;
  readonly #bytesMax: number;

  constructor(dissemination: Dissemination, bytesMax: number) {
    this.#dissemination = dissemination;
    this.#bytesMax = bytesMax;
  }

  load(
    now: Instant,
    to: Member | undefined,
    answers: readonly MemberUpdate[] = NOTHING,
  ): readonly MemberUpdate[] {
    // Lifeguard's buddy rule: nobody has more use for an accusation than the accused.
    const accused = to !== undefined && to.update.liveness !== 'alive';
    const accusation = accused ? accusationOf(to.update) : undefined;
    if (accusation === undefined && answers.length === 0) return this.#dissemination.take(now);
    const first: MemberUpdate[] = accusation === undefined ? [] : [accusation];
    let bytes = accusation === undefined ? 0 : memberUpdateBytes(accusation);
    for (const answer of answers) {
      bytes += memberUpdateBytes(answer);
      if (bytes > this.#bytesMax) return first;
      first.push(answer);
    }
    const news = this.#dissemination.take(now, bytes);
    return [...first, ...news.filter((update) => !first.includes(update))];
  }
}
