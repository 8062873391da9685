import { LIMITS } from '@memgrid/protocol';
import type { NodeId, ReachabilityRow } from '@memgrid/protocol';

/** The newest row of each other member that announces one. */
export class RowTable {
  readonly #rows = new Map<NodeId, ReachabilityRow>();

  get size(): number {
    return this.#rows.size;
  }

  /** How the row changes what was known: its exceptions, nothing that matters, or it is old. */
  take(row: ReachabilityRow): 'exceptions' | 'count' | 'old' {
    const held = this.#rows.get(row.owner);
    if (held !== undefined && !isNewer(row, held)) return 'old';
    // One place is for the own row.
    if (held === undefined && this.#rows.size >= LIMITS.rowsMax - 1) return 'old';
    this.#rows.set(row.owner, row);
    return sameExceptions(row, held) ? 'count' : 'exceptions';
  }

  keepOnly(isMember: (id: NodeId) => boolean): void {
    for (const owner of [...this.#rows.keys()]) if (!isMember(owner)) this.#rows.delete(owner);
  }

  values(): readonly ReachabilityRow[] {
    return [...this.#rows.values()];
  }
}

/** Rows are ordered by (generation, version). */
export function isNewer(row: ReachabilityRow, than: ReachabilityRow): boolean {
  if (row.generation !== than.generation) return row.generation > than.generation;
  return row.version > than.version;
}

/** Whether two rows list the same members. No row at all lists none. */
export function sameExceptions(
  a: Pick<ReachabilityRow, 'unreached' | 'silent'>,
  b: Pick<ReachabilityRow, 'unreached' | 'silent'> | undefined,
): boolean {
  if (b === undefined) return a.unreached.length === 0 && a.silent.length === 0;
  return sameIds(a.unreached, b.unreached) && sameIds(a.silent, b.silent);
}

function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
