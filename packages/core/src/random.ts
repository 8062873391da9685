import { invariant } from './assert.ts';

/**
 * A seeded generator that can be split by name.
 *
 * Split streams are independent: an extra draw in one place does not shift the numbers of any
 * other, so a small change of the code leaves the rest of a simulated day as it was.
 * The generator is sfc32 (Chris Doty-Humphrey's PractRand suite); streams are derived by hashing
 * the parent's key and the name with two lanes of murmur3's finaliser.
 */
export class Random {
  readonly #keyA: number;
  readonly #keyB: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  private constructor(keyA: number, keyB: number) {
    this.#keyA = keyA >>> 0;
    this.#keyB = keyB >>> 0;
    this.#a = this.#keyA;
    this.#b = this.#keyB;
    this.#c = mix(this.#keyA ^ 0x9e3779b9, this.#keyB);
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** @param seed any finite number; its integer part and sign matter. */
  static of(seed: number): Random {
    invariant(Number.isFinite(seed), `A seed must be a finite number, not ${seed}.`);
    const whole = Math.trunc(seed);
    const low = whole >>> 0;
    const high = Math.floor(whole / 0x1_0000_0000) >>> 0;
    return new Random(mix(low, 0x243f6a88), mix(high, low ^ 0x85a308d3));
  }

  /** A generator of its own, the same for the same seed and name. Draws nothing from this one. */
  split(name: string): Random {
    let a = this.#keyA;
    let b = this.#keyB;
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      a = mix(a, code + at);
      b = mix(b ^ a, code);
    }
    return new Random(mix(a, name.length), mix(b, a));
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    invariant(
      Number.isSafeInteger(bound) && bound > 0 && bound <= 0x1_0000_0000,
      `A bound must be a whole number from 1 to 2^32, not ${bound}.`,
    );
    return Math.floor(this.unit() * bound);
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.below(items.length)];
  }

  /** A new array in random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let at = result.length - 1; at > 0; at -= 1) {
      const other = this.below(at + 1);
      const held = result[at] as T;
      result[at] = result[other] as T;
      result[other] = held;
    }
    return result;
  }

  /** 128 random bits as 32 lower-case hex digits: the form of node and cluster ids. */
  hex128(): string {
    let text = '';
    for (let lane = 0; lane < 4; lane += 1) text += this.uint32().toString(16).padStart(8, '0');
    return text;
  }

  bytes(count: number): Uint8Array {
    const result = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) result[at] = this.uint32() & 0xff;
    return result;
  }
}

function mix(value: number, salt: number): number {
  let h = (value ^ Math.imul(salt, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
