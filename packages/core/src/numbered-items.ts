import { invariant } from './assert.ts';

const PLACES_MIN = 64;

/**
 * Items by whole numbers that are handed out one after another, and are mostly gone soon.
 *
 * A `Map` that is always added to and taken from makes a new table every few hundred changes, and
 * every table points to the one after it. One of them that has come into the old generation keeps
 * all later ones alive, with what they held, until the next full collection: under load half of all
 * that a call needed survived it. This table of places never moves unless it grows: numbers that
 * follow each other have places that do, so almost every look finds its item at once. Numbers that
 * somebody else chooses may all want one place: then a look takes as many steps as there are items,
 * which has to be bounded by whoever lets them in.
 */
export class NumberedItems<T> {
  #numbers: number[] = Array<number>(PLACES_MIN).fill(0);
  #items: (T | undefined)[] = Array<T | undefined>(PLACES_MIN).fill(undefined);
  #mask = PLACES_MIN - 1;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(number: number): T | undefined {
    return this.#items[this.#placeOf(number)];
  }

  /** @param number must not be in use. */
  add(number: number, item: T & {}): void {
    if (2 * this.#count > this.#mask) this.#grow();
    const place = this.#placeOf(number);
    // The sentence is made only when it is needed.
    if (this.#items[place] !== undefined) invariant(false, `The number ${number} is in use.`);
    this.#numbers[place] = number;
    this.#items[place] = item;
    this.#count += 1;
  }

  /** Takes out and returns what has this number; undefined when nothing has. */
  take(number: number): T | undefined {
    const place = this.#placeOf(number);
    const item = this.#items[place];
    if (item === undefined) return undefined;
    this.#count -= 1;
    this.#close(place);
    return item;
  }

  clear(): void {
    this.#numbers = Array<number>(PLACES_MIN).fill(0);
    this.#items = Array<T | undefined>(PLACES_MIN).fill(undefined);
    this.#mask = PLACES_MIN - 1;
    this.#count = 0;
  }

  /** All of them as they are now, in the order of their numbers. */
  inOrder(): readonly T[] {
    const found: { readonly number: number; readonly item: T }[] = [];
    for (let place = 0; place <= this.#mask; place += 1) {
      const item = this.#items[place];
      if (item !== undefined) found.push({ number: this.#numbers[place] as number, item });
    }
    return found.sort((a, b) => a.number - b.number).map(({ item }) => item);
  }

  /** Where the number is, or else where it would go. */
  #placeOf(number: number): number {
    let place = number & this.#mask;
    while (this.#items[place] !== undefined && this.#numbers[place] !== number) {
      place = (place + 1) & this.#mask;
    }
    return place;
  }

  /** Empties a place, and moves up what went past it only because it was taken (Knuth, 6.4 R). */
  #close(from: number): void {
    let empty = from;
    for (let place = (from + 1) & this.#mask; ; place = (place + 1) & this.#mask) {
      const item = this.#items[place];
      if (item === undefined) break;
      const home = (this.#numbers[place] as number) & this.#mask;
      const wayFromHome = (place - home) & this.#mask;
      const wayFromEmpty = (place - empty) & this.#mask;
      if (wayFromHome < wayFromEmpty) continue;
      this.#items[empty] = item;
      this.#numbers[empty] = this.#numbers[place] as number;
      empty = place;
    }
    this.#items[empty] = undefined;
  }

  #grow(): void {
    const numbers = this.#numbers;
    const items = this.#items;
    const places = 2 * items.length;
    this.#numbers = Array<number>(places).fill(0);
    this.#items = Array<T | undefined>(places).fill(undefined);
    this.#mask = places - 1;
    for (let at = 0; at < items.length; at += 1) {
      const item = items[at];
      if (item === undefined) continue;
      const place = this.#placeOf(numbers[at] as number);
      this.#numbers[place] = numbers[at] as number;
      this.#items[place] = item;
    }
  }
}
