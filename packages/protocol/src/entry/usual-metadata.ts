import { LIMITS } from '../limits.ts';
import { nameProblem, textProblem } from './json-rules.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { usualObject } from './usual-object.ts';

/** Of more properties the slower way is not much slower. */
const NAMES_MAX = 32;

/**
 * The canonical text of metadata as most of them are: one level, a few properties. Undefined for all
 * others, and for what may not be stored. Throws what a getter throws.
 */
export function usualMetadata(value: unknown): string | undefined {
  const names = usualObject(value);
  if (names === undefined || names.length > NAMES_MAX) return undefined;
  if (names.length === 0) return '{}';
  const object = value as Readonly<Record<string, unknown>>;
  // Read in the order of the caller, as everywhere: what getters say may depend on it.
  const texts: string[] = [];
  for (const name of names) {
    if (nameProblem(name) !== undefined) return undefined;
    const text = jsonOf(object[name]);
    if (text === undefined) return undefined;
    texts.push(`${quoted(name)}:${text}`);
  }
  if (!isAscending(names)) {
    const order = names.map((_, at) => at);
    order.sort((a, b) => ((names[a] as string) < (names[b] as string) ? -1 : 1));
    return withinLimit(`{${order.map((at) => texts[at]).join(',')}}`);
  }
  return withinLimit(`{${texts.join(',')}}`);
}

function withinLimit(text: string): string | undefined {
  return utf8Bytes(text) > LIMITS.metadataBytesMax ? undefined : text;
}

function isAscending(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at] as string) < (names[at - 1] as string)) return false;
  }
  return true;
}

/** Undefined for lists and objects, and for what JSON does not know. */
function jsonOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return textProblem(value) === undefined ? quoted(value) : undefined;
    case 'number':
      // Minus zero and zero are one number in JSON.
      return Number.isFinite(value) ? String(value + 0) : undefined;
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null ? 'null' : undefined;
  }
}

function quoted(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isPlain = unit >= 0x20 && unit <= 0x7e && unit !== QUOTE && unit !== BACKSLASH;
    if (!isPlain) return JSON.stringify(text);
  }
  return `"${text}"`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
