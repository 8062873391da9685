import type { NodeEvent } from '@memgrid/core';
import type { NodeId } from '@memgrid/protocol';
import type { WorldEvent } from './world-event.ts';

/** One line of a simulated day. */
export interface TimelineEntry {
  readonly atMs: number;
  /** Where it happened; undefined for what was done to the whole world. */
  readonly node: string | undefined;
  /** The event's stable name, or what was done. */
  readonly what: string;
  readonly detail: string;
}

/** A day is readable up to about this many lines; more are counted, not kept. */
const ENTRIES_MAX = 20_000;

/** Events that happen all the time and say nothing about the cluster's course. */
const LEFT_OUT: ReadonlySet<NodeEvent['name']> = new Set<NodeEvent['name']>([
  'control.applied',
  'frame.refused',
  'send.dropped',
]);

/** Keeps a history of a world that a person can read, with short names in place of ids. */
export class Timeline {
  readonly #nameOf: (nodeId: NodeId) => string;
  readonly #entries: TimelineEntry[] = [];
  #leftOut = 0;

  constructor(nameOf: (nodeId: NodeId) => string) {
    this.#nameOf = nameOf;
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  /** Lines that did not fit any more. */
  get leftOutCount(): number {
    return this.#leftOut;
  }

  readonly observe = (event: WorldEvent, nowUs: number): void => {
    const line = this.#describe(event);
    if (line === undefined) return;
    if (this.#entries.length >= ENTRIES_MAX) {
      this.#leftOut += 1;
      return;
    }
    this.#entries.push({ atMs: nowUs / 1000, ...line });
  };

  #describe(event: WorldEvent): Omit<TimelineEntry, 'atMs'> | undefined {
    switch (event.kind) {
      case 'published':
        if (LEFT_OUT.has(event.event.name)) return undefined;
        return {
          node: event.at.node,
          what: event.event.name,
          detail: describeEvent(event.event, this.#nameOf),
        };
      case 'started':
        return { node: event.at.node, what: 'process.started', detail: '' };
      case 'paused':
        return { node: event.at.node, what: 'process.paused', detail: '' };
      case 'resumed':
        return { node: event.at.node, what: 'process.resumed', detail: '' };
      case 'ended': {
        const { end } = event;
        const detail =
          end.how === 'halted'
            ? `${end.code}: ${end.detail}`
            : end.how === 'faulted'
              ? String(end.error)
              : end.how;
        return { node: event.at.node, what: 'process.ended', detail };
      }
      case 'diskLost':
        return {
          node: event.at.node,
          what: 'disk.lost',
          detail: `${event.batchesLost} unsynced batches${event.torn ? ', one torn' : ''}`,
        };
      case 'intervened':
        return { node: undefined, what: event.what, detail: '' };
      default:
        return undefined;
    }
  }
}

/** The fields of an event in the order in which they were made, ids replaced by names. */
export function describeEvent(event: NodeEvent, nameOf: (nodeId: NodeId) => string): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (name === 'name' || value === undefined) continue;
    parts.push(describeField(name, value, nameOf));
  }
  return parts.join(' ');
}

function describeField(name: string, value: unknown, nameOf: (nodeId: NodeId) => string): string {
  if (name === 'member' || name === 'peer' || name === 'leader') return nameOf(value as NodeId);
  // A place in a log is a "from" as well, and a number.
  const isNode = typeof value === 'string' && (name === 'by' || name === 'dead' || name === 'from');
  if (isNode) return `${name} ${nameOf(value as NodeId)}`;
  if (name.endsWith('Ms') && typeof value === 'number') {
    return `${name.slice(0, -2)} ${(value / 1000).toFixed(1)} s`;
  }
  if (name === 'config') return describeConfig(value as Config, nameOf);
  if (typeof value === 'object') return `${name} ${JSON.stringify(value)}`;
  if (name === 'detail' || name === 'reason' || name === 'evidence') return String(value);
  return `${name} ${String(value)}`;
}

interface Config {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

function describeConfig(config: Config, nameOf: (nodeId: NodeId) => string): string {
  const names = (ids: readonly NodeId[]): string =>
    ids
      .map((id) => nameOf(id))
      .sort()
      .join('+');
  const parts = [`voters ${names(config.voters)}`];
  if (config.votersOutgoing.length > 0) parts.push(`leaving ${names(config.votersOutgoing)}`);
  if (config.learners.length > 0) parts.push(`learners ${names(config.learners)}`);
  return parts.join(', ');
}

/** `01:12.345`, or with hours when there are any. */
export function clockText(ms: number): string {
  const whole = Math.floor(ms);
  const pad = (value: number, width: number): string => String(value).padStart(width, '0');
  const seconds = `${pad(Math.floor(whole / 1000) % 60, 2)}.${pad(whole % 1000, 3)}`;
  const minutes = pad(Math.floor(whole / 60_000) % 60, 2);
  const hours = Math.floor(whole / 3_600_000);
  return hours > 0 ? `${hours}:${minutes}:${seconds}` : `${minutes}:${seconds}`;
}
