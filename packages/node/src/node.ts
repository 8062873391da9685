import { performance } from 'node:perf_hooks';
import { SlabEntryTable } from '@memgrid/core';
import type { NodeConfig, NodeOptions } from './config/node-config.ts';
import { resolveConfig } from './config/resolve-config.ts';
import { NodeStore } from './disk/node-store.ts';
import { NodeShell } from './node-shell.ts';
import { standardError } from './observe/line-sink.ts';
import type { LineSink } from './observe/line-sink.ts';
import { Observer } from './observe/observer.ts';
import type { Company, RunningNode } from './running-node.ts';
import { systemRandom } from './runtime/system-random.ts';
import { readTls } from './tls-files.ts';
import { VERSION } from './version.ts';

/** What a node borrows from whoever starts it. */
export interface Surroundings {
  /** Takes the log, line by line. Standard error when absent. */
  readonly logTo?: LineSink;
  /**
   * Asked once, when the addresses are bound and before the first packet; replaces the options
   * `seeds` and `expect`. For whoever starts several nodes on ports that the system chooses.
   */
  readonly foundWith?: (own: {
    readonly address: string;
    readonly httpAddress: string;
  }) => Promise<Company>;
}

/**
 * Starts a node in this process and resolves when it accepts connections and its identity is on disk.
 * It may then still be looking for its cluster: `status().phase` tells.
 *
 * Installs no signal handlers: whoever owns the process calls `drain`.
 *
 * @throws ClusterError when it cannot start; nothing is left open then.
 */
export async function startNode(
  options: NodeOptions = {},
  surroundings: Surroundings = {},
): Promise<RunningNode> {
  const startedAt = performance.now();
  const { config } = resolveConfig({ flags: options });
  const observer = observerOf(config, surroundings);
  const tls = readTls({ cert: config.tlsCert, key: config.tlsKey, ca: config.tlsCa });
  const entries = new SlabEntryTable({
    bytesMax: config.memoryBytesMax,
    seed: systemRandom().uint32(),
  });
  const store = await NodeStore.open(config.data, entries);
  const shell = new NodeShell({ config, store, entries, observer, tls });
  try {
    await shell.listen();
    const { address, httpAddress } = shell;
    const company = await surroundings.foundWith?.({ address, httpAddress });
    await shell.run(company ?? config);
  } catch (error) {
    await shell.abandon();
    throw error;
  }
  observer.show({
    name: 'node.started',
    version: VERSION,
    address: shell.address,
    httpAddress: shell.httpAddress,
    data: config.data,
    startupMs: Math.round(performance.now() - startedAt),
  });
  return shell;
}

function observerOf(config: NodeConfig, surroundings: Surroundings): Observer {
  return new Observer(VERSION, {
    level: config.logLevel,
    format: config.logFormat,
    to: surroundings.logTo ?? standardError(),
  });
}
