/** How the protocols' waiting times are chosen: see `OPTIONS.profile`. */
export type ProfileName = 'local' | 'lan' | 'wan';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** Everything a node is told from outside. Total: below this edge nothing is optional. */
export interface NodeConfig {
  /** The data directory, absolute. */
  readonly data: string;
  /** `host:port` for peers and clients. Port 0 lets the system choose. */
  readonly listen: string;
  /** `host:port` that others dial; empty means the listening address. */
  readonly advertise: string;
  /** `host:port` of the HTTP surface, or `none`. */
  readonly http: string;
  readonly seeds: readonly string[];
  readonly expect: number;
  readonly zone: string;
  readonly weight: number;
  readonly profile: ProfileName;
  /** 0 derives it from the size of the cluster. */
  readonly votersMax: number;
  /** What a new cluster is created with: shards and copies of each. */
  readonly shards: number;
  readonly replicas: number;
  /** What entries may take in memory before values are dropped that are on disk. */
  readonly memoryBytesMax: number;
  /** Where entries are refused; 0 leaves it to the disk. */
  readonly storageBytesMax: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'text';
  /** Paths of PEM files; all three or none. Empty means none. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
  /** A secret that peers, clients and operators must show. Empty means none. */
  readonly token: string;
  readonly insecureNetwork: boolean;
}

export type OptionName = keyof NodeConfig;

/** What a program passes: any part of the configuration, in the same words and types. */
export type NodeOptions = { readonly [Name in OptionName]?: NodeConfig[Name] | undefined };
