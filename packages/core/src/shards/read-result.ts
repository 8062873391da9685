import type { AnswerSource, OperationResult } from '@memgrid/protocol';
import { copyIntoBlock } from '@memgrid/protocol';
import { type StoredSibling, versionOf, visibleIn } from './entry-view.ts';

export interface ReadFacts {
  readonly source: AnswerSource;
  readonly stalenessMs: number;
  readonly nowMs: number;
}

type Found = { readonly state: Uint8Array } | 'absent';

/** What a caller is told about an entry. */
export function readResult(id: string, found: Found, facts: ReadFacts): OperationResult {
  const visible = found === 'absent' ? undefined : visibleIn(found.state, facts.nowMs);
  return visible === undefined
    ? absentResult(facts)
    : foundResult(id, visible, visible.value.entry, facts);
}

/** The same where the state is only looked at, and the answer must outlive it. */
export function lookedUpResult(id: string, found: Found, facts: ReadFacts): OperationResult {
  const visible = found === 'absent' ? undefined : visibleIn(found.state, facts.nowMs);
  return visible === undefined
    ? absentResult(facts)
    : foundResult(id, visible, copyIntoBlock(visible.value.entry), facts);
}

function absentResult({ source, stalenessMs }: ReadFacts): OperationResult {
  return { kind: 'absent', source, stalenessMs };
}

function foundResult(
  key: string,
  visible: StoredSibling,
  entry: Uint8Array,
  { source, stalenessMs }: ReadFacts,
): OperationResult {
  return {
    kind: 'found',
    found: { key, entry, version: versionOf(visible) },
    source,
    stalenessMs,
  };
}
