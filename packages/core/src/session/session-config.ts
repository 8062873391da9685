/** Every number of a session. Total: an application's options are merged into `SESSION_DEFAULTS`. */
export interface SessionConfig {
  /** A connection that is not open by then is given up. Longer suits slow networks. */
  readonly dialMsMax: number;
  /** The welcome after the hello: a node that accepts and says nothing is as good as gone. */
  readonly welcomeMsMax: number;
  /** First pause before an address is dialled again; doubled with each failure, drawn at random. */
  readonly redialMsMin: number;
  /** Longest pause. Longer spares a cluster that is down; shorter finds it sooner. */
  readonly redialMsMax: number;
  /** Dials of this session: a flapping network must not become a storm of handshakes. */
  readonly dialsPerSecond: number;
  /** Nothing heard for so long: ask. Shorter finds a dead link sooner and costs a message. */
  readonly pingIdleMs: number;
  /** Pings without any answer after which a link is dead. */
  readonly pingsMissedMax: number;
  /** A connection without use is closed, unless it is the last. */
  readonly idleCloseMs: number;
  /** One attempt; then the call is tried elsewhere, if the budget allows. */
  readonly attemptMsMax: number;
  /** First pause before a call that failed is tried again; doubled each time, drawn at random. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** Retries, as a share of the calls. */
  readonly retryShare: number;
  /** Retries that are always allowed. */
  readonly retriesPerSecondMin: number;
  /** Second requests, as a share of the reads; 0 sends none. */
  readonly hedgeShare: number;
  /** No second request before this. */
  readonly hedgeMsMin: number;
  /** Calls without an outcome, and their bytes; one more is refused. */
  readonly callsMax: number;
  readonly bytesMax: number;
  /** Bytes in a socket's buffer at which nothing more is sent into it. */
  readonly socketBytesMax: number;
  /** How long a place in a log is too new to expect it of every replica. */
  readonly freshMs: number;
  /** Changes that a watch holds for its consumer. */
  readonly watchBytesMax: number;
  readonly watchesMax: number;
  /** What a near-cache hit may be old. */
  readonly nearStalenessMs: number;
}

export const SESSION_DEFAULTS: SessionConfig = {
  dialMsMax: 2_000,
  welcomeMsMax: 2_000,
  redialMsMin: 50,
  redialMsMax: 5_000,
  dialsPerSecond: 20,
  pingIdleMs: 5_000,
  pingsMissedMax: 2,
  idleCloseMs: 60_000,
  attemptMsMax: 1_500,
  retryMsMin: 20,
  retryMsMax: 1_000,
  retryShare: 0.1,
  retriesPerSecondMin: 10,
  hedgeShare: 0.05,
  hedgeMsMin: 10,
  callsMax: 65_536,
  bytesMax: 64 * 1024 * 1024,
  socketBytesMax: 4 * 1024 * 1024,
  freshMs: 1_000,
  watchBytesMax: 1024 * 1024,
  watchesMax: 1_024,
  nearStalenessMs: 1_000,
};

/** Everything that is wrong with a configuration, one sentence each. */
export function sessionConfigProblems(config: SessionConfig): readonly string[] {
  const problems: string[] = [];
  for (const name of POSITIVE) {
    const value = config[name];
    if (!Number.isFinite(value) || value <= 0) {
      problems.push(`${name} (${value}) must be a number above 0.`);
    }
  }
  for (const name of ['retryShare', 'hedgeShare'] as const) {
    const share = config[name];
    if (!(share >= 0 && share <= 1)) problems.push(`${name} (${share}) must be from 0 to 1.`);
  }
  for (const [low, high] of ORDERED) {
    if (!(config[low] <= config[high])) {
      problems.push(`${low} (${config[low]}) must not be above ${high} (${config[high]}).`);
    }
  }
  return problems;
}

const POSITIVE: readonly (keyof SessionConfig)[] = (
  Object.keys(SESSION_DEFAULTS) as (keyof SessionConfig)[]
).filter((name) => name !== 'retryShare' && name !== 'hedgeShare');

const ORDERED: readonly (readonly [keyof SessionConfig, keyof SessionConfig])[] = [
  ['redialMsMin', 'redialMsMax'],
  ['retryMsMin', 'retryMsMax'],
];
