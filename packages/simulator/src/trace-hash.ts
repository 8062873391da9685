/**
 * A running 64-bit hash of everything that happened, in two 32-bit lanes.
 *
 * Two runs of one seed must end with the same text; a different one means that something outside
 * the seed (a clock, an unordered collection) took part. Not cryptographic.
 */
export class TraceHash {
  #high = 0x6a09e667;
  #low = 0xbb67ae85;

  /** Takes a whole number in; numbers past 32 bits count with their upper half as well. */
  number(value: number): void {
    this.#word(value | 0);
    if (value > 0xffff_ffff || value < 0) this.#word((value / 0x1_0000_0000) | 0);
  }

  text(value: string): void {
    for (let at = 0; at < value.length; at += 1) this.#word(value.charCodeAt(at));
    this.#word(value.length);
  }

  bytes(value: Uint8Array): void {
    const whole = value.length & ~3;
    let at = 0;
    for (; at < whole; at += 4) {
      this.#word(
        (value[at] as number) |
          ((value[at + 1] as number) << 8) |
          ((value[at + 2] as number) << 16) |
          ((value[at + 3] as number) << 24),
      );
    }
    for (; at < value.length; at += 1) this.#word(value[at] as number);
    this.#word(value.length);
  }

  /** 16 hex digits. */
  toString(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #word(word: number): void {
    const high = Math.imul(this.#high ^ word, 0x85ebca6b);
    const low = Math.imul(this.#low ^ word, 0xc2b2ae35);
    // Each lane is fed the other's upper bits: two independent 32-bit hashes would be weaker.
    this.#high = ((high << 13) | (high >>> 19)) ^ (low >>> 7);
    this.#low = ((low << 17) | (low >>> 15)) ^ (high >>> 11);
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
