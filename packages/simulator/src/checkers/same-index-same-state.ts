import type { ControlView } from '@memgrid/core';
import type { Checker } from '../checker.ts';

/**
 * Invariant 4: nodes that have applied the log up to the same index have the same control state,
 * however they got there (log, snapshot, feed) and however often they were restarted.
 */
export function sameIndexSameState(): Checker {
  const states = new Map<string, { readonly state: string; readonly node: string }>();
  const lastSeen = new Map<number, number>();
  return {
    name: 'same-index-same-state',
    kinds: ['sampled'],
    observe(event) {
      if (event.kind !== 'sampled') return undefined;
      const { control } = event.status;
      if (control === undefined || lastSeen.get(event.at.process) === control.index) {
        return undefined;
      }
      lastSeen.set(event.at.process, control.index);
      const place = `${control.clusterId}.${control.groupEpoch}.${control.index}`;
      const state = canonical(control);
      const known = states.get(place);
      if (known === undefined) states.set(place, { state, node: event.at.node });
      if (known === undefined || known.state === state) return undefined;
      return (
        `At index ${control.index} the control state of ${event.at.node} is ${state}, and that ` +
        `of ${known.node} was ${known.state}.`
      );
    },
    finish: () => undefined,
  };
}

/** Text that is equal for equal states, whatever the order in which their parts were made. */
function canonical(control: ControlView): string {
  const features = Object.entries(control.features).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([control.members, control.targetVoters, features, control.level]);
}
