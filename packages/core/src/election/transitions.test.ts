import type { GroupConfig, LogIndex, Term } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import {
  B,
  C,
  last,
  LoneElection,
  type Said,
  SELF,
  sentTypes,
  THREE,
} from '../testing/lone-election.ts';
import type { ElectionEffect, ElectionInput, ElectionStatus } from './election-io.ts';

type Role = ElectionStatus['role'];
type InputName = Said['type'] | Exclude<ElectionInput['kind'], 'message'> | 'deadline';

const LEARNING: GroupConfig = { voters: [B, C], votersOutgoing: [], learners: [SELF] };

/** A node of each role in term 2, with everything durable. */
const STATES: Record<Role, () => LoneElection> = {
  follower: () => {
    const node = new LoneElection({ term: 2 });
    node.heartbeat(B, 2);
    return node;
  },
  preCandidate: () => new LoneElection({ term: 2 }).preCampaign(),
  candidate: () => {
    const node = new LoneElection().campaign();
    node.sync();
    return node;
  },
  leader: () => new LoneElection().leadWith(),
  learner: () => {
    const node = new LoneElection({ term: 2, group: LEARNING });
    node.heartbeat(B, 2);
    return node;
  },
  outsider: () => new LoneElection({ outsider: true }),
};

const header = { term: 2 };
const command = Uint8Array.of(1);
const hints = { hintIndex: 0 as LogIndex, hintTerm: 0 as Term };

/** Each input once, as it would come from node B in the same term. */
const INPUTS: Record<InputName, (node: LoneElection) => readonly ElectionEffect[]> = {
  preVote: (node) => node.hear(B, { type: 'preVote', term: 3, ...last(9, 2) }),
  preVoteResp: (node) => node.hear(B, { type: 'preVoteResp', term: 3, granted: true }),
  vote: (node) => node.hear(B, { type: 'vote', ...header, ...last(9, 2), transfer: false }),
  voteResp: (node) => node.hear(B, { type: 'voteResp', ...header, granted: true }),
  append: (node) => node.append(B, { term: 2, behind: [1, 1] }),
  appendResp: (node) =>
    node.hear(B, { type: 'appendResp', ...header, accepted: true, index: 1 as LogIndex, ...hints }),
  heartbeat: (node) => node.heartbeat(B, 2),
  heartbeatResp: (node) => node.hear(B, { type: 'heartbeatResp', ...header, readRound: 0 }),
  snapshotChunk: (node) =>
    node.hear(B, {
      type: 'snapshotChunk',
      ...header,
      ...last(5, 2),
      config: THREE,
      offset: 0,
      totalBytes: 1,
      bytes: command,
    }),
  snapshotResp: (node) =>
    node.hear(B, {
      type: 'snapshotResp',
      ...header,
      lastIndex: 1 as LogIndex,
      nextOffset: 0,
      installed: true,
    }),
  readIndexResp: (node) =>
    node.hear(B, { type: 'readIndexResp', ...header, request: 1, index: 1 as LogIndex }),
  proposeResp: (node) =>
    node.hear(B, { type: 'proposeResp', ...header, request: 1, outcome: { kind: 'unknown' } }),
  timeoutNow: (node) => node.hear(B, { type: 'timeoutNow', ...header }),
  propose: (node) => node.hear(B, { type: 'propose', ...header, request: 1, command }),
  readIndex: (node) => node.hear(B, { type: 'readIndex', ...header, request: 1 }),
  stored: (node) => node.give({ kind: 'stored', ticket: 0 }),
  reconfigure: (node) =>
    node.give({ kind: 'reconfigure', request: 1, voters: [SELF, B], learners: [] }),
  transfer: (node) => node.give({ kind: 'transfer', request: 1, to: B }),
  compact: (node) => node.give({ kind: 'compact', index: 0 as LogIndex, state: command }),
  peerDied: (node) => node.give({ kind: 'peerDied', peer: B }),
  peerReset: (node) => node.give({ kind: 'peerReset', peer: B }),
  stalled: (node) => node.give({ kind: 'stalled', stalledMs: 400 }),
  retire: (node) => node.give({ kind: 'retire' }),
  deadline: (node) => node.pass(4_000).slice(0, 3),
};

/** What followed: the new role, and what was sent, written, answered or told at once. */
function outcome(node: LoneElection, effects: readonly ElectionEffect[]): string {
  const answers = effects.flatMap((effect) => {
    if (effect.kind === 'event') return [effect.event.name];
    if (effect.kind === 'proposed') return [effect.outcome.kind];
    return effect.kind === 'send' ? [] : [effect.kind];
  });
  return [node.status.role, ...new Set([...sentTypes(effects), ...answers])].join(' ');
}

/** Every state and every input: the role afterwards, then whatever the step did. */
const TABLE: Record<Role, Record<InputName, string>> = {
  follower: {
    preVote: 'follower preVoteResp',
    preVoteResp: 'follower',
    vote: 'follower voteResp',
    voteResp: 'follower',
    append: 'follower appendResp',
    appendResp: 'follower',
    heartbeat: 'follower heartbeatResp',
    heartbeatResp: 'follower',
    snapshotChunk: 'follower store restored snapshot.installed group.changed',
    snapshotResp: 'follower',
    readIndexResp: 'follower',
    proposeResp: 'follower',
    timeoutNow: 'candidate vote store coordinator.lost election.started',
    propose: 'follower proposeResp',
    readIndex: 'follower readIndexResp',
    stored: 'follower',
    reconfigure: 'follower notLeader',
    transfer: 'follower transferred',
    compact: 'follower',
    peerDied: 'follower',
    peerReset: 'follower',
    stalled: 'follower',
    retire: 'follower',
    deadline: 'preCandidate preVote coordinator.lost',
  },
  preCandidate: {
    preVote: 'preCandidate preVoteResp',
    preVoteResp: 'candidate vote store election.started',
    vote: 'follower store',
    voteResp: 'preCandidate',
    append: 'follower appendResp coordinator.elected',
    appendResp: 'preCandidate',
    heartbeat: 'follower heartbeatResp coordinator.elected',
    heartbeatResp: 'preCandidate',
    snapshotChunk: 'follower store coordinator.elected restored snapshot.installed group.changed',
    snapshotResp: 'preCandidate',
    readIndexResp: 'preCandidate',
    proposeResp: 'preCandidate',
    timeoutNow: 'preCandidate',
    propose: 'preCandidate proposeResp',
    readIndex: 'preCandidate readIndexResp',
    stored: 'preCandidate',
    reconfigure: 'preCandidate notLeader',
    transfer: 'preCandidate transferred',
    compact: 'preCandidate',
    peerDied: 'preCandidate',
    peerReset: 'preCandidate',
    stalled: 'preCandidate',
    retire: 'follower',
    deadline: 'preCandidate preVote',
  },
  candidate: {
    preVote: 'candidate preVoteResp',
    preVoteResp: 'candidate',
    vote: 'candidate voteResp',
    voteResp: 'leader append store coordinator.elected',
    append: 'follower appendResp coordinator.elected',
    appendResp: 'candidate',
    heartbeat: 'follower heartbeatResp coordinator.elected',
    heartbeatResp: 'candidate',
    snapshotChunk: 'follower store coordinator.elected restored snapshot.installed group.changed',
    snapshotResp: 'candidate',
    readIndexResp: 'candidate',
    proposeResp: 'candidate',
    timeoutNow: 'candidate',
    propose: 'candidate proposeResp',
    readIndex: 'candidate readIndexResp',
    stored: 'candidate',
    reconfigure: 'candidate notLeader',
    transfer: 'candidate transferred',
    compact: 'candidate',
    peerDied: 'candidate',
    peerReset: 'candidate',
    stalled: 'candidate',
    retire: 'follower',
    deadline: 'preCandidate preVote',
  },
  leader: {
    preVote: 'leader preVoteResp',
    preVoteResp: 'leader',
    vote: 'leader voteResp',
    voteResp: 'leader',
    append: 'leader',
    appendResp: 'leader',
    heartbeat: 'leader',
    heartbeatResp: 'leader',
    snapshotChunk: 'leader',
    snapshotResp: 'leader',
    readIndexResp: 'leader',
    proposeResp: 'leader',
    timeoutNow: 'leader',
    propose: 'leader append store',
    readIndex: 'leader heartbeat',
    stored: 'leader',
    reconfigure: 'leader append store',
    transfer: 'leader timeoutNow',
    compact: 'leader',
    peerDied: 'leader',
    peerReset: 'leader append',
    stalled: 'leader',
    retire: 'follower timeoutNow coordinator.steppedDown',
    deadline: 'follower heartbeat',
  },
  learner: {
    preVote: 'learner preVoteResp',
    preVoteResp: 'learner',
    vote: 'learner voteResp',
    voteResp: 'learner',
    append: 'learner appendResp',
    appendResp: 'learner',
    heartbeat: 'learner heartbeatResp',
    heartbeatResp: 'learner',
    snapshotChunk: 'follower store restored snapshot.installed group.changed',
    snapshotResp: 'learner',
    readIndexResp: 'learner',
    proposeResp: 'learner',
    timeoutNow: 'learner',
    propose: 'learner proposeResp',
    readIndex: 'learner readIndexResp',
    stored: 'learner',
    reconfigure: 'learner notLeader',
    transfer: 'learner transferred',
    compact: 'learner',
    peerDied: 'learner',
    peerReset: 'learner',
    stalled: 'learner',
    retire: 'learner',
    deadline: 'learner coordinator.lost',
  },
  outsider: {
    preVote: 'outsider',
    preVoteResp: 'outsider',
    vote: 'outsider',
    voteResp: 'outsider',
    append: 'outsider store coordinator.elected',
    appendResp: 'outsider',
    heartbeat: 'outsider store coordinator.elected',
    heartbeatResp: 'outsider',
    snapshotChunk: 'follower store coordinator.elected restored snapshot.installed group.changed',
    snapshotResp: 'outsider',
    readIndexResp: 'outsider',
    proposeResp: 'outsider',
    timeoutNow: 'outsider',
    propose: 'outsider',
    readIndex: 'outsider',
    stored: 'outsider',
    reconfigure: 'outsider notLeader',
    transfer: 'outsider transferred',
    compact: 'outsider',
    peerDied: 'outsider',
    peerReset: 'outsider',
    stalled: 'outsider',
    retire: 'outsider',
    deadline: 'outsider',
  },
};

const cells = (Object.keys(STATES) as Role[]).flatMap((role) =>
  (Object.keys(INPUTS) as InputName[]).map((input) => ({ role, input })),
);

test.each(cells)('E19: $input at a $role is decided', ({ role, input }) => {
  const node = STATES[role]();
  expect(node.status.role).toBe(role);
  expect(outcome(node, INPUTS[input](node))).toBe(TABLE[role][input]);
});
