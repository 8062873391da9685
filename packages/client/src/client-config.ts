import { SESSION_DEFAULTS, sessionConfigProblems } from '@memgrid/core';
import type { SessionConfig } from '@memgrid/core';
import { ClusterError, LIMITS, utf8Bytes } from '@memgrid/protocol';
import type { Durability, ReadLevel, SyncClass } from '@memgrid/protocol';
import type { SocketOptions } from './client-socket.ts';
import type { ConnectOptions, Logger, NearCacheOptions } from './connect-options.ts';

/** `ConnectOptions` with everything decided. */
export interface ClientConfig {
  /** `host:port`. */
  readonly seeds: readonly string[];
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly read: ReadLevel;
  readonly durability: Durability;
  readonly sync: SyncClass;
  readonly atLeast: string | undefined;
  readonly nearCacheBytesMax: number | undefined;
  readonly socket: SocketOptions;
  readonly session: SessionConfig;
  readonly logger: Logger | undefined;
}

const DEFAULT_NAME = 'memgrid-client';
const CONNECT_TIMEOUT_MS = 10_000;
const CALL_TIMEOUT_MS = 5_000;
/** Below this, pings for it would outweigh what the cache saves. */
const NEAR_STALENESS_MS_MIN = 100;

const LEVELS: Readonly<Record<'read' | 'durability' | 'sync', readonly string[]>> = {
  read: ['one', 'quorum', 'strong'],
  durability: ['one', 'quorum'],
  sync: ['memory', 'os', 'disk'],
};

/** @throws ClusterError BAD_CONFIGURATION with every problem at once. */
export function clientConfig(options: ConnectOptions): ClientConfig {
  const problems: string[] = [];
  const { seeds, secure } = seedsOf(options.nodes, problems);
  const session = sessionOf(options);
  problems.push(...sessionConfigProblems(session), ...valueProblems(options));
  if (problems.length > 0) throw new ClusterError('BAD_CONFIGURATION', { problems });
  const { tls } = options;
  return {
    seeds,
    name: options.name ?? DEFAULT_NAME,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS,
    read: options.read ?? 'one',
    durability: options.durability ?? 'quorum',
    sync: options.sync ?? 'disk',
    atLeast: options.atLeast,
    nearCacheBytesMax: options.nearCache?.bytesMax,
    socket: {
      secure,
      token: options.token ?? '',
      ca: tls?.ca,
      cert: tls?.cert,
      key: tls?.key,
      timeoutMs: session.dialMsMax,
    },
    session,
    logger: options.logger,
  };
}

function seedsOf(
  given: readonly string[],
  problems: string[],
): { readonly seeds: readonly string[]; readonly secure: boolean } {
  const seeds = new Set<string>();
  const schemes = new Set<string>();
  // JavaScript may give anything.
  const nodes = Array.isArray(given) ? (given as readonly unknown[]) : [];
  if (nodes.length === 0) problems.push('nodes (none) must name at least one node.');
  for (const node of nodes) {
    const text = typeof node === 'string' && !node.includes('://') ? `ws://${node}` : String(node);
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !isAddress(url)) {
      problems.push(
        `nodes: "${String(node)}" must be ws://host:port, wss://host:port or host:port.`,
      );
      continue;
    }
    schemes.add(url.protocol);
    // A URL leaves the default port of its scheme out.
    const port = url.port === '' ? (url.protocol === 'wss:' ? '443' : '80') : url.port;
    seeds.add(`${url.hostname}:${port}`);
  }
  if (schemes.size > 1) problems.push('nodes: all of them must be ws:// or all of them wss://.');
  return { seeds: [...seeds], secure: schemes.has('wss:') };
}

function isAddress(url: URL): boolean {
  const isWebSocket = url.protocol === 'ws:' || url.protocol === 'wss:';
  const isBare = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return (
    isWebSocket && isBare && url.hostname !== '' && (url.pathname === '/' || url.pathname === '')
  );
}

function sessionOf(options: ConnectOptions): SessionConfig {
  const { queue, hedge, retries, nearCache, watchBufferBytesMax } = options;
  const hedges = hedge === false ? { share: 0 } : hedge;
  return {
    ...SESSION_DEFAULTS,
    callsMax: queue?.callsMax ?? SESSION_DEFAULTS.callsMax,
    bytesMax: queue?.bytesMax ?? SESSION_DEFAULTS.bytesMax,
    hedgeShare: hedges?.share ?? SESSION_DEFAULTS.hedgeShare,
    hedgeMsMin: (hedge === false ? undefined : hedge?.afterMsMin) ?? SESSION_DEFAULTS.hedgeMsMin,
    retryShare: retries?.share ?? SESSION_DEFAULTS.retryShare,
    retriesPerSecondMin: retries?.perSecondMin ?? SESSION_DEFAULTS.retriesPerSecondMin,
    watchBytesMax: watchBufferBytesMax ?? SESSION_DEFAULTS.watchBytesMax,
    nearStalenessMs: nearCache?.maxStalenessMs ?? SESSION_DEFAULTS.nearStalenessMs,
  };
}

function valueProblems(options: ConnectOptions): readonly string[] {
  const problems: string[] = [];
  for (const name of ['connectTimeoutMs', 'timeoutMs'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      problems.push(`${name} (${value}) must be a number above 0.`);
    }
  }
  for (const name of ['read', 'durability', 'sync'] as const) {
    const value = options[name];
    if (value !== undefined && !LEVELS[name].includes(value)) {
      problems.push(`${name} (${value}) must be one of ${LEVELS[name].join(', ')}.`);
    }
  }
  if (options.name !== undefined) {
    const bytes = utf8Bytes(options.name);
    const max = LIMITS.clientNameBytesMax;
    if (bytes < 0 || bytes > max) problems.push(`name must have at most ${max} bytes of UTF-8.`);
  }
  if (options.nearCache !== undefined) problems.push(...nearCacheProblems(options.nearCache));
  return problems;
}

function nearCacheProblems({ bytesMax, maxStalenessMs }: NearCacheOptions): readonly string[] {
  const problems: string[] = [];
  if (!(Number.isSafeInteger(bytesMax) && bytesMax > 0)) {
    problems.push(`nearCache.bytesMax (${bytesMax}) must be a whole number above 0.`);
  }
  if (maxStalenessMs !== undefined && !(maxStalenessMs >= NEAR_STALENESS_MS_MIN)) {
    problems.push(
      `nearCache.maxStalenessMs (${maxStalenessMs}) must be at least ${NEAR_STALENESS_MS_MIN}.`,
    );
  }
  return problems;
}
