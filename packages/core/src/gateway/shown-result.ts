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
      if ('failure' in entries) return entries.failure;
      return entries === result.entries ? result : { ...result, entries };
    }
    case 'history': {
      const steps = allShown(result.steps, rules, schemaVersion);
      if ('failure' in steps) return steps.failure;
      return steps === result.steps ? result : { ...result, steps };
    }
    default:
      return result;
  }
}

/** The same list where nothing has to be shown differently, as nearly always. */
function allShown<Holder extends { readonly entry: Uint8Array }>(
  holders: readonly Holder[],
  rules: EntryAdmission,
  schemaVersion: number | undefined,
): readonly Holder[] | { readonly failure: FailedResult } {
  let changed: Holder[] | undefined;
  for (let at = 0; at < holders.length; at += 1) {
    const holder = holders[at] as Holder;
    // A delete left nothing to show.
    const shown = holder.entry.length === 0 ? undefined : rules.shown(holder.entry, schemaVersion);
    if (shown?.kind === 'failed') return { failure: shown.failure };
    if (shown === undefined || shown.entry === holder.entry) {
      changed?.push(holder);
      continue;
    }
    changed ??= holders.slice(0, at);
    changed.push({ ...holder, entry: shown.entry });
  }
  return changed ?? holders;
}
