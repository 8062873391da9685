import { invariant } from '../assert.ts';

/** Far more than any honest step needs. */
const HOPS_MAX = 10_000;

/**
 * What machines of one composition cause in each other, first come, first served. Machines that feed
 * each other in a circle are a mistake of ours, found at once and not by a full disk.
 */
export class EffectQueue<Effect> {
  #waiting: Effect[] = [];
  #head = 0;
  #hops = 0;

  add(effect: Effect): void {
    this.#waiting.push(effect);
  }

  /** @throws InvariantError after 10,000 effects without a call of `settled`. */
  take(): Effect | undefined {
    const effect = this.#waiting[this.#head];
    if (effect === undefined) {
      this.#waiting = [];
      this.#head = 0;
      return undefined;
    }
    this.#head += 1;
    this.#hops += 1;
    invariant(this.#hops <= HOPS_MAX, `More than ${HOPS_MAX} effects inside one step.`);
    return effect;
  }

  /** The step is over. */
  settled(): void {
    this.#hops = 0;
  }
}
