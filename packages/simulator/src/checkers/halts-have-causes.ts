import type { HaltCode } from '@memgrid/core';
import type { Checker } from '../checker.ts';
import type { FaultKind } from '../fault.ts';

/** Which faults can make a node stop for good, by the code it gives. */
const CAUSES: Readonly<Record<HaltCode, readonly FaultKind[]>> = {
  left: ['leave'],
  storeFailed: ['diskError', 'diskFull'],
  identityInUse: ['clone'],
  staleDirectory: ['clone'],
  expelled: [],
  wrongCluster: [],
};

/** A node stops for good only for a reason that exists: a false alarm costs a healthy voter. */
export function haltsHaveCauses(): Checker {
  const seen = new Set<FaultKind>();
  return {
    name: 'halts-have-causes',
    kinds: ['intervened', 'ended'],
    observe(event) {
      if (event.kind === 'intervened' && event.fault !== undefined) seen.add(event.fault.kind);
      if (event.kind !== 'ended' || event.end.how !== 'halted') return undefined;
      const { code, detail } = event.end;
      if (CAUSES[code].some((kind) => seen.has(kind))) return undefined;
      return `Halted with ${code} without a cause in this world: ${detail}`;
    },
    finish: () => undefined,
  };
}
