import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { TemporaryDirectory } from '../temporary-directory.ts';
import type { ServerProcess } from './server-process.ts';

/** A running system: some servers, and how a client finds them. */
export interface Running extends AsyncDisposable {
  /** `Redis 7.0.15, appendonly no`: what it is and how it is configured. */
  readonly title: string;
  /** What it leaves undone that it was started for: `not synced`. */
  readonly caveat?: string;
  /** `host:port` of what a client begins with. */
  readonly addresses: readonly string[];
  /** Of every process that does the work of the servers. */
  readonly pids: readonly number[];
}

/** The servers of one peer, with everything they write in a directory that is gone afterwards. */
export class Servers implements AsyncDisposable {
  readonly #directory = new TemporaryDirectory();
  readonly #servers: ServerProcess[] = [];

  get pids(): readonly number[] {
    return this.#servers.map(({ pid }) => pid);
  }

  /** An empty directory of this name. */
  directory(name: string): string {
    const directory = path.join(this.#directory.path, name);
    // Left behind by an attempt on a port that was taken.
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    return directory;
  }

  async add(starting: Promise<ServerProcess>): Promise<ServerProcess> {
    const server = await starting;
    this.#servers.push(server);
    return server;
  }

  /** All of them, so that others can be started instead. */
  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#directory[Symbol.dispose]();
  }
}

/** Builds a peer from servers; when that fails, those that run already are stopped. */
export async function withServers<Started>(
  build: (servers: Servers) => Promise<Started>,
): Promise<Started> {
  const servers = new Servers();
  try {
    return await build(servers);
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
}
