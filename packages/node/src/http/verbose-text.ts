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
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
