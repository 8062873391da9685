import type { NodeReply, NodeRequest, NodeStatus } from '@memgrid/core';

/** What the HTTP surface reads of a node. */
export interface AdminSource {
  readonly version: string;
  readonly token: string;
  /** Undefined until the node has read its disk. */
  status(): NodeStatus | undefined;
  /** Answered within `timeoutMs`, if only with `failed` and reason `timeout`. */
  request(body: NodeRequest, timeoutMs: number): Promise<NodeReply>;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A request met a defect of this program. */
  onDefect(route: string, problem: string): void;
}
