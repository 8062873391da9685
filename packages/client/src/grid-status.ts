import type { NodeId } from '@memgrid/protocol';

/** How a client stands with its cluster. */
export interface GridStatus {
  readonly phase: 'connecting' | 'ready' | 'draining' | 'closed';
  /** Nodes with an open connection. */
  readonly connected: readonly ConnectedNode[];
  /** As the nodes last told. */
  readonly coordinator: NodeId | undefined;
  /** Calls that are not answered yet, and their bytes. */
  readonly waitingCalls: number;
  readonly waitingBytes: number;
}

export interface ConnectedNode {
  readonly nodeId: NodeId;
  readonly address: string;
}
