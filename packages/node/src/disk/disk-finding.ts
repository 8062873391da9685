import type { ShardId } from '@memgrid/protocol';

/** What was wrong with the directory at start and has been dealt with. */
export type DiskFinding =
  /** One entry can not be believed; everything else of its shard can. It is still in place. */
  | {
      readonly kind: 'damagedEntry';
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
      readonly problem: string;
    }
  /** A write that only this node had, and has no more. */
  | { readonly kind: 'lostOrphan'; readonly shard: ShardId; readonly problem: string };

/** What was found, for the log. */
export function findingSentence(finding: DiskFinding): string {
  const { shard, problem } = finding;
  switch (finding.kind) {
    case 'damagedEntry':
      return `An entry of shard ${shard} is damaged and is fetched from another replica. ${problem}`;
    case 'lostOrphan':
      return `A write of shard ${shard} that only this node had is lost. ${problem}`;
  }
}
