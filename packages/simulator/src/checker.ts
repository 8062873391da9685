import type { NodeStatus } from '@memgrid/core';
import type { NodeId } from '@memgrid/protocol';
import type { ProcessLabel, WorldEvent, WorldEventKind } from './world-event.ts';

/**
 * One property that must hold whatever happens. Told of every event of the kinds it names;
 * answers with a sentence when the event breaks the property, and with nothing otherwise.
 */
export interface Checker {
  readonly name: string;
  readonly kinds: readonly WorldEventKind[];
  observe(event: WorldEvent, nowUs: number): string | undefined;
  /** Asked once at the end, for what can only be said then. */
  finish(): string | undefined;
}

/** A property that must come true in time once the faults have ended. */
export interface Expectation {
  readonly name: string;
  readonly withinMs: number;
  /** What is still missing, in a sentence; undefined when the property holds. */
  missing(view: WorldView): string | undefined;
}

/** The world as it is now, for expectations. */
export interface WorldView {
  readonly nowUs: number;
  /** Nodes that ought to run now: sorted by name. Their processes may still be starting. */
  readonly expected: readonly NodeView[];
  nameOf(nodeId: NodeId): string;
}

export interface NodeView {
  readonly node: string;
  /** Undefined while it is down or stopped. */
  readonly status: NodeStatus | undefined;
  readonly label: ProcessLabel | undefined;
}

/** A property that did not hold. */
export interface Violation {
  readonly checker: string;
  readonly atMs: number;
  /** The node at which it showed; undefined when it concerns the whole world. */
  readonly node: string | undefined;
  readonly message: string;
}
