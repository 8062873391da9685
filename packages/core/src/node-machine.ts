import { unreachable } from './assert.ts';
import type { Instant, Machine } from './machine.ts';
import type { NodeEffect, NodeInput, NodeSettings } from './node-io.ts';
import type { NodeStatus } from './node-status.ts';
import type { Random } from './random.ts';

/** SHA-256, handed in because `core` owns no cryptography. */
export type Digest = (bytes: Uint8Array) => Uint8Array;

/** Everything a node starts from. */
export interface NodeMachineOptions {
  readonly settings: NodeSettings;
  /** All records of the data directory, by key. Empty for a new node. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly random: Random;
  readonly digest: Digest;
  readonly now: Instant;
  readonly wallMs: number;
}

/** Composes the machines of one node and routes between them: the only file that knows them all. */
export class NodeMachine implements Machine<NodeInput, NodeEffect> {
  constructor(_options: NodeMachineOptions) {}

  get wakeAt(): Instant | undefined {
    return undefined;
  }

  step(_now: Instant, _input: NodeInput): readonly NodeEffect[] {
    return [];
  }

  wake(_now: Instant): readonly NodeEffect[] {
    return [];
  }

  status(_now: Instant): NodeStatus {
    return unreachable(undefined as never);
  }
}
