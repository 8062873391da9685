import { PROTOCOL, SHARD_COUNT_MIN } from '@memgrid/protocol';
import type { ClientWelcome, ClusterId, ErrorCode, NodeId } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { Instant } from '../machine.ts';
import { PlacementTable } from '../routing/placement-table.ts';
import type { NodeSlot } from '../routing/placement-table.ts';
import { SessionToken } from './session-token.ts';

/** Before a node was reached nobody has read anything, so more than a few make no sense. */
const EARLY_TOKENS_MAX = 16;

/** What a session knows of its cluster: nothing before the first welcome, then always the same one. */
export class ClusterView {
  #clusterId: ClusterId | undefined;
  #placement: PlacementTable | undefined;
  #token: SessionToken | undefined;
  /** Given before any node was reached. */
  #earlyTokens: string[] = [];
  /** What the nodes' wall clock shows when this process's monotonic clock shows 0. */
  #wallMsAtZero = 0;

  get clusterId(): ClusterId | undefined {
    return this.#clusterId;
  }

  get placement(): PlacementTable | undefined {
    return this.#placement;
  }

  get token(): SessionToken | undefined {
    return this.#token;
  }

  get shardCount(): number {
    return this.#placement?.shardCount ?? 0;
  }

  /** A node told the time: its clock may have been set, and this process may have slept. */
  told(wallMs: number, now: Instant): void {
    this.#wallMsAtZero = wallMs - now;
  }

  /** The cluster's time, as the last node that said it told it. */
  wallMs(now: Instant): number {
    return Math.max(0, Math.floor(this.#wallMsAtZero + now));
  }

  nodeIdOf(slot: NodeSlot): NodeId {
    const node = this.#placement?.node(slot);
    invariant(node !== undefined, `There is no node in slot ${slot}.`);
    return node.nodeId;
  }

  problemWith(
    welcome: ClientWelcome,
  ): { readonly code: ErrorCode; readonly detail: string } | undefined {
    const { protocol, clusterId, shardCount } = welcome;
    if (protocol < PROTOCOL.min || protocol > PROTOCOL.max) {
      const detail = `It chose protocol ${protocol}, which this client does not speak.`;
      return { code: 'PROTOCOL_MISMATCH', detail };
    }
    if (this.#clusterId !== undefined && clusterId !== this.#clusterId) {
      const detail = `It belongs to cluster ${clusterId}, this session to ${this.#clusterId}.`;
      return { code: 'WRONG_CLUSTER', detail };
    }
    if (this.#placement !== undefined && shardCount !== this.#placement.shardCount) {
      const detail = `It says ${shardCount} shards, the others ${this.#placement.shardCount}.`;
      return { code: 'BAD_MESSAGE', detail };
    }
    if ((shardCount & (shardCount - 1)) !== 0 || shardCount < SHARD_COUNT_MIN) {
      return { code: 'BAD_MESSAGE', detail: `No cluster has ${shardCount} shards.` };
    }
    return undefined;
  }

  /** @param welcome one without a problem. */
  joined(welcome: ClientWelcome, now: Instant): PlacementTable {
    this.#wallMsAtZero = welcome.wallMs - now;
    this.#clusterId = welcome.clusterId;
    this.#token ??= new SessionToken(welcome.clusterId, welcome.shardCount);
    this.#placement ??= new PlacementTable(welcome.shardCount);
    for (const text of this.#earlyTokens) this.#token.merge(text, now);
    this.#earlyTokens = [];
    return this.#placement;
  }

  /** Reads from now on see what the session of this token saw. */
  atLeast(text: string, now: Instant): void {
    if (this.#token !== undefined) this.#token.merge(text, now);
    else if (this.#earlyTokens.length < EARLY_TOKENS_MAX) this.#earlyTokens.push(text);
  }
}
