/**
 * How much this node doubts itself: 0 is well (Lifeguard's local health multiplier).
 *
 * A node whose own loop or link is slow sees everybody else as slow. Rather than accuse them it
 * gives them more time, by as much as its own recent failures suggest. See DESIGN.md, M5.
 */
export class SelfAwareness {
  readonly #scoreMax: number;
  #score = 0;

  constructor(scoreMax: number) {
    this.#scoreMax = scoreMax;
  }

  get score(): number {
    return this.#score;
  }

  /** What to multiply an own interval or timeout with. */
  get factor(): number {
    return this.#score + 1;
  }

  /** True when the score changed. */
  adjust(delta: number): boolean {
    const before = this.#score;
    this.#score = Math.min(this.#scoreMax, Math.max(0, before + delta));
    return this.#score !== before;
  }
}
