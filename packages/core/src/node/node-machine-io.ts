import type { ElectionConfig } from '../election/election-config.ts';
import type { Digest } from '../digest.ts';
import type { EntryTable } from '../entries/entry-table.ts';
import type { EntryAdmission } from '../gateway/gateway-io.ts';
import type { LinksEffect } from '../links/links-io.ts';
import type { Instant } from '../machine.ts';
import type { MembershipConfig } from '../membership/membership-config.ts';
import type { NodeSettings } from '../node-io.ts';
import type { Random } from '../random.ts';
import type { EntryRules, ShardsOptionsOverride } from '../shards/shards-io.ts';
import type { ClusterEffect } from './cluster-machine-io.ts';
import type { SearchEffect } from './cluster-search.ts';
import type { DataPlaneEffect } from './data-plane.ts';

/** Everything a node starts from. */
export interface NodeMachineOptions {
  readonly settings: NodeSettings;
  readonly membership: MembershipConfig;
  readonly election: ElectionConfig;
  /** What differs from the defaults of the replication. */
  readonly shards: ShardsOptionsOverride;
  /** Filled with the entries that the data directory holds. */
  readonly entries: EntryTable;
  readonly rules: EntryRules & EntryAdmission;
  /** All records of the data directory, by key, without entries. Empty for a new node. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly random: Random;
  readonly digest: Digest;
  readonly now: Instant;
  readonly wallMs: number;
}

/** What one of the parts of a node wants, until its turn comes. */
export type PartEffect =
  | { readonly of: 'links'; readonly effect: LinksEffect }
  | { readonly of: 'search'; readonly effect: SearchEffect }
  | { readonly of: 'cluster'; readonly effect: ClusterEffect }
  | { readonly of: 'data'; readonly effect: DataPlaneEffect };
