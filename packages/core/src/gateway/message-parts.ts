/** What one message may hold. */
export interface MessageBounds {
  readonly countMax: number;
  readonly bytesMax: number;
}

/** Items for one destination in order, cut into messages of at most so many items and, where an item fits, bytes. */
export class MessageParts<T> {
  readonly #bounds: MessageBounds;
  readonly #parts: T[][] = [];
  #last: T[] = [];
  #lastBytes = 0;

  constructor(bounds: MessageBounds) {
    this.#bounds = bounds;
  }

  add(item: T, bytes: number): void {
    const { countMax, bytesMax } = this.#bounds;
    const count = this.#last.length;
    const isFull = count >= countMax || this.#lastBytes + bytes > bytesMax;
    if (count === 0 || isFull) {
      this.#last = [];
      this.#lastBytes = 0;
      this.#parts.push(this.#last);
    }
    this.#last.push(item);
    this.#lastBytes += bytes;
  }

  /** In order; none of them is empty. */
  get parts(): readonly (readonly T[])[] {
    return this.#parts;
  }
}
