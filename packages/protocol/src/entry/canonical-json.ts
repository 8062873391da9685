import { LIMITS } from '../limits.ts';
import { expected, inside } from '../wire/wire-error.ts';
import type { JsonValue } from './entry.ts';
import { nameProblem, nameStep, textProblem } from './json-rules.ts';

/**
 * The one text of a JSON value: no spaces, names in ascending order of their UTF-16 code units,
 * numbers and escapes as `JSON.stringify` writes them. This is RFC 8785 (JCS).
 *
 * @param depthMax lists and objects in one another.
 * @throws WireError, with the path, for what is no JSON value or breaks the rules of one: numbers
 * that are not finite, text with NUL or half a surrogate pair, forbidden names, too many levels.
 */
export function canonicalJson(value: JsonValue, depthMax: number = LIMITS.jsonDepthMax): string {
  return textOf(value, depthMax);
}

function textOf(value: unknown, depthLeft: number): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      // Minus zero and zero are one number in JSON.
      if (!Number.isFinite(value)) throw expected('a finite number', value);
      return String(value + 0);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depthLeft === 0) throw expected('fewer lists and objects in one another', 'more');
      return Array.isArray(value) ? listText(value, depthLeft) : objectText(value, depthLeft);
    default:
      throw expected('a JSON value', value);
  }
}

function quoted(text: string): string {
  const problem = textProblem(text);
  if (problem !== undefined) throw expected(problem, text);
  return JSON.stringify(text);
}

function listText(values: readonly unknown[], depthLeft: number): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    try {
      text += textOf(values[i], depthLeft - 1);
    } catch (error) {
      throw inside(error, `[${i}]`);
    }
  }
  return `${text}]`;
}

function objectText(value: object, depthLeft: number): string {
  let text = '{';
  for (const name of Object.keys(value).sort()) {
    if (text.length > 1) text += ',';
    try {
      const problem = nameProblem(name);
      if (problem !== undefined) throw expected(problem, name);
      text += `${JSON.stringify(name)}:`;
      text += textOf((value as Readonly<Record<string, unknown>>)[name], depthLeft - 1);
    } catch (error) {
      throw inside(error, nameStep(name));
    }
  }
  return `${text}}`;
}
