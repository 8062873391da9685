import type { JsonValue } from '@memgrid/client';

/** A field of an entry, and how it is made of a line. */
export interface FieldRule {
  /** `content`, `userId`, `metadata.topic`. */
  readonly target: string;
  readonly template: string;
  readonly parts: readonly TemplatePart[];
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  /** The value at a path of names; an optional one may be missing. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly optional: boolean };

const TARGETS: readonly string[] = [
  'id',
  'userId',
  'agentId',
  'appId',
  'runId',
  'content',
  'category',
  'categories',
  'expiresAt',
  'ttlMs',
  'immutable',
];

/**
 * Reads `target=template`. In a template `{name}` is a field of the line, `{a.b}` one inside
 * another, `{name?}` one that may be missing, and `{{` and `}}` are braces.
 *
 * @throws RangeError saying what would be right.
 */
export function parseFieldRule(text: string): FieldRule {
  const at = text.indexOf('=');
  const target = text.slice(0, Math.max(at, 0));
  if (at < 1) throw new RangeError('Give field=template: content={text}.');
  if (!TARGETS.includes(target) && !/^metadata\.[^.=]+$/.test(target)) {
    throw new RangeError(`"${target}" is none of ${TARGETS.join(', ')}, metadata.<name>.`);
  }
  const template = text.slice(at + 1);
  return { target, template, parts: parseTemplate(template) };
}

function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  const token = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;
  for (const [found, name] of template.matchAll(token)) {
    if (name !== undefined) parts.push(fieldPart(name));
    else if (found === '{' || found === '}') throw new RangeError(BRACES);
    else parts.push({ kind: 'text', text: found === '{{' ? '{' : found === '}}' ? '}' : found });
  }
  return parts;
}

const BRACES = 'A brace stands alone; write {{ or }} for the character itself.';

function fieldPart(name: string): TemplatePart {
  const optional = name.endsWith('?');
  const path = (optional ? name.slice(0, -1) : name).split('.');
  if (path.some((step) => step === '')) throw new RangeError(`{${name}} names no field.`);
  return { kind: 'field', path, optional };
}

/** What a template makes of a line, or the field that is missing in it. */
export type Rendered =
  | { readonly kind: 'value'; readonly value: JsonValue | undefined }
  | { readonly kind: 'missing'; readonly field: string };

/**
 * A template that is one field and nothing else keeps the field's value as it is: a number stays a
 * number. Otherwise everything becomes text; undefined when all of it was optional and missing.
 */
export function render(rule: FieldRule, line: JsonValue): Rendered {
  const [only] = rule.parts;
  if (rule.parts.length === 1 && only?.kind === 'field') {
    const value = valueAt(line, only.path);
    if (value === undefined && !only.optional) return missing(only.path);
    return { kind: 'value', value };
  }
  let text = '';
  for (const part of rule.parts) {
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    const value = valueAt(line, part.path);
    if (value === undefined && !part.optional) return missing(part.path);
    text += textOf(value);
  }
  return { kind: 'value', value: text };
}

function missing(path: readonly string[]): Rendered {
  return { kind: 'missing', field: path.join('.') };
}

function valueAt(line: JsonValue, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = line;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, JsonValue>>)[name];
  }
  return value;
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
