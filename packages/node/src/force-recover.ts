import { prepareForceRecovery } from '@memgrid/core';
import type { ForceRecovery } from '@memgrid/core';
import { ClusterError } from '@memgrid/protocol';
import { NodeStore } from './disk/node-store.ts';

/** What a forced recovery did, or would do. */
export type ForceRecoveryReport = Omit<ForceRecovery, 'operations'>;

/**
 * Lets the stopped node in `directory` continue as the only voter, after the majority of the control
 * group is lost for good. Everything that only lost nodes held is gone; the other voters are expelled.
 *
 * @param apply false to look only: nothing is written.
 * @throws ClusterError DIRECTORY_LOCKED while the node runs, BAD_REQUEST when the directory holds no
 *   part of a control group; nothing was written in these cases.
 */
export async function forceRecover(
  directory: string,
  { apply }: { readonly apply: boolean },
): Promise<ForceRecoveryReport> {
  const store = await NodeStore.open(directory);
  try {
    const { operations, ...report } = prepared(store);
    if (apply) await store.write(operations, true);
    return report;
  } finally {
    await store.close();
  }
}

function prepared(store: NodeStore): ForceRecovery {
  try {
    return prepareForceRecovery(store.records);
  } catch (error) {
    const problem = (error as Error).message;
    throw new ClusterError('BAD_REQUEST', { problem }, { cause: error });
  }
}
