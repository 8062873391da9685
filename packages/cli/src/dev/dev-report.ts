import { shellLine } from '../shell-line.ts';
import { shortName } from '../cluster/cluster-verdict.ts';
import { DEFAULT_NODES } from '../command-options.ts';
import { showDuration } from '../duration.ts';
import { paintFor } from '../output/paint.ts';
import type { Paint } from '../output/paint.ts';
import { table } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';
import type { Agreement, ClusterChange } from './cluster-watch.ts';
import type { DevDirectory } from './dev-directory.ts';
import type { LocalNode, StopReport } from './local-cluster.ts';
import type { Ending } from './node-process.ts';

export interface ReadyCluster extends Agreement {
  readonly nodes: readonly LocalNode[];
  readonly directory: DevDirectory;
  /** From the start of the first process to agreement. */
  readonly tookMs: number;
}

/** What `memgrid dev` tells while it runs. */
export interface DevReport {
  ready(cluster: ReadyCluster): void;
  changed(change: ClusterChange): void;
  /** A node ended although this command had not asked it to. */
  ended(node: LocalNode, ending: Ending): void;
  stopping(reason: string): void;
  stopped(report: StopReport, ok: boolean): void;
}

/** One object a line, for programs. */
export function jsonReport({ stdout }: Terminal): DevReport {
  const print = (event: string, body: object): void => {
    const line = { event, time: new Date().toISOString(), ...body };
    stdout.write(`${JSON.stringify(line)}\n`);
  };
  return {
    ready: ({ nodes, directory, clusterId, coordinator, term, tookMs }) =>
      print('cluster.ready', {
        clusterId,
        coordinator,
        term,
        tookMs,
        data: directory.path,
        nodes: nodes.map((node) => ({
          label: node.label,
          pid: node.process.pid,
          nodeId: node.nodeId,
          generation: node.generation,
          address: node.address,
          httpUrl: node.httpUrl,
        })),
      }),
    changed: ({ event, ...rest }) => print(event, rest),
    ended: ({ label, nodeId, process }, { exitCode, signal }) =>
      print('node.ended', { label, nodeId, pid: process.pid, exitCode, signal }),
    stopping: (reason) => print('cluster.stopping', { reason }),
    stopped: (report, ok) => print('cluster.stopped', { ok, ...report }),
  };
}

/** One screen, then a line for each thing that happens, for people. */
export function textReport(terminal: Terminal): DevReport {
  const { stdout } = terminal;
  const paint = paintFor(stdout, terminal);
  let labels: ReadonlyMap<string, string> = new Map();
  const name = (nodeId: string): string => labels.get(nodeId) ?? shortName(nodeId);
  const say = (text: string): void => {
    const clock = new Date().toTimeString().slice(0, 8);
    stdout.write(`${paint('dim', clock)}  ${text}\n`);
  };
  return {
    ready: (cluster) => {
      labels = new Map(
        cluster.nodes.map(({ nodeId, label }) => [nodeId, `${label} (${shortName(nodeId)})`]),
      );
      stdout.write(screen(cluster, paint));
    },
    changed: (change) => say(changeText(change, name, paint)),
    ended: (node, { exitCode, signal }) => {
      const how =
        signal === null
          ? exitCode === 0
            ? 'has left, asked by somebody else'
            : paint('red', `ended with exit code ${exitCode ?? '?'}`)
          : paint('red', `was killed by ${signal}`);
      say(`${name(node.nodeId)} ${how}.`);
      // A process that was killed from outside has nothing to say about it.
      if (signal === null && exitCode !== 0) {
        for (const line of node.process.logTail(10)) say(`  ${line}`);
      }
      say('To start it again, in another terminal (and stop it there, too):');
      // Without a clock in front of it: it is to be copied.
      stdout.write(againText(node));
    },
    stopping: (reason) => {
      // The terminal has just echoed `^C` where this line would begin.
      if (reason === 'SIGINT' && stdout.isTTY === true) stdout.write('\n');
      say(`Stopping (${reason}) …`);
    },
    stopped: ({ killed, failed }, ok) => {
      if (killed.length > 0)
        say(paint('red', `Killed, did not stop in time: ${killed.join(', ')}.`));
      if (failed.length > 0) say(paint('red', `Stopped with an error: ${failed.join(', ')}.`));
      say(ok ? 'Every node has stopped.' : 'Not every node stopped well.');
    },
  };
}

function changeText(change: ClusterChange, name: (nodeId: string) => string, paint: Paint): string {
  switch (change.event) {
    case 'coordinator.lost':
      return `${paint('yellow', 'No coordinator')}: ${name(change.coordinator)} lost the role or went silent.`;
    case 'coordinator.changed': {
      const { coordinator, term } = change;
      return `${paint('green', 'New coordinator')}: ${name(coordinator)}, term ${term}.`;
    }
    case 'member.changed':
      return `${name(change.nodeId)} is ${change.liveness}.`;
  }
}

/** The same process once more: its directory knows the cluster, whoever starts it. */
function againText({ address, data, httpUrl }: LocalNode): string {
  const places = ['--listen', address, '--http', new URL(httpUrl).host, '--profile', 'local'];
  return `  ${PROGRAM} start ${shellLine(['--data', data])} \\\n    ${shellLine(places)}\n`;
}

/** How this program was called: in a clone there is no `memgrid` on the path. */
const PROGRAM = import.meta.url.endsWith('.ts') ? 'npx -y pnpm@12 --silent memgrid' : 'memgrid';

function screen(cluster: ReadyCluster, paint: Paint): string {
  const { nodes, coordinator, directory, tookMs } = cluster;
  const took = showDuration(tookMs);
  const count = nodes.length === 1 ? 'One node' : `${nodes.length} nodes`;
  const rows = nodes.map((node) => [
    node.label,
    shortName(node.nodeId),
    node.nodeId === coordinator ? paint('bold', 'coordinator') : 'member',
    node.address,
    node.httpUrl,
    String(node.process.pid),
  ]);
  const titles = ['NAME', 'NODE', 'ROLE', 'PEERS AND CLIENTS', 'HTTP', 'PID'];
  const urls = nodes.map(({ httpUrl }) => httpUrl).join(',');
  const addresses = nodes.map(({ address }) => address).join(',');
  const isUsual = nodes[0]?.httpUrl === DEFAULT_NODES[0];
  const leader = nodes.find(({ nodeId }) => nodeId === coordinator);
  const lines = [
    '',
    `${paint('bold', 'memgrid')}  ${count}, one cluster after ${took}: ${cluster.clusterId}`,
    '',
    ...table(
      titles.map((title) => ({ title })),
      rows,
    ).split('\n'),
    '',
    `look   ${PROGRAM} status${isUsual ? '' : ` --node ${urls}`}`,
    // Otherwise every other command would ask whoever has the usual ports.
    ...(isUsual ? [] : [`use    export MEMGRID_NODES=${addresses} MEMGRID_NODE=${urls}`]),
    ...(nodes.length < 3
      ? []
      : [
          `break  kill -9 ${leader?.process.pid ?? ''}   (the coordinator; another one takes over)`,
        ]),
    `data   ${directory.path}${directory.temporary ? '   (removed at the end; keep it with --data)' : ''}`,
    'stop   Ctrl-C',
    '',
  ];
  return `${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n`;
}
