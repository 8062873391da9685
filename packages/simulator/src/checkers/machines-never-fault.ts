import type { Checker } from '../checker.ts';

/**
 * Invariant 35 and every other `invariant()` of the program: no machine throws, whatever peers,
 * disks and clocks do. An endless loop between machines shows here as well, because the
 * composition counts its hops.
 */
export function machinesNeverFault(): Checker {
  return {
    name: 'machines-never-fault',
    kinds: ['ended', 'clientFaulted'],
    observe(event) {
      if (event.kind === 'clientFaulted') return textOf(event.error);
      if (event.kind !== 'ended' || event.end.how !== 'faulted') return undefined;
      return textOf(event.end.error);
    },
    finish: () => undefined,
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
