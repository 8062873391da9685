import { utf8Bytes } from '../wire/utf8.ts';

/**
 * Names that reach into the machinery of an object instead of into its data. One of them in stored
 * metadata would wait there for the first program that merges it carelessly into another object.
 */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What is wrong with a text in JSON, or undefined: half a surrogate pair, or NUL. */
export function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'text without NUL';
  return utf8Bytes(text) < 0
    ? 'well-formed text (half of a surrogate pair has no UTF-8)'
    : undefined;
}

/** What is wrong with the name of a property, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (FORBIDDEN_NAMES.has(name)) return 'another name: this one is no data in JavaScript';
  return textProblem(name);
}

/** A step of a path: `.name` where the name is an ordinary word, otherwise quoted in brackets. */
export function nameStep(name: string): string {
  if (ORDINARY_NAME.test(name)) return name;
  const shown = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name;
  return `[${JSON.stringify(shown)}]`;
}

const ORDINARY_NAME = /^[A-Za-z_$][\w$]{0,39}$/;
const NAME_CHARS_MAX = 40;
