import type { Durability, ReadLevel, SyncClass } from '@memgrid/protocol';

/** Everything about one client; only `nodes` has to be given. */
export interface ConnectOptions {
  /**
   * Where to begin: `ws://host:port`, `wss://host:port` or `host:port`. Any one that answers is
   * enough, the rest is discovered; name two or three, so that one may be down.
   */
  readonly nodes: readonly string[];
  /** Shown to every node. Default: none. */
  readonly token?: string;
  /** For `wss://`: PEM text. */
  readonly tls?: TlsOptions;
  /** What this client is called in the logs of the nodes. Default `memgrid-client`. */
  readonly name?: string;
  /** Ends the attempt to connect: `connect` rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** How long `connect` tries before it rejects. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Of a call that names none. Longer rides out more; shorter gives the caller an answer sooner. Default 5,000. */
  readonly timeoutMs?: number;
  /** Of a read that names none. Default `one`. */
  readonly read?: ReadLevel;
  /** Of a write that names none. Default `quorum`. */
  readonly durability?: Durability;
  /** Of a write that names none. Default `disk`. */
  readonly sync?: SyncClass;
  /** A token of another session: every read of this one sees at least what that one saw. */
  readonly atLeast?: string;
  /** Keeps entries that were read in this process. Default: none. */
  readonly nearCache?: NearCacheOptions;
  /**
   * Calls that may wait for an answer, and their bytes: one more is refused at once with
   * `OVERLOADED`. More hides longer pauses and costs memory. Default 65,536 calls and 64 MiB.
   */
  readonly queue?: QueueOptions;
  /** A second replica is asked when the first is slow. `false` never. Default: see `HedgeOptions`. */
  readonly hedge?: HedgeOptions | false;
  /** How often failed calls may be tried again. */
  readonly retries?: RetryOptions;
  /**
   * Bytes of changes that a watch may hold for a slow consumer. Beyond it the feed is closed, and
   * resumed where the consumer stands once it has caught up. Default 1 MiB.
   */
  readonly watchBufferBytesMax?: number;
  /** Told of connections, retries and hedges. Default: nobody. */
  readonly logger?: Logger;
}

export interface TlsOptions {
  /** Who signs the nodes' certificates. Default: those that Node.js trusts. */
  readonly ca?: string;
  /** This client's certificate and key, for nodes that ask for one. */
  readonly cert?: string;
  readonly key?: string;
}

export interface NearCacheOptions {
  /** Of entries and what is kept beside them. */
  readonly bytesMax: number;
  /**
   * An entry is served only while its node was heard so recently. Longer survives pauses of the
   * network; shorter sees a lost connection sooner and sends more pings. Default 1,000, at least 100.
   */
  readonly maxStalenessMs?: number;
}

export interface QueueOptions {
  readonly callsMax?: number;
  readonly bytesMax?: number;
}

export interface HedgeOptions {
  /** No second request before this, however fast the node usually is. Default 10. */
  readonly afterMsMin?: number;
  /** Second requests, as a share of the reads. Default 0.05. */
  readonly share?: number;
}

export interface RetryOptions {
  /** Retries, as a share of the calls. More rides out more, and adds load when there is too much. Default 0.1. */
  readonly share?: number;
  /** Retries that are always allowed, for clients with few calls. Default 10. */
  readonly perSecondMin?: number;
}

/** Four methods, as of `console` or pino. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
