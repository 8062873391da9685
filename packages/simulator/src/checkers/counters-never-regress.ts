import type { NodeStatus } from '@memgrid/core';
import type { Message } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { ProcessLabel, WorldEvent } from '../world-event.ts';

interface ProcessCounters {
  readonly generation: number;
  incarnation: number;
  commit: number;
  applied: number;
  /** Of each member as this process sees it: generation and incarnation. */
  readonly members: Map<string, readonly [number, number]>;
}

interface NodeCounters {
  /** The latest process that has sent anything, and its generation. */
  spokeAs: { readonly process: number; readonly generation: number } | undefined;
  /** The highest term it has told anybody, by group epoch. */
  readonly toldTerms: Map<number, number>;
}

/**
 * Invariant 16: counters never regress. A generation is never used by two process starts, an
 * incarnation never falls within one, a term that others were told of survives every restart, and
 * commit and applied indices never fall within a process.
 */
export function countersNeverRegress(): Checker {
  const processes = new Map<number, ProcessCounters>();
  const nodes = new Map<string, NodeCounters>();
  const cloned = new Set<string>();
  const nodeOf = (nodeId: string): NodeCounters => {
    let node = nodes.get(nodeId);
    if (node === undefined) {
      nodes.set(nodeId, (node = { spokeAs: undefined, toldTerms: new Map() }));
    }
    return node;
  };

  const spoke = (event: Extract<WorldEvent, { kind: 'sent' }>): string | undefined => {
    const { at, envelope } = event;
    const node = nodeOf(at.nodeId);
    const generation = envelope.sourceGeneration;
    const told = toldTerm(envelope.message);
    if (told !== undefined) {
      const known = node.toldTerms.get(told.groupEpoch) ?? 0;
      node.toldTerms.set(told.groupEpoch, Math.max(known, told.term));
    }
    const last = node.spokeAs;
    if (last?.process === at.process) return undefined;
    node.spokeAs = { process: at.process, generation };
    // A clone reads the same number from its copy: that it is found out is another checker's.
    if (last === undefined || cloned.has(at.node) || generation > last.generation) return undefined;
    return `Speaks in generation ${generation}, but an earlier start spoke in ${last.generation}.`;
  };

  return {
    name: 'counters-never-regress',
    kinds: ['sent', 'sampled', 'intervened'],
    observe(event) {
      if (event.kind === 'intervened' && event.fault?.kind === 'clone') {
        cloned.add(event.fault.node).add(`${event.fault.node}c`);
      }
      if (event.kind === 'sent') return spoke(event);
      if (event.kind !== 'sampled') return undefined;
      const { at, status } = event;
      // A copy of a directory knows nothing of what the original promised after it was made.
      const told = cloned.has(at.node) ? undefined : termProblem(nodeOf(at.nodeId), status);
      return told ?? processProblem(processes, at, status);
    },
    finish: () => undefined,
  };
}

/** The terms that bind: a later message in a lower term would be a broken promise. */
function toldTerm(message: Message): { groupEpoch: number; term: number } | undefined {
  switch (message.type) {
    case 'append':
    case 'heartbeat':
      return message;
    case 'voteResp':
      return message.granted ? message : undefined;
    case 'appendResp':
      return message.accepted ? message : undefined;
    default:
      return undefined;
  }
}

function termProblem(node: NodeCounters, status: NodeStatus): string | undefined {
  const { control, election } = status;
  if (control === undefined || election === undefined) return undefined;
  const told = node.toldTerms.get(control.groupEpoch) ?? 0;
  if (election.term >= told) return undefined;
  return `Is in term ${election.term} after it spoke in term ${told}.`;
}

function processProblem(
  processes: Map<number, ProcessCounters>,
  at: ProcessLabel,
  status: NodeStatus,
): string | undefined {
  const known = processes.get(at.process);
  const self = status.members.find((member) => member.nodeId === status.nodeId);
  const now = {
    incarnation: self?.incarnation ?? 0,
    commit: status.election?.commit ?? 0,
    applied: status.control?.index ?? 0,
  };
  if (known === undefined) {
    processes.set(at.process, { generation: status.generation, ...now, members: new Map() });
    return undefined;
  }
  if (status.generation !== known.generation) {
    return `Changed its generation from ${known.generation} to ${status.generation} while running.`;
  }
  for (const name of ['incarnation', 'commit', 'applied'] as const) {
    // 0: it is not (any more) in the group, or does not list itself yet.
    if (now[name] !== 0 && now[name] < known[name]) {
      return `Its ${name} fell from ${known[name]} to ${now[name]}.`;
    }
    known[name] = Math.max(known[name], now[name]);
  }
  return memberProblem(known, status);
}

function memberProblem(known: ProcessCounters, status: NodeStatus): string | undefined {
  for (const member of status.members) {
    const before = known.members.get(member.nodeId);
    known.members.set(member.nodeId, [member.generation, member.incarnation]);
    if (before === undefined) continue;
    const [generation, incarnation] = before;
    if (member.generation > generation) continue;
    if (member.generation === generation && member.incarnation >= incarnation) continue;
    return (
      `Saw ${member.nodeId.slice(0, 8)} fall from (${generation}, ${incarnation}) to ` +
      `(${member.generation}, ${member.incarnation}).`
    );
  }
  return undefined;
}
