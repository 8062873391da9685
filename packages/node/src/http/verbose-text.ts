import type { ShardsBody } from './shards-body.ts';
import type { MemberBody, StatusBody } from './status-body.ts';

/** `/cluster/status?verbose`: the same facts as lines for a person. */
export function statusText(body: StatusBody): string {
  const { members, raft } = body;
  const lines: readonly (readonly [string, string])[] = [
    ['node', `${body.nodeId} (generation ${body.generation}, memgrid ${body.version})`],
    ['phase', body.phase],
    ['cluster', body.clusterId ?? 'none yet'],
    ['coordinator', body.coordinator ?? 'none'],
    ...(body.waitingFor === null ? [] : ([['waiting for', body.waitingFor]] as const)),
    ['address', `${body.address}, HTTP ${body.httpAddress}`],
    [
      'members',
      `${members.alive} alive, ${members.suspect} suspect, ${members.dead} dead, ${members.left} left`,
    ],
    [
      'control group',
      raft === null
        ? 'not a member'
        : `${raft.role}, term ${raft.term}, committed ${raft.commit} of ${raft.lastIndex}, ` +
          `${raft.voters.length} voters`,
    ],
    ['health score', `${body.healthScore} of 7 (0 is well)`],
    ['clock', body.clock.suspect ? 'SUSPECT: check time synchronisation' : 'plausible'],
  ];
  return `${lines.map(([name, text]) => `${name.padEnd(14)} ${text}`).join('\n')}\n`;
}

/** `/cluster/members?verbose`: one line a member, in columns. */
export function membersText(members: readonly MemberBody[]): string {
  const head = ['NODE', 'ADDRESS', 'ZONE', 'LIVENESS', 'STATUS', 'ROLE'];
  const rows = members.map((member) => [
    `${member.nodeId.slice(0, 8)}${member.self ? '*' : ''}`,
    member.address,
    member.zone,
    `${member.liveness ?? 'unknown'}${member.unstable ? ' (unstable)' : ''}`,
    member.status ?? 'unregistered',
    member.role,
  ]);
  return columns([head, ...rows]);
}

/** `/cluster/shards?verbose`: a summary, then one line a node. */
export function shardsText(body: ShardsBody): string {
  const { local, shardCount, replicationFactor, stages } = body;
  const moving = stages.admit + stages.dual + stages.switch;
  const summary = [
    `${shardCount} shards, ${replicationFactor} copies each; ${moving} on the move`,
    `here: primary of ${local.active} (${local.inactive} not serving yet), replica of ` +
      `${local.replicas}, ${local.incomplete} incomplete, ${local.entries} entries`,
  ];
  const head = ['NODE', 'PRIMARY', 'REPLICA', 'INCOMING'];
  const rows = body.nodes.map(({ nodeId, primaries, replicas, incoming }) => [
    `${nodeId.slice(0, 8)}${nodeId === body.answeredBy ? '*' : ''}`,
    String(primaries),
    String(replicas),
    String(incoming),
  ]);
  return `${summary.join('\n')}\n${columns([head, ...rows])}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
