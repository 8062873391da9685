import type { SessionEvent } from '@memgrid/core';
import { ClusterError, PROTOCOL } from '@memgrid/protocol';
import { clientConfig } from './client-config.ts';
import { ClusterClient } from './cluster-client.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { Grid } from './grid.ts';

/** What every address has said so far, for the error message. */
interface Problems {
  readonly sentences: Map<string, string>;
  /** Of the node that was asked last. */
  theirs: { readonly min: number; readonly max: number } | undefined;
}

/**
 * Opens a session with a cluster. Fulfilled once one node has let this client in and told who holds
 * what; everything else is discovered from there.
 *
 * @throws ClusterError BAD_CONFIGURATION (with all problems), NOT_CONNECTED when no node answered in
 * `connectTimeoutMs`, PROTOCOL_MISMATCH when none speaks a version of this client, BAD_TOKEN for an
 * `atLeast` that is none of this cluster; or `signal.reason`.
 */
export async function connect(options: ConnectOptions): Promise<Grid> {
  const config = clientConfig(options);
  options.signal?.throwIfAborted();
  const problems: Problems = { sentences: new Map(), theirs: undefined };
  const refused = Promise.withResolvers<never>();
  // Without anybody racing it any more a late refusal is of no interest.
  refused.promise.catch(() => undefined);
  const client = new ClusterClient(config, (event) => {
    const error = problemOf(event, problems, config.seeds);
    if (error !== undefined) refused.reject(error);
  });
  client.start();
  const timer = setTimeout(() => {
    refused.reject(notConnected(config.connectTimeoutMs, problems));
  }, config.connectTimeoutMs);
  const onAbort = (): void => refused.reject(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([ready(client), refused.promise]);
    if (config.atLeast !== undefined) client.atLeast(config.atLeast);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

async function ready(client: ClusterClient): Promise<void> {
  for await (const { phase } of client.status()) {
    if (phase === 'ready') return;
    if (phase === 'closed') throw new ClusterError('CLOSED', {});
  }
}

/** What no waiting will mend, once every address has said so. */
function problemOf(
  event: SessionEvent,
  problems: Problems,
  seeds: readonly string[],
): ClusterError | undefined {
  const { sentences } = problems;
  if (event.name === 'node.refused') {
    sentences.set(event.address, `${event.code}: ${event.detail}`);
    problems.theirs = event.protocol ?? problems.theirs;
  } else if (event.name === 'node.disconnected') {
    // A node that refuses hangs up as well, and that says less.
    if (!isFinal(sentences.get(event.address))) sentences.set(event.address, event.problem);
  } else return undefined;
  const said = seeds.map((seed) => sentences.get(seed));
  if (!said.every(isFinal)) return undefined;
  const message = `No node can be used: ${listOf(problems)}`;
  const { theirs } = problems;
  if (theirs !== undefined && said.every((it) => it?.startsWith('PROTOCOL_MISMATCH') === true)) {
    const { min: oursMin, max: oursMax } = PROTOCOL;
    const details = { oursMin, oursMax, theirsMin: theirs.min, theirsMax: theirs.max };
    return new ClusterError('PROTOCOL_MISMATCH', details, { message });
  }
  return new ClusterError('NOT_CONNECTED', { waitedMs: 0 }, { message, retry: 'never' });
}

/** A refusal by what was configured: the version, the token, the path. */
function isFinal(problem: string | undefined): boolean {
  if (problem === undefined) return false;
  return (
    problem.startsWith('PROTOCOL_MISMATCH') ||
    /^Unexpected server response: 40[134](?:$|\. )/.test(problem)
  );
}

function notConnected(waitedMs: number, problems: Problems): ClusterError {
  const message =
    problems.sentences.size === 0
      ? `No node answered in ${waitedMs} ms.`
      : `No node let this client in within ${waitedMs} ms: ${listOf(problems)}`;
  return new ClusterError('NOT_CONNECTED', { waitedMs }, { message });
}

function listOf({ sentences }: Problems): string {
  return [...sentences].map(([address, problem]) => `${address}: ${problem}`).join('; ');
}
