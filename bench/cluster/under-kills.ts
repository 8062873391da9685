import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bench, Measurement } from '../measurement.ts';
import type { RowName } from '../record.ts';
import { memgrid } from './command.ts';
import type { CommandOutput } from './command.ts';
import { Faults } from './faults.ts';
import type { FaultCounts } from './faults.ts';
import { NodeCluster } from './node-cluster.ts';

const NODES = 5;
const REST_MS_MAX = 180_000;
const HISTORIES = new URL('../histories/', import.meta.url);

/** A workload of `memgrid workload`, with clients of its own, and the row that shows its verdict. */
interface Drive {
  readonly row: string;
  readonly workload: 'set' | 'session' | 'register';
  readonly flags: readonly string[];
  readonly what: string;
  readonly bar: string;
}

const SET: Drive = {
  row: 'set-under-kills',
  workload: 'set',
  flags: ['--clients', '10', '--rate', '200', '--keys', '32'],
  what: 'sets: acknowledged adds that are missing from a strong read, or from any replica, afterwards',
  bar: '0',
};

const SESSION: Drive = {
  row: 'session-under-kills',
  workload: 'session',
  flags: ['--clients', '10', '--rate', '200', '--keys', '20'],
  what: 'session tokens, handed over between clients: violations of read-your-writes and monotonic reads',
  bar: '0',
};

const REGISTERS: readonly Drive[] = (['quorum', 'strong'] as const).map((read) => ({
  row: 'register-under-kills',
  workload: 'register',
  flags: ['--clients', '5', '--rate', '50', '--keys', '10', '--read', read],
  what: `registers read at ${read}, written and compared-and-set: keys that are not linearizable`,
  bar: '0',
}));

export const setUnderKills = underKills('set-under-kills', [SET]);
export const sessionUnderKills = underKills('session-under-kills', [SESSION]);
export const registerUnderKills = underKills('register-under-kills', REGISTERS);

interface WorkloadData {
  readonly durationMs: number;
  readonly operations: Readonly<Record<'ok' | 'missed' | 'fail' | 'info', number>>;
  readonly verdict: {
    readonly kind: 'valid' | 'violation' | 'unknown';
    readonly problems: readonly string[];
    readonly facts: Readonly<Record<string, number>>;
  };
  readonly history: string;
}

interface VerifyData {
  readonly entries: number;
  readonly copies: number;
  readonly unread: number;
  readonly differences: readonly unknown[];
}

interface Outcome {
  readonly drive: Drive;
  readonly seconds: number;
  readonly workload: WorkloadData;
  readonly verify: VerifyData;
  readonly faults: FaultCounts;
}

/** Real clients of a cluster that is killed, restarted, enlarged and drained the whole time. */
function underKills(row: RowName, drives: readonly Drive[]): Bench {
  return {
    row,
    async run(effort, progress) {
      const seconds = effort === 'full' ? 300 : 30;
      mkdirSync(HISTORIES, { recursive: true });
      await using cluster = await NodeCluster.start({ nodes: NODES });
      const faults = new Faults({ cluster, seconds, progress });
      const nodes = cluster.addresses.join(',');
      const namespaces = drives.map((_, at) => `bench-${at}`);
      const driven = drives.map((drive, at) => drove(drive, { nodes, seconds, at }));
      const outputs = await Promise.all([Promise.all(driven), faults.run()])
        .then(async ([done]) => {
          progress('no more faults; waiting until every copy is whole');
          await cluster.atRest(REST_MS_MAX);
          return done;
        })
        .catch((error: unknown) => {
          // What the nodes wrote is gone with the cluster, and says why.
          progress(cluster.logs);
          throw error;
        });
      const rows: Measurement[] = [];
      for (const [at, drive] of drives.entries()) {
        const verify = await memgrid<VerifyData>(
          ...['verify', '--nodes', cluster.addresses.join(',')],
          ...['--namespace', namespaces[at] ?? ''],
          // Then what the clients were told is the measure, and not what the cluster has.
          ...(drive.workload === 'set' ? ['--history', outputs[at]?.data.history ?? ''] : []),
        );
        for (const warning of [...(outputs[at]?.warnings ?? []), ...verify.warnings]) {
          progress(warning);
        }
        const workload = outputs[at]?.data;
        if (workload === undefined) throw new Error(`${drive.row} has no outcome.`);
        progress(`history: ${workload.history}`);
        rows.push(rowOf({ drive, seconds, workload, verify: verify.data, faults: faults.counts }));
      }
      return rows;
    },
  };
}

async function drove(
  { row, workload, flags }: Drive,
  { nodes, seconds, at }: { nodes: string; seconds: number; at: number },
): Promise<CommandOutput<WorkloadData>> {
  const history = fileURLToPath(new URL(`${row}-${at}.ndjson`, HISTORIES));
  return await memgrid<WorkloadData>(
    ...['workload', workload, '--nodes', nodes, '--namespace', `bench-${at}`],
    // What is compared afterwards has to be there.
    ...['--seconds', String(seconds), '--history', history, '--keep', ...flags],
  );
}

function rowOf({ drive, seconds, workload, verify, faults }: Outcome): Measurement {
  const { operations, verdict } = workload;
  const { acknowledged = 0, lost = 0, unexpected = 0 } = verdict.facts;
  const wrong = drive.workload === 'set' ? lost + unexpected : (verdict.facts['violations'] ?? 0);
  const isWhole = verify.differences.length === 0 && verify.unread === 0 && verify.copies > 0;
  const isAllThere = drive.workload !== 'set' || verify.entries === acknowledged;
  const judged = {
    valid: '',
    violation: ', VIOLATED',
    unknown: ', not everything could be judged',
  }[verdict.kind];
  const sum = operations.ok + operations.missed + operations.fail + operations.info;
  return {
    row: drive.row,
    what: `${drive.what}; ${describe(faults, seconds)}`,
    bar: drive.bar,
    measured:
      `${wrong}${judged} (${operations.ok} of ${sum} operations acknowledged, ${operations.info} of unknown outcome; ` +
      `${verify.copies} copies of ${verify.entries} entries compared, ${verify.differences.length} differ)`,
    // A run in which nothing was done to the cluster shows nothing.
    met:
      verdict.kind === 'valid' &&
      wrong === 0 &&
      isWhole &&
      isAllThere &&
      Object.values(faults).every((count) => count > 0),
    numbers: {
      wrong,
      ok: operations.ok,
      missed: operations.missed,
      fail: operations.fail,
      info: operations.info,
      entries: verify.entries,
      copies: verify.copies,
      unread: verify.unread,
      differences: verify.differences.length,
      ...faults,
      seconds,
    },
  };
}

function describe(faults: FaultCounts, seconds: number): string {
  const { killRounds, killed, rolled, joined, drained } = faults;
  return (
    `${NODES} processes, ${seconds} s: ${killed} kills in ${killRounds} rounds, ${rolled} rolling restarts, ` +
    `${joined} joins, ${drained} drains`
  );
}
