import type { NodeId } from '@memgrid/protocol';
import type { ElectionStatus } from '../election/election-io.ts';

/** Why a node in the control group knows no coordinator, in a sentence. */
export function missingCoordinator(
  { config }: ElectionStatus,
  isReached: (voter: NodeId) => boolean,
): string {
  const { voters } = config;
  const reached = voters.filter(isReached);
  return `No coordinator: ${reached.length} of ${voters.length} voters are connected.`;
}
