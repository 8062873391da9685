import type { Found, Grid, Namespace } from '@memgrid/client';
import { parseVersion } from '@memgrid/protocol';
import { checkSessions, type HistoryEvent } from '@memgrid/simulator';
import {
  recorded,
  type Pacer,
  type Workload,
  type WorkloadOptions,
  type WorkloadVerdict,
} from './workload.ts';

/** Operations of a session before it goes on in a new client, with nothing but its token. */
const OPERATIONS_PER_CLIENT = 200;

/**
 * Reads at level one and writes, each client one session: it must read its own writes and never
 * anything older than it has seen, across nodes, reconnects and changes of the client.
 */
export class SessionWorkload implements Workload {
  readonly #options: WorkloadOptions;
  #value = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  async client(pacer: Pacer): Promise<void> {
    const { open, processes } = this.#options;
    let session = await open();
    let process = processes.take();
    try {
      for (let count = 1; await pacer.turn(); count++) {
        const unknown = await this.#operate(session, process);
        // What an unknown write left behind is unknown to its session as well: a new one begins.
        if (unknown || count % OPERATIONS_PER_CLIENT === 0) {
          const next = await open(unknown ? undefined : session.token());
          await session.close();
          session = next;
        }
        if (unknown) process = processes.take();
      }
    } finally {
      await session.close();
    }
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  judge(events: readonly HistoryEvent[]): WorkloadVerdict {
    const violations = checkSessions(events);
    const problems = violations.map(({ explanation }) => explanation);
    const facts = { violations: problems.length };
    return { kind: problems.length === 0 ? 'valid' : 'violation', problems, facts };
  }

  /** True when the outcome of a write is unknown. */
  async #operate(session: Grid, process: number): Promise<boolean> {
    const { log, keys, random, runId, namespace } = this.#options;
    const entries = session.namespace(namespace);
    const key = `k${Math.floor(random() * keys)}`;
    const ref = { id: `${runId}-${key}` };
    const token = `session-${process}`;
    const begun = { process, key, level: 'one', token };
    if (random() < 0.7) {
      await recorded(log, { ...begun, f: 'read' }, async () => {
        const found = await entries.get(ref, { read: 'one' });
        return { value: valueOf(found), version: versionNumbers(found?.version), token };
      });
      return false;
    }
    const value = (this.#value += 1);
    const attempt = await recorded(log, { ...begun, f: 'write', value }, async () => {
      const version = await write(entries, { ...ref, content: String(value) });
      return { version: versionNumbers(version), token };
    });
    return !attempt.ok && attempt.unknown;
  }
}

async function write(
  entries: Namespace,
  entry: { readonly id: string; readonly content: string },
): Promise<string> {
  const { version } = await entries.put(entry);
  return version;
}

function valueOf(found: Found | undefined): number | null {
  return found === undefined ? null : Number(found.entry.content);
}

/** Versions in their order: by the hybrid clock, which no two writes of one key share. */
export function versionNumbers(version: string | undefined): readonly number[] {
  if (version === undefined) return [];
  const parsed = parseVersion(version);
  if (parsed === undefined) throw new RangeError(`"${version}" is no version.`);
  return [parsed.timestamp.ms, parsed.timestamp.counter];
}
