/** What a measurement asks of a Redis client, whichever it is, and of one server or a cluster. */
export interface RedisCalls {
  /** `ioredis`, `redis`, `iovalkey`. */
  readonly client: string;
  readonly version: string;
  get(key: string): Promise<string | null>;
  set(key: string, text: string): Promise<unknown>;
  /** Stores all of them the fastest way that the client offers for this kind of system. */
  setAll(texts: readonly KeyText[]): Promise<unknown>;
  putFields(key: string, fields: Readonly<Record<string, string>>): Promise<unknown>;
  field(key: string, name: string): Promise<string | null>;
  fields(key: string): Promise<Readonly<Record<string, string>>>;
  /** Teaches every primary a Lua script. @returns its name for `runScript`. */
  loadScript(script: string): Promise<string>;
  runScript(sha: string, key: string, args: readonly string[]): Promise<unknown>;
  publish(channel: string, text: string): Promise<unknown>;
  /** On a connection of its own. @returns what ends it. */
  subscribe(channel: string, heard: (text: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export type KeyText = readonly [key: string, text: string];

export interface RedisTarget {
  readonly addresses: readonly string[];
  readonly isCluster: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function hostPort(address: string): HostPort {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}
