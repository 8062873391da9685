import type { Spoilage } from './path-conditions.ts';

/**
 * Whom a fault hits: a node by its name (`n1`), `coordinator` for whoever leads at that moment,
 * or `*` for every node. Faults of the network also hit the host of an application (`c1`).
 */
export type Target = string;

export function isApplication(target: Target): boolean {
  return /^c[1-9]\d*$/.test(target);
}

/** How long a fault lasts. Without it: until healed. */
interface Lasting {
  readonly forMs?: number;
}

/** A direction of the network; both ends may be `*`. */
interface Directed extends Lasting {
  readonly from: Target;
  readonly to: Target;
}

/** Something bad, as data: a schedule of these can be printed, shrunk and kept in a file. */
export type Fault =
  /** Only nodes that share a group can speak. Groups may overlap (a bridge, a ring). */
  | ({ readonly kind: 'split'; readonly groups: readonly (readonly Target[])[] } & Lasting)
  | ({ readonly kind: 'isolate'; readonly node: Target } & Lasting)
  /** A firewall: connections are reset, and each new one is refused at once. */
  | ({ readonly kind: 'refuse' } & Directed)
  /** Packets one way only get lost. */
  | ({ readonly kind: 'oneway' } & Directed)
  /** Packets get lost (and are sent again, late) and connections are reset. */
  | ({
      readonly kind: 'flaky';
      readonly lossPercent: number;
      readonly resetPercent: number;
    } & Directed)
  | ({ readonly kind: 'slow'; readonly latencyMs: number; readonly jitterMs: number } & Directed)
  | ({ readonly kind: 'narrow'; readonly bytesPerSecond: number } & Directed)
  /** Something else fills the sending buffers: so many bytes wait before ours. */
  | ({ readonly kind: 'congest'; readonly bytes: number } & Directed)
  /** Nothing passes, then everything at once. */
  | ({ readonly kind: 'clog' } & Directed)
  /** Every connection between two nodes is reset in the middle of what is on its way. */
  | { readonly kind: 'reset'; readonly from: Target; readonly to: Target }
  /** Frames arrive as garbage, cut short, too large, twice or in the wrong order. */
  | ({ readonly kind: 'spoil'; readonly how: Spoilage; readonly percent: number } & Directed)
  /** The process is stopped; its sockets stay open. */
  | ({ readonly kind: 'pause'; readonly node: Target } & Lasting)
  /** Its event loop stands still again and again, as garbage collection makes it. */
  | ({
      readonly kind: 'stall';
      readonly node: Target;
      readonly stallMsMin: number;
      readonly stallMsMax: number;
      readonly everyMs: number;
    } & Lasting)
  | ({ readonly kind: 'slowCpu'; readonly node: Target; readonly factor: number } & Lasting)
  /** `kill -9`: peers are refused. Starts again after `forMs`. */
  | ({ readonly kind: 'crash'; readonly node: Target } & Lasting)
  /** Its host goes silent, as after a power cut. Starts again after `forMs`. */
  | ({ readonly kind: 'powerOff'; readonly node: Target } & Lasting)
  /** Dies at the first write after this moment, while that is on its way to the disk. */
  | ({ readonly kind: 'dieWriting'; readonly node: Target; readonly power: boolean } & Lasting)
  | { readonly kind: 'restart'; readonly node: Target }
  /** Dies, loses its data directory, and comes back as somebody new. */
  | ({ readonly kind: 'wipe'; readonly node: Target } & Lasting)
  /** A copy of its data directory starts at another address. */
  | { readonly kind: 'clone'; readonly node: Target }
  | { readonly kind: 'diskError'; readonly node: Target }
  | ({ readonly kind: 'diskSlow'; readonly node: Target; readonly extraMs: number } & Lasting)
  | ({ readonly kind: 'diskFull'; readonly node: Target } & Lasting)
  | { readonly kind: 'skew'; readonly node: Target; readonly offsetMs: number }
  | { readonly kind: 'jump'; readonly node: Target; readonly byMs: number }
  | ({ readonly kind: 'freezeClock'; readonly node: Target } & Lasting)
  | { readonly kind: 'drift'; readonly node: Target; readonly ppm: number }
  /** SIGTERM: hands over, says goodbye. Starts again after `forMs`; without it, stays away. */
  | ({ readonly kind: 'leave'; readonly node: Target } & Lasting)
  /** An operator moves everything away from it, and takes that back after `forMs`. */
  | ({ readonly kind: 'drain'; readonly node: Target } & Lasting)
  /** The bits of one entry on its disk flip; `pick` chooses which. */
  | { readonly kind: 'flip'; readonly node: Target; readonly pick: number }
  /** Ends every fault in force and starts whoever is down. */
  | { readonly kind: 'heal' };

export type FaultKind = Fault['kind'];

export type ScheduledFault = Fault & {
  /** Virtual milliseconds after the world began. */
  readonly atMs: number;
};

export const FAULT_KINDS: readonly FaultKind[] = [
  'split',
  'isolate',
  'refuse',
  'oneway',
  'flaky',
  'slow',
  'narrow',
  'congest',
  'clog',
  'reset',
  'spoil',
  'pause',
  'stall',
  'slowCpu',
  'crash',
  'powerOff',
  'dieWriting',
  'restart',
  'wipe',
  'clone',
  'diskError',
  'diskSlow',
  'diskFull',
  'skew',
  'jump',
  'freezeClock',
  'drift',
  'leave',
  'drain',
  'flip',
  'heal',
];

/** One line a person can read: `isolate n1 for 3.2 s`. */
export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  const parts: string[] = [];
  for (const [name, value] of Object.entries(rest)) {
    if (name === 'atMs' || name === 'forMs' || value === undefined) continue;
    parts.push(describeParameter(name, value as Fault[keyof Fault]));
  }
  const forMs = 'forMs' in fault ? fault.forMs : undefined;
  if (forMs !== undefined) parts.push(`for ${seconds(forMs)}`);
  return [kind, ...parts].join(' ');
}

function describeParameter(name: string, value: unknown): string {
  if (name === 'node' || name === 'how') return String(value);
  if (name === 'from') return `${String(value)} ->`;
  if (name === 'to') return String(value);
  if (name === 'groups') {
    return (value as readonly (readonly string[])[]).map((group) => group.join('+')).join(' | ');
  }
  return `${name}=${String(value)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
