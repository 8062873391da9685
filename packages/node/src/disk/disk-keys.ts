/**
 * The arrangement of the database.
 *
 * 1: `meta/layout` and `control/…`.
 * 2: also `shard/…` and `data/…`. An older memgrid would not see them, and take part in elections
 *    and moves as if it held nothing; so it must refuse the directory.
 * 3: outcomes of many operations in one record. An older memgrid would take them for none, and
 *    carry out a second time what it does not remember.
 */
export const LAYOUT = 3;
export const LAYOUT_KEY = 'meta/layout';

const CONTROL_PREFIX = 'control/';

/** Where a record of the machine lies. */
export function diskKey(key: string): string {
  return isPlain(key) ? key : CONTROL_PREFIX + key;
}

/** The machine's name for what lies there; undefined for what no machine wrote. */
export function machineKey(found: string): string | undefined {
  if (found.startsWith(CONTROL_PREFIX)) return found.slice(CONTROL_PREFIX.length);
  return isPlain(found) ? found : undefined;
}

/** Whether the machine's key stands as it is. */
function isPlain(key: string): boolean {
  return key.startsWith('shard/') || key.startsWith('data/');
}
