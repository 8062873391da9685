import type { FailedResult, OperationResult } from '@memgrid/protocol';
import type { EntryAdmission } from './gateway-io.ts';

/**
 * What a replica has answered, with every entry in the version of its schema that the caller knows.
 * An entry that cannot be shown in it fails the whole answer: a list without it would be a lie.
 */
export function shownResult(
  result: OperationResult,
  rules: EntryAdmission,
  schemaVersion: number | undefined,
): OperationResult {
  switch (result.kind) {
    case 'found': {
      const shown = rules.shown(result.found.entry, schemaVersion);
      if (shown.kind === 'failed') return shown.failure;
      const { entry } = shown;
      return entry === result.found.entry
        ? result
        : { ...result, found: { ...result.found, entry } };
    }
    case 'listed': {
      const entries = allShown(result.entries, rules, schemaVersion);
      return 'failure' in entries ? entries.failure : { ...result, entries };
    }
    case 'history': {
      const steps = allShown(result.steps, rules, schemaVersion);
      return 'failure' in steps ? steps.failure : { ...result, steps };
    }
    default:
      return result;
  }
}

function allShown<Holder extends { readonly entry: Uint8Array }>(
  holders: readonly Holder[],
  rules: EntryAdmission,
  schemaVersion: number | undefined,
): readonly Holder[] | { readonly failure: FailedResult } {
  const all: Holder[] = [];
  for (const holder of holders) {
    // A delete left nothing to show.
    const shown = holder.entry.length === 0 ? undefined : rules.shown(holder.entry, schemaVersion);
    if (shown?.kind === 'failed') return { failure: shown.failure };
    const same = shown === undefined || shown.entry === holder.entry;
    all.push(same ? holder : { ...holder, entry: shown.entry });
  }
  return all;
}
