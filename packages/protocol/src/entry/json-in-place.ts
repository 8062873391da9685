import { LIMITS } from '../limits.ts';
import { STASH_FIELD } from '../schema/schema.ts';
import { NOT_USUAL, textIn } from '../wire/in-place.ts';

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LIST_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const LIST_CLOSE = 0x5d;
const EXPONENT = 0x65;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Below it the order of bytes is the order of UTF-16 code units; from it on it need not be. */
const DISORDER = 0xee;

/** A double has every whole number of so many digits exactly, and writes it as it is. */
const DIGITS_MAX = 15;
/** No text of a double is longer. */
const NUMBER_BYTES_MAX = 26;

const WORDS = ['null', 'true', 'false'].map(codesOf);
/** Names that `nameProblem` refuses, and the one that `stashProblems` looks into. */
const SPECIAL_NAMES = ['__proto__', 'constructor', 'prototype', STASH_FIELD].map(codesOf);
/** What `JSON.stringify` writes behind a backslash, but for the `u` of rare characters. */
const ESCAPES: ReadonlySet<number> = new Set(codesOf('"\\bfnrt'));

function codesOf(word: string): readonly number[] {
  return Array.from(word, (letter) => letter.charCodeAt(0));
}

/**
 * Whether valid UTF-8 is the canonical text (RFC 8785) of an object that metadata may be, and a
 * usual one. False says nothing: `canonicalJson` then decides. No value is made of it.
 */
export function isUsualObject(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== OPEN) return false;
  if (end === start + 2) return bytes[start + 1] === CLOSE;
  return new JsonWalk(bytes, end).value(start, LIMITS.jsonDepthMax) === end;
}

/** Each function takes where something begins, and returns where it ends, or `NOT_USUAL`. */
class JsonWalk {
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, end: number) {
    this.#bytes = bytes;
    this.#end = end;
  }

  /** @param depth lists and objects in one another that may begin. */
  value(at: number, depth: number): number {
    const head = this.#bytes[at] as number;
    if (head === QUOTE) return this.#text(at);
    if (head === OPEN) return depth === 0 ? NOT_USUAL : this.#object(at + 1, depth - 1);
    if (head === LIST_OPEN) return depth === 0 ? NOT_USUAL : this.#list(at + 1, depth - 1);
    if (head === MINUS || isDigit(head)) return this.#number(at);
    return this.#word(at);
  }

  #object(start: number, depth: number): number {
    const bytes = this.#bytes;
    if (bytes[start] === CLOSE) return start + 1;
    let at = start;
    let before = NOT_USUAL;
    for (;;) {
      const name = at + 1;
      const nameEnd = bytes[at] === QUOTE ? this.#nameEnd(name) : NOT_USUAL;
      if (nameEnd < 0 || bytes[nameEnd + 1] !== COLON) return NOT_USUAL;
      if (before >= 0 && !this.#isInOrder(before, name)) return NOT_USUAL;
      if (this.#isSpecial(name, nameEnd)) return NOT_USUAL;
      before = name;
      at = this.value(nameEnd + 2, depth);
      if (at < 0) return NOT_USUAL;
      if (bytes[at] === CLOSE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_USUAL;
      at += 1;
    }
  }

  #list(start: number, depth: number): number {
    const bytes = this.#bytes;
    if (bytes[start] === LIST_CLOSE) return start + 1;
    let at = start;
    for (;;) {
      at = this.value(at, depth);
      if (at < 0) return NOT_USUAL;
      if (bytes[at] === LIST_CLOSE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_USUAL;
      at += 1;
    }
  }

  #text(start: number): number {
    const bytes = this.#bytes;
    for (let at = start + 1; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at + 1;
      if (byte < 0x20) return NOT_USUAL;
      if (byte !== BACKSLASH) continue;
      at += 1;
      if (!ESCAPES.has(bytes[at] as number)) return NOT_USUAL;
    }
    return NOT_USUAL;
  }

  /** Where the quote behind a name is. A name with escapes is not usual. */
  #nameEnd(start: number): number {
    const bytes = this.#bytes;
    for (let at = start; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at;
      if (byte < 0x20 || byte === BACKSLASH || byte >= DISORDER) return NOT_USUAL;
    }
    return NOT_USUAL;
  }

  /** Whether the name at `after` comes behind the one at `before`, and is another. */
  #isInOrder(before: number, after: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; ; i++) {
      const left = bytes[before + i] as number;
      const right = bytes[after + i] as number;
      // Each ends with a quote, and there is none in it.
      if (right === QUOTE) return false;
      if (left === QUOTE) return true;
      if (left !== right) return left < right;
    }
  }

  #isSpecial(start: number, end: number): boolean {
    for (const name of SPECIAL_NAMES) {
      if (name.length === end - start && this.#isAt(start, name)) return true;
    }
    return false;
  }

  #number(start: number): number {
    const bytes = this.#bytes;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let at = first;
    while (isDigit(bytes[at] as number)) at += 1;
    const isWhole = !isMoreOfNumber(bytes[at] as number);
    const digits = at - first;
    if (isWhole && digits <= DIGITS_MAX) {
      if (bytes[first] !== ZERO) return digits > 0 ? at : NOT_USUAL;
      return digits === 1 && first === start ? at : NOT_USUAL;
    }
    while (isMoreOfNumber(bytes[at] as number)) at += 1;
    if (at - start > NUMBER_BYTES_MAX || at > this.#end) return NOT_USUAL;
    const text = textIn(bytes, start, at);
    const value = Number(text);
    return Number.isFinite(value) && String(value) === text ? at : NOT_USUAL;
  }

  #word(start: number): number {
    for (const word of WORDS) if (this.#isAt(start, word)) return start + word.length;
    return NOT_USUAL;
  }

  #isAt(start: number, word: readonly number[]): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[start + i] !== word[i]) return false;
    return true;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isMoreOfNumber(byte: number): boolean {
  return isDigit(byte) || byte === DOT || byte === EXPONENT || byte === PLUS || byte === MINUS;
}
