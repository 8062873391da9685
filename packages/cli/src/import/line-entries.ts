import { createHash } from 'node:crypto';
import type { JsonValue, NewEntry, Owner } from '@memgrid/client';
import { makeEntryId, sliceOfEntry, sliceOfId, SLICE_COUNT } from '@memgrid/protocol';
import { render, type FieldRule } from './field-template.ts';
import type { Line } from './read-lines.ts';

export interface LineEntriesOptions {
  readonly namespace: string;
  /** Names the file, wherever it lies: the same name, number and text are the same entry. */
  readonly source: string;
  /** Empty: the lines are entries already, as `memgrid export` writes them. */
  readonly rules: readonly FieldRule[];
}

export type LineEntry =
  | { readonly kind: 'entry'; readonly entry: NewEntry & { readonly id: string } }
  | { readonly kind: 'blank' }
  | { readonly kind: 'problem'; readonly problem: string };

/** What `memgrid export` writes besides what can be put. */
const IGNORED: ReadonlySet<string> = new Set([
  'namespace',
  'version',
  'createdAt',
  'updatedAt',
  'checksum',
  'upstream',
  'superseded',
]);

/** Makes entries of the lines of one file. */
export class LineEntries {
  readonly #options: LineEntriesOptions;

  constructor(options: LineEntriesOptions) {
    this.#options = options;
  }

  of({ number, content }: Line): LineEntry {
    if (content.kind === 'problem') return content;
    if (content.text.trim() === '') return { kind: 'blank' };
    let value: JsonValue;
    try {
      value = JSON.parse(content.text) as JsonValue;
    } catch (error) {
      return { kind: 'problem', problem: `The line is no JSON: ${(error as Error).message}.` };
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { kind: 'problem', problem: 'The line is no JSON object.' };
    }
    const fields = this.#options.rules.length === 0 ? exported(value) : this.#mapped(value);
    if (typeof fields === 'string') return { kind: 'problem', problem: fields };
    const given = fields['id'];
    const id =
      given === undefined
        ? this.#idOf(number, content.text, fields as Owner)
        : this.#placed(given, fields as Owner);
    // What is wrong with a field is told by the client, with its path.
    return { kind: 'entry', entry: { ...fields, id } as unknown as NewEntry & { id: string } };
  }

  #mapped(line: JsonValue): Record<string, JsonValue> | string {
    const fields: Record<string, JsonValue> = {};
    const metadata: [string, JsonValue][] = [];
    for (const rule of this.#options.rules) {
      const rendered = render(rule, line);
      if (rendered.kind === 'missing') {
        return `${rule.target}: the line has no "${rendered.field}".`;
      }
      const { value } = rendered;
      if (value === undefined) continue;
      if (rule.target.startsWith('metadata.')) metadata.push([rule.target.slice(9), value]);
      else fields[rule.target] = TEXTS.has(rule.target) ? asText(value) : value;
    }
    // Defines properties, so that a name from a file reaches no prototype.
    if (metadata.length > 0) fields['metadata'] = Object.fromEntries(metadata);
    return fields;
  }

  /**
   * The same line of the same file always has the same id, so a second import finds what the first
   * one stored. The line's number stands where the time does in other ids: entries of one owner are
   * listed in the order of the file.
   */
  #idOf(number: number, text: string, owner: Owner): string {
    const { source, namespace } = this.#options;
    const hash = createHash('sha256').update(JSON.stringify([namespace, source, number, text]));
    const bits = hash.digest();
    const slice = this.#sliceOf(owner) ?? bits.readUInt32BE(8) % SLICE_COUNT;
    return makeEntryId(number, slice, [bits.readUInt32BE(0), bits.readUInt32BE(4)]);
  }

  /**
   * An id that memgrid made carries the place of its owner in its namespace. In another namespace
   * the owner has another place, and the id keeps everything else.
   */
  #placed(id: JsonValue, owner: Owner): JsonValue {
    if (typeof id !== 'string' || sliceOfId(id) === undefined) return id;
    const slice = this.#sliceOf(owner);
    if (slice === undefined) return id;
    return id.slice(0, 15) + slice.toString(16).padStart(3, '0') + id.slice(18);
  }

  /** Undefined for an entry of nobody, which lives wherever its id says. */
  #sliceOf({ userId, agentId, appId, runId }: Owner): number | undefined {
    const parts = Object.entries({ userId, agentId, appId, runId }).filter(
      // What is no proper text is refused by the client, with its path; it needs no place.
      (part): part is [string, string] =>
        typeof part[1] === 'string' && part[1] !== '' && part[1].isWellFormed(),
    );
    if (parts.length === 0) return undefined;
    const { namespace } = this.#options;
    return sliceOfEntry({ ...NOBODY, ...Object.fromEntries(parts), namespace, key: '' });
  }
}

const NOBODY = { userId: '', agentId: '', appId: '', runId: '' };

/** Fields that are text whatever the line has: an id may be a number there. */
const TEXTS: ReadonlySet<string> = new Set([
  'id',
  'userId',
  'agentId',
  'appId',
  'runId',
  'content',
  'category',
]);

function asText(value: JsonValue): JsonValue {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function exported(line: object): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(line as Record<string, JsonValue>).filter(([name]) => !IGNORED.has(name)),
  );
}
