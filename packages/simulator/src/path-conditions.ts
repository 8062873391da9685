/** What one direction between two hosts does to packets. */
export interface PathConditions {
  /** Nothing passes. */
  readonly cut: boolean;
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Probability that a frame has to be sent again (TCP: 200 ms later, then 400, …). */
  readonly lossShare: number;
  /** Probability that sending a frame resets the connection. */
  readonly resetShare: number;
  readonly bytesPerSecond: number;
  /** Each new connection is refused at once, though somebody listens. */
  readonly refuse: boolean;
  /** What others have put into the sending buffer. */
  readonly queuedBytes: number;
}

/** One room, one switch: gigabit, a fraction of a millisecond. */
export const ORDINARY_PATH: PathConditions = {
  cut: false,
  latencyMsMin: 0.1,
  latencyMsMax: 0.6,
  lossShare: 0,
  resetShare: 0,
  bytesPerSecond: 125_000_000,
  refuse: false,
  queuedBytes: 0,
};

/** A change of some directions, for as long as it is in force. Several add up. */
export interface NetworkFault {
  /** Whether it concerns packets from one host to another. */
  readonly concerns: (from: string, to: string) => boolean;
  readonly cut?: boolean;
  readonly refuse?: boolean;
  readonly queuedBytes?: number;
  readonly extraLatencyMs?: number;
  readonly extraJitterMs?: number;
  readonly lossShare?: number;
  readonly resetShare?: number;
  readonly bytesPerSecondMax?: number;
  /** How often a frame is spoilt on its way, and how: see `Spoilage`. */
  readonly spoil?: { readonly how: Spoilage; readonly share: number };
}

/**
 * What can reach a process through a connection and is not what the peer sent: bugs of peers and
 * middle boxes, never TCP itself.
 */
export type Spoilage = 'garbage' | 'truncated' | 'oversized' | 'duplicated' | 'reordered';

export const SPOILAGES: readonly Spoilage[] = [
  'garbage',
  'truncated',
  'oversized',
  'duplicated',
  'reordered',
];

/** The sum of `faults` that concern this direction. */
export function conditionsOf(
  faults: readonly NetworkFault[],
  from: string,
  to: string,
): PathConditions {
  let path = ORDINARY_PATH;
  for (const fault of faults) {
    if (fault.concerns(from, to)) path = worse(path, fault);
  }
  return path;
}

function worse(path: PathConditions, fault: NetworkFault): PathConditions {
  const extraMs = fault.extraLatencyMs ?? 0;
  return {
    cut: path.cut || fault.cut === true,
    latencyMsMin: path.latencyMsMin + extraMs,
    latencyMsMax: path.latencyMsMax + extraMs + (fault.extraJitterMs ?? 0),
    lossShare: Math.max(path.lossShare, fault.lossShare ?? 0),
    resetShare: Math.max(path.resetShare, fault.resetShare ?? 0),
    queuedBytes: path.queuedBytes + (fault.queuedBytes ?? 0),
    refuse: path.refuse || fault.refuse === true,
    bytesPerSecond: Math.min(path.bytesPerSecond, fault.bytesPerSecondMax ?? Infinity),
  };
}
