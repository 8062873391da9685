import { Day } from '@memgrid/simulator';
import type { ScheduledFault, SimulateOptions } from '@memgrid/simulator';
import type { NodeEvent } from '@memgrid/core';

/** One event of one node, at a moment of virtual time. */
export interface Observation {
  readonly atMs: number;
  readonly node: string;
  readonly event: NodeEvent;
}

export interface ObservedDay {
  readonly day: Day;
  readonly observations: readonly Observation[];
}

/** Runs one day with a schedule of faults and keeps the events whose names are in `names`. */
export function observedDay(
  options: Omit<SimulateOptions, 'faults' | 'timeline'>,
  faults: readonly ScheduledFault[],
  names: readonly NodeEvent['name'][],
): ObservedDay {
  const observations: Observation[] = [];
  const wanted = new Set(names);
  const day = new Day({ ...options, faults: { kind: 'schedule', faults }, timeline: false });
  day.world.addObserver((event, nowUs) => {
    if (event.kind !== 'published' || !wanted.has(event.event.name)) return;
    observations.push({ atMs: nowUs / 1000, node: event.at.node, event: event.event });
  });
  day.live();
  return { day, observations };
}
