import { invariant } from '../assert.ts';

/** Far more than any honest step needs; a circle gets there in a moment. */
const ROUNDS_MAX = 1_000;

/**
 * What machines of one composition cause in each other, first come, first served. Machines that feed
 * each other in a circle are a mistake of ours, found at once and not by a full disk.
 *
 * Counted are rounds, each of which is all that the round before caused: one step may rightly cause
 * an effect for each of 4,096 shards.
 */
export class EffectQueue<Effect> {
  #waiting: Effect[] = [];
  #head = 0;
  /** Where the present round ends. */
  #roundEnd = 0;
  #rounds = 0;

  add(effect: Effect): void {
    this.#waiting.push(effect);
  }

  /** @throws InvariantError in the 1,001st round without a call of `settled`. */
  take(): Effect | undefined {
    if (this.#head >= this.#roundEnd) this.#beginRound();
    const effect = this.#waiting[this.#head];
    if (effect !== undefined) this.#head += 1;
    return effect;
  }

  /** The step is over. */
  settled(): void {
    this.#rounds = 0;
  }

  #beginRound(): void {
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
    this.#roundEnd = this.#waiting.length;
    if (this.#roundEnd > 0) this.#rounds += 1;
    invariant(this.#rounds <= ROUNDS_MAX, `More than ${ROUNDS_MAX} rounds of effects in one step.`);
  }
}
