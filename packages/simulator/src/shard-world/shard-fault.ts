/** Something that goes wrong, or that the control group decides, at one moment of a shard day. */
export type ShardFault = { readonly atMs: number } & (
  | {
      readonly kind: 'crash';
      readonly node: number;
      readonly forMs: number;
      readonly loss: 'killed' | 'powerOff';
    }
  | { readonly kind: 'pause'; readonly node: number; readonly forMs: number }
  /** `side` is cut off from everybody else; `oneWay`: it hears, and is not heard. */
  | {
      readonly kind: 'cut';
      readonly side: readonly number[];
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  | {
      readonly kind: 'slowDisk';
      readonly node: number;
      readonly extraMs: number;
      readonly forMs: number;
    }
  /** One stored entry no longer matches its checksum. `pick` chooses it. */
  | { readonly kind: 'flip'; readonly node: number; readonly pick: number }
  /** Another primary, or the same in a new epoch. `pick` chooses it. */
  | {
      readonly kind: 'failOver';
      readonly shard: number;
      readonly pick: number;
      /** The node that is to lead, if it may. */
      readonly to?: number;
    }
  /** Other replicas, `pick` chooses which; drawn out over the stages. */
  | { readonly kind: 'move'; readonly shard: number; readonly pick: number }
  | { readonly kind: 'rollBack'; readonly shard: number }
);

export type ShardFaultKind = ShardFault['kind'];

export function describeShardFault(fault: ShardFault): string {
  const { atMs, kind, ...rest } = fault;
  const parts = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${(atMs / 1000).toFixed(3)} s ${kind} ${parts.join(' ')}`;
}
