/** A large piece of memory that is filled from the front and given back as a whole. */
export interface Slab {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** The same memory as words, for the heads of records. */
  readonly words: Uint32Array;
  /** Bytes handed out so far. */
  used: number;
  /** Bytes of those that are still needed. */
  live: number;
  /** Grows from slab to slab: the smallest is the oldest. */
  sequence: number;
  /** Holds one record that is too large to share a slab. */
  readonly alone: boolean;
}

/** Slabs that stand ready, so that steady replacement leaves the garbage collector alone. */
const SPARE_MAX = 2;

/** A record larger than this part of a slab gets one of its own: it would waste what remains. */
const SHARE_OF_SLAB = 4;

/**
 * Memory in slabs: handed out in pieces, taken back in pieces, reused once a whole slab is empty.
 *
 * Few large buffers instead of a million small ones: the garbage collector has nothing to walk,
 * and every slab is as good as every other, so nothing is lost to gaps of the wrong size.
 */
export class Slabs {
  readonly #slabBytes: number;
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #active: Slab | undefined;
  #sequence = 0;
  /** Of all slabs in use: their size, and what of it is needed. */
  #heldBytes = 0;
  #liveBytes = 0;

  /** @param slabBytes a multiple of 4. */
  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
  }

  /** Size of the slabs in use. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes of them that are needed. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get spareBytes(): number {
    return this.#spare.length * this.#slabBytes;
  }

  /** What the spare slabs may take at most. */
  get reserveBytes(): number {
    return SPARE_MAX * this.#slabBytes;
  }

  /** Bytes that are not needed any more, in slabs that take no new ones. */
  get wasteBytes(): number {
    const active = this.#active;
    const stillFilling = active === undefined ? 0 : active.bytes.byteLength - active.live;
    return this.#heldBytes - this.#liveBytes - stillFilling;
  }

  /** The slab with the most waste, if there is any. Never the one that is being filled. */
  emptiest(): Slab | undefined {
    let best: Slab | undefined;
    let most = 0;
    for (const slab of this.#slabs) {
      if (slab === undefined || slab === this.#active) continue;
      const waste = slab.bytes.byteLength - slab.live;
      if (waste <= most) continue;
      best = slab;
      most = waste;
    }
    return best;
  }

  /** The slab that was begun or renewed longest ago. Never the one that is being filled. */
  oldest(): Slab | undefined {
    let best: Slab | undefined;
    for (const slab of this.#slabs) {
      if (slab === undefined || slab === this.#active) continue;
      if (best === undefined || slab.sequence < best.sequence) best = slab;
    }
    return best;
  }

  /** Makes a slab the youngest. */
  renew(slab: Slab): void {
    slab.sequence = this.#sequence += 1;
  }

  at(number: number): Slab {
    return this.#slabs[number] as Slab;
  }

  /**
   * A piece of `size` bytes, a multiple of 4: the last ones handed out of the slab returned, so
   * it begins at `used - size`. Its bytes are undefined.
   */
  allocate(size: number): Slab {
    const slab = this.#slabFor(size);
    slab.used += size;
    slab.live += size;
    this.#liveBytes += size;
    return slab;
  }

  /** `size` bytes of a slab are not needed any more. @returns whether the slab is gone with them. */
  release(slab: Slab, size: number): boolean {
    slab.live -= size;
    this.#liveBytes -= size;
    if (slab.live > 0 || slab === this.#active) return false;
    this.#slabs[slab.number] = undefined;
    this.#freeNumbers.push(slab.number);
    this.#heldBytes -= slab.bytes.byteLength;
    if (!slab.alone && this.#spare.length < SPARE_MAX) {
      this.#spare.push(slab.bytes.buffer as ArrayBuffer);
    }
    return true;
  }

  #slabFor(size: number): Slab {
    if (size > this.#slabBytes / SHARE_OF_SLAB) return this.#begin(new ArrayBuffer(size), true);
    const active = this.#active;
    if (active !== undefined && active.used + size <= this.#slabBytes) return active;
    const next = this.#begin(this.#spare.pop() ?? new ArrayBuffer(this.#slabBytes), false);
    this.#active = next;
    // Emptied while it was being filled: nobody else would give it back.
    if (active?.live === 0) this.release(active, 0);
    return next;
  }

  #begin(buffer: ArrayBuffer, alone: boolean): Slab {
    const slab: Slab = {
      number: this.#freeNumbers.pop() ?? this.#slabs.length,
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      used: 0,
      live: 0,
      sequence: (this.#sequence += 1),
      alone,
    };
    this.#slabs[slab.number] = slab;
    this.#heldBytes += buffer.byteLength;
    return slab;
  }
}
