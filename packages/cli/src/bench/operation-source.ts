import { Random } from '@memgrid/core';
import { BATCH_ENTRIES } from './dataset.ts';
import { keyChooser, type KeyChooser } from './key-chooser.ts';
import type { LoadOptions } from './load-options.ts';
import type { BenchOperation } from './subject.ts';

/** Reads among the operations of the workload `mix`. */
const MIX_READS = 0.9;

/** Says what is done next, and is told when it is over. */
export interface OperationSource {
  next(): BenchOperation;
  /** However it ended. */
  over(operation: BenchOperation): void;
}

/** The operations of a workload: the same ones in the same order for the same seed. */
export function operationSource(options: LoadOptions): OperationSource {
  const { workload, dataset, keys, seed } = options;
  const choose = (count: number): KeyChooser => keyChooser({ keys, count, seed });
  switch (workload) {
    case 'list': {
      const scope = choose(dataset.scopes);
      return endless(() => ({ kind: 'list', scope: scope() }));
    }
    case 'batch': {
      const n = choose(dataset.count);
      const ns = (): number[] => Array.from({ length: BATCH_ENTRIES }, n);
      return endless(() => ({ kind: 'batch', ns: ns() }));
    }
    case 'mix': {
      const n = choose(dataset.count);
      const random = Random.of(seed).split('mix');
      return endless(() => ({ kind: random.chance(MIX_READS) ? 'get' : 'set', n: n() }));
    }
    case 'watch':
      return inTurn(dataset.count);
    case 'cas':
      return oneAtATime(choose(dataset.count), dataset.count);
    default: {
      const n = choose(dataset.count);
      return endless(() => ({ kind: workload, n: n() }));
    }
  }
}

function endless(next: () => BenchOperation): OperationSource {
  return { next, over: () => undefined };
}

/** Every entry once before the first comes again: what is heard of one is of its latest change. */
function inTurn(count: number): OperationSource {
  let next = -1;
  return endless(() => {
    next = (next + 1) % count;
    return { kind: 'set', n: next };
  });
}

/**
 * Never two for one entry: the second would lose, and losing is not what is measured. With Zipf the
 * most wanted entries are often taken; then the next free one stands in.
 */
function oneAtATime(choose: KeyChooser, count: number): OperationSource {
  const busy = new Set<number>();
  return {
    next: () => {
      if (busy.size >= count) throw new RangeError(`All ${count} entries have an operation.`);
      let n = choose();
      while (busy.has(n)) n = (n + 1) % count;
      busy.add(n);
      return { kind: 'cas', n };
    },
    over: (operation) => {
      if (operation.kind === 'cas') busy.delete(operation.n);
    },
  };
}
