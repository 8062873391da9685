import type { Entry, Found, Saved } from '@memgrid/client';
import { stripVTControlCharacters } from 'node:util';
import { showDuration } from '../duration.ts';
import { facts } from '../output/table.ts';

/** An entry in JSON: absent parts are left out. */
export function entryJson(entry: Entry): Record<string, unknown> {
  const { upstream, superseded, ...rest } = entry;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    ...(upstream.state === 'none' ? {} : { upstream }),
    ...(superseded.length === 0 ? {} : { superseded }),
  };
}

/** A found entry for a person: what it says first, then what is known about it. */
export function foundText({ entry, version, source, stalenessMs }: Found): string {
  const { userId, agentId, appId, runId, schema, expiresAt } = entry;
  const pairs: [string, string][] = [['id', entry.id]];
  const owner = { userId, agentId, appId, runId };
  for (const [name, value] of Object.entries(owner)) {
    if (value !== undefined) pairs.push([name, printable(value)]);
  }
  if (entry.category !== '') pairs.push(['category', entry.category]);
  if (entry.categories.length > 0)
    pairs.push(['categories', printable(entry.categories.join(', '))]);
  if (Object.keys(entry.metadata).length > 0) {
    pairs.push(['metadata', printable(JSON.stringify(entry.metadata))]);
  }
  pairs.push(['created', momentText(entry.createdAt)]);
  if (entry.updatedAt !== entry.createdAt) pairs.push(['updated', momentText(entry.updatedAt)]);
  if (expiresAt !== undefined) pairs.push(['expires', momentText(expiresAt)]);
  if (entry.immutable) pairs.push(['immutable', 'yes']);
  if (schema !== undefined) pairs.push(['schema', `${schema.name} ${schema.version}`]);
  pairs.push(['version', version]);
  pairs.push([
    'from',
    stalenessMs === 0 ? source : `${source}, at most ${showDuration(stalenessMs)} old`,
  ]);
  return `${printable(entry.content)}\n\n${facts(pairs)}`;
}

/** A write for a person. */
export function savedText(saved: Saved): string {
  const held = saved.acknowledged === 'quorum' ? 'a majority of its replicas' : 'one node';
  const notes = [
    ...(saved.repeated ? ['it had been carried out before'] : []),
    ...(saved.autonomous ? ['taken away from the primary: merged later'] : []),
  ];
  return facts([
    ['id', saved.id],
    ['version', saved.version],
    ['held by', `${held} (${saved.sync})`],
    ...(notes.length === 0 ? [] : ([['note', notes.join('; ')]] as const)),
  ]);
}

/** The beginning of a text on one line, without anything that moves a cursor. */
export function excerpt(text: string, charactersMax: number): string {
  const line = printable(text).replaceAll(/\s+/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= charactersMax) return line;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

/** Stored text comes from anybody; on a terminal it must stay text. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROL_CHARACTERS, '�');
}

/** All but line feed and tab, and what makes the rest of a line run backwards. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `2026-05-08 13:56:07`, in UTC: the same on every machine that looks. */
export function momentText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
