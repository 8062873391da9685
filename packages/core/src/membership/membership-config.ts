/** Every number that the membership machine obeys. Total; see `membershipConfig` for partial ones. */
export interface MembershipConfig {
  /**
   * How often this node probes one member.
   * Lower finds failures sooner and costs two messages per node and interval.
   */
  readonly probeIntervalMs: number;
  /**
   * How long the answer to a direct probe may take before helpers are asked.
   * Set it to the network's p99 round trip plus an ordinary pause. Below 300 ms TCP's own
   * retransmission looks like a failure.
   */
  readonly probeTimeoutMs: number;
  /**
   * After how long a helper says that it did not reach the target either.
   * Must leave time for the answer inside the prober's interval, or healthy probers blame themselves.
   */
  readonly helperTimeoutMs: number;
  /** How many members are asked to probe on our behalf. More tolerate more loss, at two messages each. */
  readonly helperCount: number;
  /** How far a node may doubt itself: at the limit its probes are this plus one times slower. */
  readonly healthScoreMax: number;
  /** The shortest suspicion, in probe intervals, before it grows with the logarithm of the size. */
  readonly suspicionMultiplier: number;
  /** The longest suspicion (a single accuser), as a multiple of the shortest. */
  readonly suspicionMaxFactor: number;
  /** How often waiting rumours are sent. Lower spreads news sooner, at `gossipFanout` messages each. */
  readonly gossipIntervalMs: number;
  /** How many members one round of gossip reaches. */
  readonly gossipFanout: number;
  /** Encoded rumours in one message, at most. Higher spreads storms sooner, in larger packets. */
  readonly gossipBytesMax: number;
  /** Accusations that this node passes on per second, at most: loss must not become a storm. */
  readonly suspicionsPerSecondMax: number;
  /**
   * How often a rumour is sent at least.
   * Lower saves a few bytes, and in groups below ten lets refutations die out before all have heard.
   */
  readonly retransmitFloor: number;
  /** How often a rumour is sent, as a multiple of the number of decimal digits of the size. */
  readonly retransmitMultiplier: number;
  /** How often whole tables are compared with one member, in groups up to 32. */
  readonly pushPullIntervalMs: number;
  /** How often the whole cluster together tries each dead member. Lower heals sooner, dials more. */
  readonly contactIntervalMs: number;
  /** The same for a member that has been dead for `contactBackoffAfterMs`. */
  readonly contactIntervalMsMax: number;
  readonly contactBackoffAfterMs: number;
  /** What one refuted suspicion costs a member. */
  readonly flapPenalty: number;
  readonly flapHalfLifeMs: number;
  /** Above this penalty a member is unstable … */
  readonly flapSuppressAbove: number;
  /** … until it has decayed below this. */
  readonly flapReuseBelow: number;
  /** Unstable members, at most, in percent of all. At least one is always allowed. */
  readonly flapPercentMax: number;
  /** A longer pause of this process voids the probes that were under way. */
  readonly stallVoidsMs: number;
  /** A longer pause is told to peers and costs one point of health per second. */
  readonly stallReportsMs: number;
  /** How often a change of load (lag, heap, commit) is announced at most; grows with the size. */
  readonly loadIntervalMs: number;
  /** Members this node can know. More are refused with an event. */
  readonly membersMax: number;
}

export type MembershipOptions = Partial<MembershipConfig>;

/** For networks of one data centre: the default. */
export const LAN: MembershipConfig = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 400,
  helperTimeoutMs: 320,
  helperCount: 3,
  healthScoreMax: 7,
  suspicionMultiplier: 4,
  suspicionMaxFactor: 6,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  gossipBytesMax: 1200,
  suspicionsPerSecondMax: 50,
  retransmitFloor: 12,
  retransmitMultiplier: 4,
  pushPullIntervalMs: 15_000,
  contactIntervalMs: 5000,
  contactIntervalMsMax: 30_000,
  contactBackoffAfterMs: 600_000,
  flapPenalty: 500,
  flapHalfLifeMs: 300_000,
  flapSuppressAbove: 5000,
  flapReuseBelow: 2500,
  flapPercentMax: 10,
  stallVoidsMs: 300,
  stallReportsMs: 1000,
  loadIntervalMs: 5000,
  membersMax: 16_384,
};

/** For one host or one rack with CPUs of its own: half the time to find a failure, less patience. */
export const LOCAL: MembershipConfig = {
  ...LAN,
  probeIntervalMs: 500,
  probeTimeoutMs: 300,
  helperTimeoutMs: 150,
  gossipIntervalMs: 100,
  contactIntervalMs: 2500,
};

/** For links between regions. */
export const WAN: MembershipConfig = {
  ...LAN,
  probeIntervalMs: 5000,
  probeTimeoutMs: 2000,
  helperTimeoutMs: 1600,
  gossipIntervalMs: 500,
  gossipFanout: 4,
  pushPullIntervalMs: 60_000,
};

/**
 * A profile with some numbers replaced.
 *
 * @throws RangeError naming every contradiction at once, each with both numbers.
 */
export function membershipConfig(
  options: MembershipOptions = {},
  profile: MembershipConfig = LAN,
): MembershipConfig {
  const config: MembershipConfig = { ...profile, ...options };
  const problems = [...rangeProblems(config), ...orderProblems(config)];
  if (problems.length > 0) throw new RangeError(problems.join(' '));
  return config;
}

const ZERO_ALLOWED: ReadonlySet<string> = new Set(['helperCount', 'healthScoreMax']);
const FRACTION_ALLOWED: ReadonlySet<string> = new Set([
  'suspicionMultiplier',
  'suspicionMaxFactor',
]);

function rangeProblems(config: MembershipConfig): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(config) as [string, number][]) {
    const least = ZERO_ALLOWED.has(name) ? 0 : 1;
    const kind = FRACTION_ALLOWED.has(name) ? 'number' : 'whole number';
    const whole = kind === 'number' ? Number.isFinite(value) : Number.isSafeInteger(value);
    if (!whole || value < least) {
      problems.push(`${name} (${value}) must be a ${kind} of at least ${least}.`);
    }
  }
  return problems;
}

function orderProblems(config: MembershipConfig): string[] {
  const problems: string[] = [];
  const below = (low: keyof MembershipConfig, high: keyof MembershipConfig): void => {
    if (config[low] >= config[high]) {
      problems.push(`${low} (${config[low]}) must be below ${high} (${config[high]}).`);
    }
  };
  below('probeTimeoutMs', 'probeIntervalMs');
  below('gossipIntervalMs', 'probeIntervalMs');
  below('flapReuseBelow', 'flapSuppressAbove');
  below('stallVoidsMs', 'stallReportsMs');
  below('contactIntervalMs', 'contactIntervalMsMax');
  const answered = config.probeTimeoutMs + config.helperTimeoutMs;
  if (answered >= config.probeIntervalMs) {
    problems.push(
      `probeTimeoutMs + helperTimeoutMs (${answered}) must be below probeIntervalMs (${config.probeIntervalMs}).`,
    );
  }
  if (config.flapPercentMax > 100) {
    problems.push(`flapPercentMax (${config.flapPercentMax}) must be at most 100.`);
  }
  return problems;
}

/** The shortest suspicion among `memberCount` members: long enough for a rumour to cross them. */
export function suspicionMinMs(config: MembershipConfig, memberCount: number): number {
  const crossing = Math.max(1, Math.log10(Math.max(1, memberCount)));
  return config.suspicionMultiplier * crossing * config.probeIntervalMs;
}

/** The longest suspicion: what a single accuser must wait. */
export function suspicionMaxMs(config: MembershipConfig, memberCount: number): number {
  return config.suspicionMaxFactor * suspicionMinMs(config, memberCount);
}

/**
 * How many further accusers bring a suspicion to its minimum (Lifeguard's K). 0 or less: nobody
 * else could confirm, so the minimum holds from the start.
 */
export function confirmationsWanted(memberCount: number): number {
  return memberCount < 10 ? Math.min(2, memberCount - 2) : 3;
}

/** How often one rumour is sent. `floor` is 12 by default; see DESIGN.md, M8. */
export function retransmitLimit(config: MembershipConfig, memberCount: number): number {
  const spread = config.retransmitMultiplier * Math.ceil(Math.log10(memberCount + 1));
  return Math.max(config.retransmitFloor, spread);
}

/** How often one node compares tables: rarer in large groups, so that the cost stays flat. */
export function pushPullIntervalMs(config: MembershipConfig, memberCount: number): number {
  if (memberCount <= 32) return config.pushPullIntervalMs;
  return config.pushPullIntervalMs * (1 + Math.ceil(Math.log2(memberCount) - 5));
}

/**
 * How often one node announces that only its load changed, or `Infinity` for never.
 *
 * The rate of the whole cluster stays at two rumours a second. Above 200 members even that would
 * keep tables unequal for ever (and push-pull busy), so load travels with other news only.
 */
export function loadIntervalMs(config: MembershipConfig, memberCount: number): number {
  if (memberCount > 200) return Infinity;
  return config.loadIntervalMs * Math.max(1, memberCount / 10);
}
