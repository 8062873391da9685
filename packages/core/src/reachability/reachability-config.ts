/** Every number that the reachability machine obeys. */
export interface ReachabilityConfig {
  /** The membership machine's probe interval: evidence is counted in it. */
  readonly probeIntervalMs: number;
  /** How many intervals of failure make a loss. Lower tells sooner and flickers with single losses. */
  readonly evidenceIntervals: number;
  /** A row gets a new version at most so often. */
  readonly rowIntervalMs: number;
  /** How often the rows held are repeated to one member, for whoever missed them. */
  readonly repeatIntervalMs: number;
  /** Up to so many members a row goes to everybody directly. */
  readonly tellAllMax: number;
  /** Above that, how many members a row is sent to and passed on to. */
  readonly fanout: number;
  /** Up to so many members everybody announces a row … */
  readonly everyoneMax: number;
  /** … above, about so many of them do. */
  readonly observers: number;
}

export type ReachabilityOptions = Partial<ReachabilityConfig>;

export const LAN: ReachabilityConfig = {
  probeIntervalMs: 1000,
  evidenceIntervals: 3,
  rowIntervalMs: 1000,
  repeatIntervalMs: 30_000,
  tellAllMax: 10,
  fanout: 3,
  everyoneMax: 200,
  observers: 32,
};

/**
 * The defaults with some numbers replaced. Give it the membership machine's probe interval.
 *
 * @throws RangeError naming every number that is no positive whole number.
 */
export function reachabilityConfig(options: ReachabilityOptions = {}): ReachabilityConfig {
  const config: ReachabilityConfig = { ...LAN, ...options };
  const problems = (Object.entries(config) as [string, number][])
    .filter(([, value]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name, value]) => `${name} (${value}) must be a whole number of at least 1.`);
  if (problems.length > 0) throw new RangeError(problems.join(' '));
  return config;
}

/**
 * How long after a failed probe a member counts as unreached, nothing having been heard since.
 * The probe itself took the first interval.
 */
export function unreachedAfterMs(config: ReachabilityConfig): number {
  return (config.evidenceIntervals - 1) * config.probeIntervalMs;
}

/**
 * How long nothing may arrive from a member before it counts as silent.
 *
 * Two of `memberCount` members are only sure to speak once per round of probes, so the window is
 * counted in rounds: a fixed one would call every quiet member of a larger group silent.
 */
export function silentAfterMs(config: ReachabilityConfig, memberCount: number): number {
  const roundMs = Math.max(1, memberCount - 1) * config.probeIntervalMs;
  return config.evidenceIntervals * roundMs;
}
